import type { StoredForm } from './cache-header.ts'
import type { Likelihood, LikelihoodOptions } from './likelihood-model.ts'
import type { CacheOrigin } from './local-protocol.ts'

/** What is scored after a cached text. */
export interface CacheQuery {
  /** Text between the cached text and the scored one; none by default. */
  readonly prefix?: string
  /** Text whose tokens are scored. */
  readonly text: string
}

/** How a cache is written. */
export interface SaveCacheOptions extends CacheOrigin {
  /** `float32`, which loses nothing, by default; `int8` and `int4` are a quarter and an eighth as long and give nearly the same scores. */
  readonly form?: StoredForm
}

/**
 * A text that a local model has read: its keys and values wait in the model's worker, so that what follows the text is computed without reading
 * it again. It belongs to its model and is freed with it. Once disposed of, every method but `dispose` rejects with a TypeError.
 */
export interface CacheHandle {
  /** What it holds, in a word that nothing else has; forks hold the same. */
  readonly key: string
  /** Tokens of the text, or those that were kept of it. */
  readonly tokens: number
  /** Bytes of the keys and values; what forks share is counted for each. */
  readonly bytes: number
  /** Another handle of the same text, which lives on its own; the rows are shared. */
  fork(): Promise<CacheHandle>
  /**
   * log P(text | cached text, prefix) for each query, in order. The cache does not change. Cached text, prefix and text are each tokenised on
   * their own.
   *
   * @throws ContextOverflowError when cached text, prefix and text do not fit the window
   */
  logProbs(queries: readonly CacheQuery[], options?: LikelihoodOptions): Promise<Likelihood[]>
  /**
   * Writes the cache to a file for `loadCache` of the same model: about `bytes` long, or a quarter or an eighth of it in few bits. A file at `path` is replaced as a whole or not at all.
   *
   * @throws ModelFileError when it cannot be written
   */
  save(path: string, options?: SaveCacheOptions): Promise<void>
  /** Frees the cache, after the calls under way. */
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
