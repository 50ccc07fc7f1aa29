/** The caches that the worker keeps for handles in the program, by the numbers that the program gave them. */
import type { KVCache, PrefixDecoder } from '../attention/index.ts'
import { readCacheFile, writeCacheFile } from './cache-file.ts'
import { isMergePolicy } from './homer-policy.ts'
import type {
  CacheIdentity,
  CacheSize,
  CallContext,
  DecoderSpec,
  ForkCacheCall,
  LoadCacheCall,
  LoadedCache,
  OpenCacheCall,
  SaveCacheCall,
} from './local-protocol.ts'

/** Tokens prefilled between two looks at the queue: what a decoder runs together. */
const tokensPerTurn = 512

export class CacheTable {
  readonly #caches = new Map<number, KVCache>()
  readonly #decoder: (spec: DecoderSpec, signal: AbortSignal) => Promise<PrefixDecoder>

  constructor(decoder: (spec: DecoderSpec, signal: AbortSignal) => Promise<PrefixDecoder>) {
    this.#decoder = decoder
  }

  /** @throws TypeError when there is none: its worker has ended, or it was closed */
  get(id: number): KVCache {
    const cache = this.#caches.get(id)
    if (cache === undefined) throw new TypeError(`Cannot use a cache as the worker that held it has ended: cache ${id}. Open it again`)
    return cache
  }

  async open({ decoder: spec, cache: id, ids }: OpenCacheCall, { signal, progress, giveWay }: CallContext): Promise<CacheSize> {
    const decoder = await this.#decoder(spec, signal)
    const cache = decoder.createCache()
    const longRead = decoder.isLongRead(ids.length)
    try {
      for (let at = 0; at < ids.length; at += tokensPerTurn) {
        const slice = ids.slice(at, at + tokensPerTurn)
        const onProgress = (share: number): void => progress((at + share * slice.length) / ids.length)
        await decoder.prefill(slice, cache, { signal, onProgress, longRead })
        await giveWay()
      }
      signal.throwIfAborted()
    } catch (error) {
      cache.dispose()
      throw error
    }
    return this.keep(id, cache)
  }

  fork({ cache: id, fork }: ForkCacheCall): CacheSize {
    return this.keep(fork, this.get(id).fork())
  }

  async save({ cache: id, identity, path, form }: SaveCacheCall): Promise<undefined> {
    await writeCacheFile(path, `${path}.${process.pid}-${id}.tmp`, { cache: this.get(id) }, identity, form)
    return undefined
  }

  async load({ decoder: spec, cache: id, identity, path }: LoadCacheCall, context: CallContext): Promise<LoadedCache> {
    let decoder: PrefixDecoder | undefined
    const create = async (): Promise<KVCache> => (decoder = await this.#decoder(spec, context.signal)).createCache()
    // What was merged serves as what was read whole does; its settings are named, not demanded.
    const own = ({ policy }: CacheIdentity): CacheIdentity => (isMergePolicy(policy) ? { ...identity, policy } : identity)
    const { cache, header } = await readCacheFile(path, own, create, context)
    decoder?.keep(cache)
    return { ...this.keep(id, cache), policy: header.policy }
  }

  /** Frees caches; numbers without one are passed over. */
  close(ids: Iterable<number>): undefined {
    for (const id of ids) {
      this.#caches.get(id)?.dispose()
      this.#caches.delete(id)
    }
    return undefined
  }

  dispose(): void {
    this.close([...this.#caches.keys()])
  }

  /** Takes up a cache under a number. */
  keep(id: number, cache: KVCache): CacheSize {
    this.#caches.set(id, cache)
    return { tokens: cache.length, bytes: cache.bytes }
  }
}
