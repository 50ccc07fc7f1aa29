import type { TokenVectors } from '../attention/index.ts'
import { bundledFile } from './bundled-weights.ts'
import type { TokenEmbedder } from './embedder.ts'
import { fileFingerprint } from './file-fingerprint.ts'
import { openFileSource } from './file-source.ts'
import type { LocalEngine } from './local-engine.ts'
import type { EncoderSpec, Result } from './local-protocol.ts'
import { type EngineHold, holdEngine } from './shared-engine.ts'

export interface OpenLocalEmbedderOptions {
  /** Threads of one run; 2 by default. */
  readonly threads?: number
  /** The worker to run in; one that all local models of the process share by default. */
  readonly engine?: LocalEngine
  readonly signal?: AbortSignal
}

export interface EmbedTextsOptions {
  readonly signal?: AbortSignal
  /** Told the number of texts done. */
  readonly onProgress?: (done: number) => void
  /** Lower runs first; 1 by default, as texts are many, and 0 for `embedQuery`. */
  readonly priority?: number
}

/** An embedder that runs in a worker thread of this process. */
export interface LocalEmbedder extends TokenEmbedder {
  /** Longest text in tokens; longer ones are cut at their end. */
  readonly maxTokens: number
  embed(texts: readonly string[], options?: EmbedTextsOptions): Promise<Float32Array[]>
  /** Vectors of tokens take 384 numbers each: hand over texts of a few thousand words at a time. */
  embedTokens(texts: readonly string[], options?: EmbedTextsOptions): Promise<TokenVectors[]>
  /** Frees the weights; the embedder cannot be used any more. */
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const bundledModel = 'all-minilm-l6-v2'
const dimensions = 384
const maxTokens = 256

/** Freed after everything else that was asked for. */
const releasePriority = Number.MAX_SAFE_INTEGER

/**
 * Opens the bundled all-MiniLM-L6-v2: vectors of 384 dimensions and length 1. The worker loads the weights at the first call.
 *
 * @throws MissingPackageError when the package `scriptorium-weights` is not installed; ModelFileError when its files are missing or damaged
 */
export async function openLocalEmbedder(options: OpenLocalEmbedderOptions = {}): Promise<LocalEmbedder> {
  const { threads, engine, signal } = options
  signal?.throwIfAborted()
  const model = await bundledFile(bundledModel, 'model.onnx', signal)
  const tokenizer = await bundledFile(bundledModel, 'tokenizer.json', signal)
  await using source = await openFileSource(model)
  const id = `${bundledModel}@${await fileFingerprint(source)}`
  const spec = { model, tokenizer, maxTokens, ...(threads !== undefined && { threads }) }
  return new WorkerEmbedder(id, spec, holdEngine(engine))
}

class WorkerEmbedder implements LocalEmbedder {
  readonly id: string
  readonly dimensions: number = dimensions
  readonly maxTokens: number = maxTokens
  readonly #spec: EncoderSpec
  readonly #hold: EngineHold
  #disposed: Promise<void> | undefined

  constructor(id: string, spec: EncoderSpec, hold: EngineHold) {
    this.id = id
    this.#spec = spec
    this.#hold = hold
  }

  embed(texts: readonly string[], options: EmbedTextsOptions = {}): Promise<Float32Array[]> {
    return this.#run('embed', texts, options)
  }

  embedTokens(texts: readonly string[], options: EmbedTextsOptions = {}): Promise<TokenVectors[]> {
    return this.#run('embedTokens', texts, options)
  }

  async embedDocuments(texts: string[]): Promise<number[][]> {
    return (await this.embed(texts)).map((vector) => Array.from(vector))
  }

  async embedQuery(text: string): Promise<number[]> {
    const [vector] = await this.embed([text], { priority: 0 })
    return Array.from(vector ?? [])
  }

  async #run<M extends 'embed' | 'embedTokens'>(method: M, texts: readonly string[], options: EmbedTextsOptions): Promise<Result<M> | []> {
    if (this.#disposed !== undefined) throw new TypeError(`Cannot use a local embedder as it is disposed: ${this.id}. Open it again`)
    options.signal?.throwIfAborted()
    if (texts.length === 0) return []
    const call = { encoder: this.#spec, texts: [...texts] }
    return this.#hold.engine.call<M>(method, call, { priority: 1, ...options, model: this.id })
  }

  dispose(): Promise<void> {
    const { engine } = this.#hold
    const free = (): Promise<unknown> => engine.call('release', this.#spec, { priority: releasePriority, model: this.id })
    this.#disposed ??= this.#hold.release(free)
    return this.#disposed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }
}
