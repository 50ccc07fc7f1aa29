/** Reading speed of the bundled model: this project's decoder next to node-llama-cpp on the same file, in pairs that alternate. */
import { alternate } from './alternate.ts'
import { Reader } from './reader.ts'
import { quantile } from './statistics.ts'

export interface ReadSpeedOptions {
  /** Fewer pairs, and no lengths beyond 4,096. */
  readonly quick: boolean
}

export interface ReadSpeedResult {
  readonly settings: Record<string, unknown>
  /**
   * Tokens a second (`prefill512`, `prefill4096`, `decode`), the same over the peer's (`...Ratio...`: medians over pairs),
   * `peakMegabytes` of the whole process and `loadSeconds`, the median of four with the file in the page cache.
   */
  readonly figures: Record<string, number>
}

const decodeTokens = 48
/** Tokens in the cache while decoding. */
const decodeAfter = 512

/** Runs both readers in processes of their own and times them by turns, so that other load on the machine falls on both. */
export async function readSpeed({ quick }: ReadSpeedOptions): Promise<ReadSpeedResult> {
  // The first start brings the file into the page cache and compiles the code: it is not what loads are judged by.
  const [, ...loads] = [await loadSeconds(), await loadSeconds(), await loadSeconds(), await loadSeconds()]
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
      figures: { ...figures, peakMegabytes, loadSeconds: quantile([...loads, ours.loadSeconds], 0.5) },
    }
  } finally {
    await Promise.all([ours.stop(), peer.stop()])
  }
}

async function loadSeconds(): Promise<number> {
  const reader = await Reader.start('ours')
  await reader.stop()
  return reader.loadSeconds
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
