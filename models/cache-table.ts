/** The caches that the worker keeps for handles in the program, by the numbers that the program gave them. */
import { type CachePolicy, type KVCache, type PrefixDecoder, prefillRetained, retain, sinksAndRecent, snapKv } from '../attention/index.ts'
import { readCacheFile, writeCacheFile } from './cache-file.ts'
import { cutPolicy, FULL_POLICY, isPartPolicy } from './homer-policy.ts'
import type {
  CacheIdentity,
  CacheSize,
  CallContext,
  DecoderSpec,
  ForkCacheCall,
  KeptTokens,
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

  async open({ decoder: spec, cache: id, ids, keep }: OpenCacheCall, context: CallContext): Promise<LoadedCache> {
    const decoder = await this.#decoder(spec, context.signal)
    if (keep === undefined) return { ...this.keep(id, await readWhole(decoder, ids, context)), policy: FULL_POLICY }
    const policy = POLICIES[keep.policy]()
    const read = policy.queries > 0 ? readAndCut : readAndSlide
    return { ...this.keep(id, await read(decoder, ids, policy, keep.tokens, context)), policy: cutPolicy(policy, keep.tokens) }
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
    // What was merged or cut down serves as what was read whole does; its settings are named, not demanded.
    const own = ({ policy }: CacheIdentity): CacheIdentity => (isPartPolicy(policy) ? { ...identity, policy } : identity)
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

const POLICIES: Readonly<Record<KeptTokens['policy'], () => CachePolicy>> = { snapkv: snapKv, 'sinks-and-recent': sinksAndRecent }

async function readWhole(decoder: PrefixDecoder, ids: readonly number[], context: CallContext): Promise<KVCache> {
  const cache = decoder.createCache()
  const longRead = decoder.isLongRead(ids.length)
  try {
    await eachSlice(ids, context, async (slice, onProgress) => {
      await decoder.prefill(slice, cache, { signal: context.signal, onProgress, longRead })
    })
    return cache
  } catch (error) {
    cache.dispose()
    throw error
  }
}

/** Reads all, and then keeps what the last tokens looked at. */
async function readAndCut(
  decoder: PrefixDecoder,
  ids: readonly number[],
  policy: CachePolicy,
  budget: number,
  { signal, progress }: CallContext,
): Promise<KVCache> {
  const { cache } = await prefillRetained(decoder, ids, { policy, budget, signal, onProgress: progress })
  return cache
}

/** Cuts the cache before each slice, so that positions never grow beyond a budget and a slice, however long the text. */
async function readAndSlide(
  decoder: PrefixDecoder,
  ids: readonly number[],
  policy: CachePolicy,
  budget: number,
  context: CallContext,
): Promise<KVCache> {
  let cache = decoder.createCache()
  const longRead = decoder.isLongRead(ids.length)
  const cut = (): void => {
    const whole = cache
    cache = retain(whole, policy, budget, decoder.config).cache
    whole.dispose()
  }
  try {
    await eachSlice(ids, context, async (slice, onProgress) => {
      await decoder.prefill(slice, cache, { signal: context.signal, onProgress, longRead })
      if (cache.length > budget) cut()
    })
    return cache
  } catch (error) {
    cache.dispose()
    throw error
  }
}

async function eachSlice(
  ids: readonly number[],
  { signal, progress, giveWay }: CallContext,
  read: (slice: readonly number[], onProgress: (share: number) => void) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < ids.length; at += tokensPerTurn) {
    const slice = ids.slice(at, at + tokensPerTurn)
    await read(slice, (share) => progress((at + share * slice.length) / ids.length))
    await giveWay()
  }
  signal.throwIfAborted()
}
