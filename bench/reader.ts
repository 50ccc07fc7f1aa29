/** A measured reader in a process of its own (`read-speed-run.ts`): this project's decoder or node-llama-cpp, on the bundled model. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export type ReaderKind = 'ours' | 'peer'

/** What a reader can be asked; see `read-speed-run.ts`. */
export interface ReaderCommand {
  readonly tokens?: number
  readonly decode?: number
  readonly score?: { readonly prefix: number; readonly texts: number; readonly tokens: number }
  readonly reuse?: { readonly prefix: number; readonly question: number; readonly isCached: boolean }
  readonly pack?: { readonly prompts: number; readonly tokens: number; readonly together: boolean }
  readonly truncate?: number
  readonly likelihood?: number
  readonly peak?: boolean
}

export interface ReaderAnswer {
  readonly loadSeconds?: number
  readonly seconds?: number
  /** Mean log-probability with its sign turned. */
  readonly mean?: number
  readonly peakMegabytes?: number
  readonly weightForm?: string
}

const model = fileURLToPath(new URL('../weights/models/smollm2-135m-instruct/model.gguf', import.meta.url))

export class Reader {
  /** From the start of loading until the model is ready. */
  readonly loadSeconds: number
  /** The form of the weights, as the decoder names it. */
  readonly weightForm: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, { loadSeconds = NaN, weightForm = '' }: ReaderAnswer) {
    this.#child = child
    this.#lines = lines
    this.loadSeconds = loadSeconds
    this.weightForm = weightForm
  }

  /** `options` are those of `openDecoder` as JSON; the peer has none. */
  static async start(kind: ReaderKind, options: object = {}): Promise<Reader> {
    const script = fileURLToPath(new URL('read-speed-run.ts', import.meta.url))
    const args = ['--import', 'tsx', script, kind, model, JSON.stringify(options)]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return new Reader(child, lines, await nextAnswer(lines))
  }

  async ask(command: ReaderCommand): Promise<ReaderAnswer> {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`)
    return await nextAnswer(this.#lines)
  }

  async seconds(command: ReaderCommand): Promise<number> {
    return (await this.ask(command)).seconds ?? NaN
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const closed = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.stdin?.end()
    await closed
  }
}

async function nextAnswer(lines: AsyncIterator<string>): Promise<ReaderAnswer> {
  const { value, done } = await lines.next()
  if (done === true) throw new Error('Cannot measure reading speed as a reader ended early')
  return JSON.parse(value) as ReaderAnswer
}
