/** The caches of one local model: the near side of the worker's table. */
import { randomUUID } from 'node:crypto'
import { checkWindow } from '../attention/index.ts'
import type { CacheHandle, CacheQuery } from './cache-handle.ts'
import type { StoredForm } from './cache-header.ts'
import { encodeStart } from './encode-start.ts'
import type { LikelihoodOptions } from './likelihood-model.ts'
import type { EngineCallOptions, LocalEngine } from './local-engine.ts'
import type { LocalModelParts } from './local-model-parts.ts'
import { FULL_POLICY } from './homer-policy.ts'
import type { CacheIdentity, CacheOrigin, CacheSize, KeptTokens, ScoreItem } from './local-protocol.ts'
import { releasePriority } from './shared-engine.ts'
import { type CacheOwner, WorkerCache } from './worker-cache.ts'

/** Numbers are never given twice in a process, so that a handle never meets a cache of a later worker or of another model. */
let lastCache = 0

export interface OpenedCache extends CacheSize {
  /** What chose its tokens; `full` by default. */
  readonly policy?: string
  /** Key of the cache that it is a fork of. */
  readonly key?: string
}

/** What is known of an open cache. */
interface KnownCache {
  /** What chose its tokens. */
  readonly policy: string
  readonly key: string
}

export class ModelCaches implements CacheOwner {
  readonly model: string
  readonly #parts: LocalModelParts
  readonly #open = new Map<number, KnownCache>()
  #disposed = false

  constructor(parts: LocalModelParts) {
    this.model = parts.id
    this.#parts = parts
  }

  has(id: number): boolean {
    return this.#open.has(id)
  }

  async open(text: string, { keep, ...options }: EngineCallOptions & { readonly keep?: KeptTokens | undefined }): Promise<CacheHandle> {
    const { spec, tokenizer, config } = this.#parts
    const ids = encodeStart(tokenizer, text)
    if (text === '' || ids.length === 0) throw new RangeError('Cannot open a cache as its text is empty')
    if (keep !== undefined) checkKept(keep, config.window)
    if (keep?.policy !== 'sinks-and-recent') checkWindow('Cannot open a cache', { text: ids.length }, config.window)
    const call = { decoder: spec, ids, ...(keep !== undefined && { keep }) }
    return this.keep(options, (cache, own) => this.#engine.call('openCache', { ...call, cache }, own))
  }

  /** The number of an open cache of this model, which `handle` stands for. */
  numberOf(handle: CacheHandle): number {
    if (handle instanceof WorkerCache) return handle.numberIn(this)
    throw new TypeError(`Cannot use a cache as it is no handle of a local model: ${typeof handle}. Open it with openCache`)
  }

  async load(path: string, options: EngineCallOptions): Promise<CacheHandle> {
    const { spec } = this.#parts
    const identity = this.identity(FULL_POLICY)
    return this.keep(options, (cache, own) => this.#engine.call('loadCache', { decoder: spec, cache, identity, path }, own))
  }

  async fork(id: number): Promise<CacheHandle> {
    const known = this.#open.get(id)
    return this.keep({}, async (fork, own) => ({ ...(await this.#engine.call('forkCache', { cache: id, fork }, own)), ...known }))
  }

  async score(id: number, tokens: number, queries: readonly CacheQuery[], options: LikelihoodOptions): Promise<Float32Array[]> {
    options.signal?.throwIfAborted()
    const items = queries.map((query) => this.#scoreItem(tokens, query))
    if (items.length === 0) return []
    return this.#engine.call('score', { decoder: this.#parts.spec, items, after: id }, { ...options, model: this.model })
  }

  async save(id: number, path: string, form: StoredForm, origin: CacheOrigin): Promise<void> {
    const identity = { ...this.identity(this.#open.get(id)?.policy ?? FULL_POLICY), ...origin }
    await this.#engine.call('saveCache', { cache: id, identity, path, form }, { model: this.model })
  }

  async close(id: number): Promise<void> {
    if (this.#open.delete(id)) await this.#free([id])
  }

  /** Ends the use of all caches, those still being opened included; gives the way to free them where the worker goes on living. */
  end(): () => Promise<void> {
    const ids = [...this.#open.keys()]
    this.#open.clear()
    this.#disposed = true
    return () => this.#free(ids)
  }

  get #engine(): LocalEngine {
    return this.#parts.hold.engine
  }

  /** A handle of the cache that `open` leaves in the worker under the number it is given. */
  async keep(options: EngineCallOptions, open: (id: number, options: EngineCallOptions) => Promise<OpenedCache>): Promise<CacheHandle> {
    const id = ++lastCache
    const size = await open(id, { ...options, model: this.model }).catch(async (error: unknown) => {
      // It may have been opened in the moment of the abort.
      if (options.signal?.aborted === true) void this.#free([id])
      throw error
    })
    if (this.#disposed) {
      await this.#free([id])
      throw new TypeError(`Cannot open a cache as its model was disposed meanwhile: ${this.model}. Open the model again`)
    }
    const { policy = FULL_POLICY, key = randomUUID() } = size
    this.#open.set(id, { policy, key })
    return new WorkerCache(id, { ...size, key }, this)
  }

  async #free(ids: readonly number[]): Promise<void> {
    const engine = this.#engine
    if (ids.length === 0 || !engine.running) return
    // Closing fails only where the worker ends first, which frees them too.
    await engine.call('closeCaches', ids, { priority: releasePriority, model: this.model }).catch(() => {})
  }

  /** What the file of a cache says of itself. */
  identity(policy: string): CacheIdentity {
    const { weightForm, layers, hidden, kvHeads, headDim, ropeForm: rope } = this.#parts.config
    return { model: this.model, weightForm, layers, hidden, kvHeads, headDim, rope, policy }
  }

  #scoreItem(cache: number, { prefix = '', text }: CacheQuery): ScoreItem {
    const { tokenizer, config } = this.#parts
    const item = { prefix: tokenizer.encode(prefix), text: tokenizer.encode(text) }
    checkWindow('Cannot score a text', { cache, prefix: item.prefix.length, text: item.text.length }, config.window)
    return item
  }
}

/** Tokens of a slice have to fit beside the kept ones. */
const slideRoom = 512

function checkKept({ policy, tokens }: KeptTokens, window: number): void {
  if (policy !== 'snapkv' && policy !== 'sinks-and-recent')
    throw new TypeError(`Cannot cut a cache by an unknown policy: ${JSON.stringify(policy)}. There are snapkv and sinks-and-recent`)
  if (!Number.isInteger(tokens) || tokens < 1)
    throw new RangeError(`Cannot cut a cache to ${tokens} tokens as that is no whole number from 1`)
  if (policy === 'sinks-and-recent') checkWindow('Cannot slide a cache along a text', { kept: tokens, slice: slideRoom }, window)
}
