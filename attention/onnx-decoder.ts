/** The decoder over inference sessions, one pair a layer. Made by `openDecoder`. */
import { checkWindow } from './check-window.ts'
import type {
  Continuation,
  Decoder,
  DecoderConfig,
  GenerateEnd,
  GenerateOptions,
  KVCache,
  LayerRunOptions,
  ObserveOptions,
  PlacedPrefillOptions,
  Prefilled,
  PrefillOptions,
} from './decoder.ts'
import { checkCount, checkId, checkRun, placedAt } from './decoder-checks.ts'
import type { EmbeddingTable } from './embedding-table.ts'
import { generateTokens } from './generate-tokens.ts'
import { Head } from './head.ts'
import { BlockCache } from './kv-cache.ts'
import type { LayerRunner } from './layer-runner.ts'
import type { GivenForm } from './packed-weights.ts'
import type { OnnxSession } from './runtime.ts'
import { prefillPacked, type PackingParts } from './prefill-many.ts'
import { scoreContinuations, type ScoringParts } from './score-continuations.ts'
import type { SessionPool } from './session-pool.ts'
import type { Tokenizer } from './tokenizer.ts'

export interface OnnxDecoderParts {
  readonly config: DecoderConfig
  readonly tokenizer: Tokenizer
  readonly chatTemplate: string | undefined
  readonly pool: SessionPool
  readonly runner: LayerRunner
  readonly head: OnnxSession
  readonly embeddings: EmbeddingTable
  /** Arithmetic of sequences of many new tokens. */
  readonly longReads?: GivenForm
}

/** Rows that go through layers `[from, to)` in slices. */
interface SlicedRun extends PrefillOptions {
  readonly from: number
  readonly to: number
  readonly hidden: Float32Array
  readonly positions: Int32Array
  readonly store: BlockCache
  /** Whether only the last row of each slice is wanted. */
  readonly lastOnly?: boolean
  /** Arithmetic of many rows; float32 by default. */
  readonly form?: GivenForm
}

/** Tokens that go through the layers together: enough for full speed, few enough for bounded memory and prompt cancellation. */
export const sliceTokens = 512

/**
 * From this many new tokens on, a sequence may run in an arithmetic of its own. It depends on the sequence and not on what runs beside it, so
 * that sequences come to the same whether they run together or alone.
 */
const longReadTokens = 256

export class OnnxDecoder implements Decoder {
  readonly config: DecoderConfig
  readonly tokenizer: Tokenizer
  readonly chatTemplate: string | undefined
  readonly #parts: OnnxDecoderParts
  readonly #head: Head

  constructor(parts: OnnxDecoderParts) {
    this.config = parts.config
    this.tokenizer = parts.tokenizer
    this.chatTemplate = parts.chatTemplate
    this.#parts = parts
    this.#head = new Head(parts.config, parts.pool, parts.head)
  }

  createCache(): BlockCache {
    return new BlockCache(this.config)
  }

  embed(ids: readonly number[]): Float32Array {
    return this.#parts.embeddings.lookUp(ids)
  }

  async runLayers(
    from: number,
    to: number,
    hidden: Float32Array,
    positions: Int32Array,
    cache: KVCache,
    { longRead = false, ...options }: LayerRunOptions = {},
  ): Promise<Float32Array> {
    checkRun({ from, to, hidden, positions }, this.config)
    const store = this.#own(cache)
    const result = new Float32Array(hidden.length)
    let done = 0
    const form = longRead ? this.#longForm : 'float32'
    await this.#runSlices({ from, to, hidden, positions, store, ...options, form }, (rows) => {
      result.set(rows, done)
      done += rows.length
    })
    if (to === this.config.layers) store.lastHidden = result.slice(-this.config.hidden)
    return result
  }

  /** Runs slices of the rows one after another; a run that fails leaves the cache as it was. */
  async #runSlices(work: SlicedRun, onRows: (rows: Float32Array) => void): Promise<void> {
    const { from, to, hidden, positions, store, lastOnly = false, form = 'float32', ...options } = work
    const start = store.layerLength(from)
    const { hidden: width } = this.config
    const steps = Math.ceil(positions.length / sliceTokens) * (to - from)
    let done = 0
    const onLayer = (): void => options.onProgress?.(++done / steps)
    try {
      for (let row = 0; row < positions.length; row += sliceTokens) {
        const end = Math.min(positions.length, row + sliceTokens)
        const slice = hidden.subarray(row * width, end * width)
        const segments = [{ cache: store, rows: end - row }]
        const run = { from, to, signal: options.signal, onLayer, observe: tailOf(options.observe, positions.length - end), lastOnly, form }
        onRows(await this.#parts.runner.run(slice, positions.subarray(row, end), segments, run))
      }
    } catch (error) {
      store.rewind(from, to, start)
      throw error
    }
  }

  async logits(hidden: Float32Array): Promise<Float32Array> {
    return this.#head.logits(hidden)
  }

  isLongRead(tokens: number): boolean {
    return tokens >= longReadTokens && this.#longForm !== 'float32'
  }

  async prefill(ids: readonly number[], cache: KVCache, placing: PlacedPrefillOptions = {}): Promise<Float32Array> {
    const { positions: placed, sources, longRead = this.isLongRead(ids.length), ...options } = placing
    if (ids.length === 0) throw new RangeError('Cannot prefill as there are no tokens')
    const store = this.#own(cache)
    const start = store.length
    const positions = placed === undefined ? this.#nextPositions(store, ids.length) : placedAt(placed, ids.length)
    if (sources !== undefined) checkCount('sources', sources, ids.length)
    const { layers } = this.config
    checkRun({ from: 0, to: layers, positions }, this.config)
    const form = longRead ? this.#longForm : 'float32'
    let last = new Float32Array() as Float32Array
    await this.#runSlices({ from: 0, to: layers, hidden: this.embed(ids), positions, store, ...options, lastOnly: true, form }, (rows) => {
      last = rows
    })
    store.lastHidden = last
    if (sources !== undefined) store.setSources(start, sources)
    if (placed === undefined) store.setIds(start, ids, form !== 'float32')
    return this.#head.logits(last)
  }

  generate(cache: KVCache, logits: Float32Array, options: GenerateOptions): AsyncGenerator<number, GenerateEnd> {
    const store = this.#own(cache)
    checkWindow('Cannot generate', { cache: store.nextPosition, output: options.maxTokens }, this.config.window)
    const signal = options.signal === undefined ? {} : { signal: options.signal }
    return generateTokens(logits, options, {
      tokenizer: this.tokenizer,
      feed: (ids) => this.#follow(ids, store, signal),
      forget: (count) => store.truncate(store.length - count),
    })
  }

  /** Feeds `ids` in one run; gives the logits after each. */
  async #follow(ids: readonly number[], store: BlockCache, options: PrefillOptions): Promise<Float32Array[]> {
    const [only] = ids
    if (ids.length === 1 && only !== undefined) return [await this.prefill([only], store, options)]
    const first = store.nextPosition
    const positions = Int32Array.from(ids, (_, index) => first + index)
    const logits = await this.#head.logits(await this.runLayers(0, this.config.layers, this.embed(ids), positions, store, options))
    const { vocabulary } = this.config
    return ids.map((_, row) => logits.subarray(row * vocabulary, (row + 1) * vocabulary))
  }

  async prefillMany(
    prompts: readonly (readonly number[])[],
    { signal, onProgress }: Omit<PrefillOptions, 'observe'> = {},
  ): Promise<Prefilled[]> {
    for (const ids of prompts) {
      if (ids.length === 0) throw new RangeError('Cannot prefill as there are no tokens')
      for (const id of ids) checkId(id, this.config)
      checkWindow('Cannot prefill', { input: ids.length }, this.config.window)
    }
    const { runner } = this.#parts
    const { layers, hidden: width } = this.config
    const parts: PackingParts = {
      sliceTokens,
      fewestAlone: longReadTokens,
      width,
      createCache: () => this.createCache(),
      embed: (ids) => this.embed(ids),
      run: (x, positions, segments, lastOnly) => runner.run(x, positions, segments, { from: 0, to: layers, signal, lastOnly }),
      logits: (hidden) => this.#head.logits(hidden),
      prefill: (ids, cache) => this.prefill(ids, cache, signal === undefined ? {} : { signal }),
    }
    return prefillPacked(prompts, parts, onProgress)
  }

  async logProbs(
    prefix: readonly number[] | KVCache,
    continuations: readonly Continuation[],
    options: PrefillOptions = {},
  ): Promise<Float32Array[]> {
    if (!isIds(prefix)) return this.#score(this.#own(prefix), continuations, options)
    const cache = this.createCache()
    try {
      if (prefix.length > 0) await this.prefill(prefix, cache, options.signal === undefined ? {} : { signal: options.signal })
      return await this.#score(cache, continuations, options)
    } finally {
      cache.dispose()
    }
  }

  async dispose(): Promise<void> {
    await this.#parts.pool.release()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  #score(
    prefix: BlockCache,
    continuations: readonly Continuation[],
    { signal, onProgress, observe }: PrefillOptions,
  ): Promise<Float32Array[]> {
    if (prefix.length === 0 && continuations.some(({ ids, from = 0 }) => from === 0 && ids.length > 0)) {
      throw new RangeError('Cannot score first tokens as the prefix has no tokens. Score from 1')
    }
    for (const { ids, from = 0 } of continuations) this.#checkContinuation(prefix, ids, from)
    const { runner } = this.#parts
    const { layers, hidden: width } = this.config
    const parts: ScoringParts = {
      sliceTokens,
      width,
      embed: (ids) => this.embed(ids),
      observe,
      longTokens: longReadTokens,
      run: (x, positions, segments, { isLong, observe: seen }) =>
        runner.run(x, positions, segments, { from: 0, to: layers, signal, observe: seen, form: isLong ? this.#longForm : 'float32' }),
      logProbs: (hidden, targets) => this.#head.logProbs(hidden, targets, signal),
    }
    return scoreContinuations(prefix, continuations, parts, onProgress)
  }

  get #longForm(): GivenForm {
    return this.#parts.longReads ?? 'float32'
  }

  #checkContinuation(prefix: BlockCache, ids: readonly number[], from: number): void {
    if (!Number.isInteger(from) || from < 0 || from > ids.length) {
      throw new RangeError(`Cannot score a continuation of ${ids.length} tokens from token ${from}`)
    }
    for (const id of ids) checkId(id, this.config)
    checkWindow('Cannot score a continuation', { prefix: prefix.nextPosition, continuation: ids.length }, this.config.window)
  }

  #nextPositions(store: BlockCache, count: number): Int32Array {
    const first = store.nextPosition
    checkWindow('Cannot prefill', { cache: first, input: count }, this.config.window)
    return Int32Array.from({ length: count }, (_, index) => first + index)
  }

  #own(cache: KVCache): BlockCache {
    const { layers, kvHeads, headDim } = this.config
    const fits =
      cache instanceof BlockCache && cache.shape.layers === layers && cache.shape.kvHeads === kvHeads && cache.shape.headDim === headDim
    if (!fits) throw new TypeError('Cannot use the cache as it was not made by createCache of a decoder of this shape')
    return cache
  }
}

/** What of a slice is to be seen when `later` tokens follow it in the run. */
function tailOf(observe: ObserveOptions | undefined, later: number): ObserveOptions | undefined {
  if (observe?.rows === undefined) return observe
  return observe.rows > later ? { ...observe, rows: observe.rows - later } : undefined
}

function isIds(prefix: readonly number[] | KVCache): prefix is readonly number[] {
  return Array.isArray(prefix)
}
