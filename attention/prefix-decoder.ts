/** A decoder that computes no start of a sequence twice: prefills that begin alike share their keys and values, across calls, under a budget of bytes. */
import type { Continuation, Decoder, KVCache, PlacedPrefillOptions, PrefillOptions } from './decoder.ts'
import { bytesOfBlocks } from './cache-block.ts'
import { BlockCache } from './kv-cache.ts'
import { PrefixTree } from './prefix-tree.ts'

/** What was spared so far, and what is held for later. */
export interface PrefixStats {
  /** Prefills that could have begun with something known, and those that did. */
  readonly lookups: number
  readonly hits: number
  /** Tokens of these prefills, and those of them that were not computed again. */
  readonly tokens: number
  readonly reusedTokens: number
  /** Sequences held, and bytes of their keys and values; what they share is counted once. */
  readonly sequences: number
  readonly bytes: number
}

export interface PrefixDecoder extends Decoder {
  readonly prefixStats: PrefixStats
  /** Tokens at the start of `cache` that the last prefill took over rather than computing them. */
  reused(cache: KVCache): number
  /** Keeps what `cache` holds for later prefills, where it was only ever fed in order. */
  keep(cache: KVCache): void
}

/** A prefill of fewer tokens is a step of decoding: not worth a place. */
const fewestKept = 16

/** A start that is longer than what is there by fewer tokens is computed. */
const fewestReused = 8

/**
 * `decoder`, with caches of past prefills kept up to `bytes`. The same tokens give the same numbers as without, within the rounding of another
 * grouping of rows, as only what ran in the same arithmetic is taken over, and the rest runs in it too; a prefill that was seen as a whole gives
 * them bit for bit. In eight-bit integers rounding goes further than in float32: log-probabilities of single tokens may differ by a few hundredths. Disposing it disposes `decoder`.
 *
 * @throws RangeError when `bytes` is not a number from 0
 */
export function reusePrefixes(decoder: Decoder, bytes: number): PrefixDecoder {
  if (!(bytes >= 0)) throw new RangeError(`Cannot reuse prefixes as the budget is not a number of bytes from 0: ${bytes}`)
  return new ReusingDecoder(decoder, bytes)
}

class ReusingDecoder implements PrefixDecoder {
  readonly config: Decoder['config']
  readonly tokenizer: Decoder['tokenizer']
  readonly chatTemplate: string | undefined
  readonly #decoder: Decoder
  readonly #budget: number
  readonly #tree = new PrefixTree()
  readonly #reused = new WeakMap<KVCache, number>()
  readonly #counts = { lookups: 0, hits: 0, tokens: 0, reusedTokens: 0 }
  #bytes = 0

  constructor(decoder: Decoder, budget: number) {
    this.config = decoder.config
    this.tokenizer = decoder.tokenizer
    this.chatTemplate = decoder.chatTemplate
    this.#decoder = decoder
    this.#budget = budget
  }

  get prefixStats(): PrefixStats {
    return { ...this.#counts, sequences: this.#tree.size, bytes: this.#bytes }
  }

  reused(cache: KVCache): number {
    return this.#reused.get(cache) ?? 0
  }

  keep(cache: KVCache): void {
    const keys = knownKeys(cache)
    if (keys !== undefined && keys.length >= fewestKept && this.#budget > 0) this.#insert(keys, cache)
  }

  createCache(): KVCache {
    return this.#decoder.createCache()
  }

  isLongRead(tokens: number): boolean {
    return this.#decoder.isLongRead(tokens)
  }

  embed(ids: readonly number[]): Float32Array {
    return this.#decoder.embed(ids)
  }

  runLayers(...given: Parameters<Decoder['runLayers']>): Promise<Float32Array> {
    return this.#decoder.runLayers(...given)
  }

  logits(hidden: Float32Array): Promise<Float32Array> {
    return this.#decoder.logits(hidden)
  }

  async prefill(ids: readonly number[], cache: KVCache, options: PlacedPrefillOptions = {}): Promise<Float32Array> {
    const known = knownKeys(cache)
    const isPlain = options.positions === undefined && options.sources === undefined
    if (known === undefined || !isPlain || ids.length < fewestKept || this.#budget === 0) return this.#decoder.prefill(ids, cache, options)
    options.signal?.throwIfAborted()
    const longRead = this.#isLong(ids, options)
    const all = [...known, ...ids.map((id) => keyOf(id, longRead))]
    const { lastHidden } = cache
    const reused = this.#take(all, known.length, cache, options.observe === undefined ? 0 : (options.observe.rows ?? Infinity))
    const rest = ids.slice(reused)
    try {
      const logits =
        rest.length > 0 ? await this.#decoder.prefill(rest, cache, { ...options, longRead }) : await this.#lastLogits(cache, options)
      this.#reused.set(cache, reused)
      this.#insert(all, cache)
      return logits
    } catch (error) {
      cache.truncate(known.length)
      cache.lastHidden = lastHidden
      throw error
    }
  }

  prefillMany(...given: Parameters<Decoder['prefillMany']>): ReturnType<Decoder['prefillMany']> {
    return this.#decoder.prefillMany(...given)
  }

  generate(...given: Parameters<Decoder['generate']>): ReturnType<Decoder['generate']> {
    return this.#decoder.generate(...given)
  }

  async logProbs(
    prefix: readonly number[] | KVCache,
    continuations: readonly Continuation[],
    options: PrefillOptions = {},
  ): Promise<Float32Array[]> {
    if (!isIds(prefix) || prefix.length === 0) return this.#decoder.logProbs(prefix, continuations, options)
    using cache = this.createCache()
    await this.prefill(prefix, cache, options.signal === undefined ? {} : { signal: options.signal })
    return await this.#decoder.logProbs(cache, continuations, options)
  }

  async dispose(): Promise<void> {
    this.#tree.dispose()
    await this.#decoder.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  /**
   * Lets `cache`, which holds the first `known` tokens of `keys`, hold as many as are known, but not the last `run`, which are wanted to go through
   * the layers; gives the number of those taken over.
   */
  #take(keys: readonly number[], known: number, cache: KVCache, run: number): number {
    this.#counts.lookups++
    this.#counts.tokens += keys.length - known
    const found = this.#tree.find(keys)
    if (found === undefined) return 0
    // The last token has to be run for its logits, unless it was the last of its prefill.
    const runs = Math.max(run, found.length === keys.length && found.lastHidden !== undefined ? 0 : 1)
    const length = Math.min(found.length, keys.length - runs)
    if (length - known < fewestReused) return 0
    adopt(cache, found.cache, length)
    if (length === keys.length) cache.lastHidden = found.lastHidden?.slice()
    this.#counts.hits++
    this.#counts.reusedTokens += length - known
    return length - known
  }

  async #lastLogits({ lastHidden }: KVCache, { onProgress }: PlacedPrefillOptions): Promise<Float32Array> {
    if (lastHidden === undefined) throw new TypeError('Cannot predict after a cache as it does not know its last hidden state')
    const logits = await this.#decoder.logits(lastHidden)
    onProgress?.(1)
    return logits
  }

  /** Whether the tokens run in another arithmetic than few do. */
  #isLong(ids: readonly number[], { longRead }: PlacedPrefillOptions): boolean {
    if (longRead === undefined) return this.#decoder.isLongRead(ids.length)
    return longRead && this.#decoder.isLongRead(Infinity)
  }

  #insert(keys: readonly number[], cache: KVCache): void {
    this.#tree.insert(keys, cache.fork())
    for (;;) {
      this.#bytes = bytesOfBlocks(this.#tree.caches().flatMap((held) => (held instanceof BlockCache ? Array.from(held.blocks()) : [])))
      if (this.#bytes <= this.#budget || !this.#tree.evict()) return
    }
  }
}

/** The tokens of a cache that was only ever fed in order, as the tree tells them apart; undefined for any other. */
function knownKeys(cache: KVCache): readonly number[] | undefined {
  const { ids, longReads } = cache
  if (ids.includes(-1)) return undefined
  return Array.from(ids, (id, index) => keyOf(id, longReads[index] === 1))
}

/** The same token has other keys and values in another arithmetic, and so a place of its own in the tree. */
function keyOf(id: number, longRead: boolean): number {
  return 2 * id + (longRead ? 1 : 0)
}

function adopt(cache: KVCache, from: KVCache, length: number): void {
  if (!(cache instanceof BlockCache && from instanceof BlockCache)) {
    throw new TypeError('Cannot use the cache as it was not made by createCache of a decoder')
  }
  cache.adopt(from)
  cache.truncate(length)
}

function isIds(prefix: readonly number[] | KVCache): prefix is readonly number[] {
  return Array.isArray(prefix)
}
