/** Reading speed of the bundled model: this project's decoder next to node-llama-cpp on the same file, in pairs that alternate. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { median } from 'simple-statistics'

export interface ReadSpeedOptions {
  /** Fewer pairs, and no lengths beyond 4,096. */
  readonly quick: boolean
}

export interface ReadSpeedResult {
  readonly settings: Record<string, unknown>
  /**
   * Tokens a second (`prefill512`, `prefill4096`, `decode`), the same over the peer's (`...Ratio...`: medians over pairs),
   * `peakMegabytes` of the whole process and `loadSeconds` with the file in the page cache.
   */
  readonly figures: Record<string, number>
}

const model = fileURLToPath(new URL('../weights/models/smollm2-135m-instruct/model.gguf', import.meta.url))
const decodeTokens = 48
/** Tokens in the cache while decoding. */
const decodeAfter = 512

/** Runs both readers in processes of their own and times them by turns, so that other load on the machine falls on both. */
export async function readSpeed({ quick }: ReadSpeedOptions): Promise<ReadSpeedResult> {
  const ours = await Reader.start('ours')
  const peer = await Reader.start('peer')
  try {
    const lengths = quick ? [512, 4096] : [512, 2048, 4096, 8100]
    const figures: Record<string, number> = {}
    for (const length of lengths) Object.assign(figures, await prefillFigures(ours, peer, length, pairsFor(length, quick)))
    Object.assign(figures, await decodeFigures(ours, peer, quick ? 5 : 9))
    const { peakMegabytes = NaN } = await ours.ask({ peak: true })
    return {
      settings: { model: 'smollm2-135m-instruct', threads: 2, lengths, decodeTokens, decodeAfter, peer: 'node-llama-cpp' },
      figures: { ...figures, peakMegabytes, loadSeconds: ours.loadSeconds },
    }
  } finally {
    await Promise.all([ours.stop(), peer.stop()])
  }
}

function pairsFor(length: number, quick: boolean): number {
  if (length <= 512) return quick ? 5 : 9
  return quick ? 2 : 3
}

async function prefillFigures(ours: Reader, peer: Reader, length: number, pairs: number): Promise<Record<string, number>> {
  for (const reader of [ours, peer]) await reader.seconds({ tokens: Math.min(length, 512) })
  const found = await alternate(
    pairs,
    () => ours.seconds({ tokens: length }),
    () => peer.seconds({ tokens: length }),
  )
  return {
    [`prefill${length}`]: length / found.ours,
    [`peerPrefill${length}`]: length / found.peer,
    [`prefillRatio${length}`]: found.ratio,
  }
}

async function decodeFigures(ours: Reader, peer: Reader, pairs: number): Promise<Record<string, number>> {
  const decode = async (reader: Reader): Promise<number> => {
    await reader.seconds({ tokens: decodeAfter })
    return await reader.seconds({ decode: decodeTokens })
  }
  const found = await alternate(
    pairs,
    () => decode(ours),
    () => decode(peer),
  )
  return { decode: decodeTokens / found.ours, peerDecode: decodeTokens / found.peer, decodeRatio: found.ratio }
}

/** Medians of the times, and of the peer's time over ours pair by pair. Who goes first changes from pair to pair. */
async function alternate(
  pairs: number,
  ours: () => Promise<number>,
  peer: () => Promise<number>,
): Promise<{ ours: number; peer: number; ratio: number }> {
  const times: { ours: number; peer: number }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const first = pair % 2 === 0 ? await ours() : await peer()
    const second = pair % 2 === 0 ? await peer() : await ours()
    times.push(pair % 2 === 0 ? { ours: first, peer: second } : { ours: second, peer: first })
  }
  return {
    ours: median(times.map((time) => time.ours)),
    peer: median(times.map((time) => time.peer)),
    ratio: median(times.map((time) => time.peer / time.ours)),
  }
}

interface Answer {
  readonly loadSeconds?: number
  readonly seconds?: number
  readonly peakMegabytes?: number
}

/** A reader in a child process (`read-speed-run.ts`). */
class Reader {
  readonly loadSeconds: number
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, loadSeconds: number) {
    this.#child = child
    this.#lines = lines
    this.loadSeconds = loadSeconds
  }

  static async start(kind: 'ours' | 'peer'): Promise<Reader> {
    const script = fileURLToPath(new URL('read-speed-run.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', script, kind, model], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const { loadSeconds = NaN } = await nextAnswer(lines)
    return new Reader(child, lines, loadSeconds)
  }

  async ask(command: object): Promise<Answer> {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`)
    return await nextAnswer(this.#lines)
  }

  async seconds(command: object): Promise<number> {
    return (await this.ask(command)).seconds ?? NaN
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin?.end()
    await closed
  }
}

async function nextAnswer(lines: AsyncIterator<string>): Promise<Answer> {
  const { value, done } = await lines.next()
  if (done === true) throw new Error('Cannot measure reading speed as a reader ended early')
  return JSON.parse(value) as Answer
}
