import type { CacheHandle, CacheQuery, SaveCacheOptions } from './cache-handle.ts'
import type { StoredForm } from './cache-header.ts'
import { type Likelihood, likelihoodOf, type LikelihoodOptions } from './likelihood-model.ts'
import type { CacheOrigin, CacheSize } from './local-protocol.ts'

/** What handles are made of: a model's caches, by number. */
export interface CacheOwner {
  /** Id of the model. */
  readonly model: string
  /** Whether there is a cache `id` that has not been closed. */
  has(id: number): boolean
  fork(id: number): Promise<CacheHandle>
  /** log P of each token of each query's text, after the `tokens` that the cache holds. */
  score(id: number, tokens: number, queries: readonly CacheQuery[], options: LikelihoodOptions): Promise<Float32Array[]>
  save(id: number, path: string, form: StoredForm, origin: CacheOrigin): Promise<void>
  /** Frees a cache; one that was closed before is passed over. */
  close(id: number): Promise<void>
}

/** A handle of a cache in the worker. */
export class WorkerCache implements CacheHandle {
  readonly key: string
  readonly tokens: number
  readonly bytes: number
  readonly #id: number
  readonly #caches: CacheOwner
  #disposed: Promise<void> | undefined

  constructor(id: number, { key, tokens, bytes }: CacheSize & { readonly key: string }, caches: CacheOwner) {
    this.#id = id
    this.key = key
    this.tokens = tokens
    this.bytes = bytes
    this.#caches = caches
  }

  /**
   * Its number among those of `caches`.
   *
   * @throws TypeError when it or its model is disposed, or it is of another model
   */
  numberIn(caches: CacheOwner): number {
    const owner = this.#owner()
    if (owner === caches) return this.#id
    throw new TypeError(`Cannot use a cache of ${owner.model} with another model: ${caches.model}. Open it with that model`)
  }

  async fork(): Promise<CacheHandle> {
    return this.#owner().fork(this.#id)
  }

  async logProbs(queries: readonly CacheQuery[], options: LikelihoodOptions = {}): Promise<Likelihood[]> {
    const scores = await this.#owner().score(this.#id, this.tokens, queries, options)
    return scores.map((tokens) => likelihoodOf([...tokens]))
  }

  async save(path: string, { form = 'float32', ...origin }: SaveCacheOptions = {}): Promise<void> {
    await this.#owner().save(this.#id, path, form, origin)
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#caches.close(this.#id)
    return this.#disposed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  /** @throws TypeError when the cache or its model is disposed */
  #owner(): CacheOwner {
    if (this.#disposed === undefined && this.#caches.has(this.#id)) return this.#caches
    throw new TypeError(
      `Cannot use a cache as it is disposed: cache ${this.#id} (${this.tokens} tokens) of ${this.#caches.model}. Open it again`,
    )
  }
}
