/** Closed blocks of caches on the device: uploaded once, as they never change, and freed when the last cache that used them is disposed of. */
import { buildUploadGraph } from './gpu-attention-graph.ts'
import type { CacheBlock } from './cache-block.ts'
import type { BlockCache } from './kv-cache.ts'
import type { OnnxSession, OnnxTensor } from './runtime.ts'
import type { SessionPool } from './session-pool.ts'

/** Keys and values of a block on the device. */
export interface GpuBlock {
  readonly keys: OnnxTensor
  readonly values: OnnxTensor
}

interface Kept {
  readonly tensors: Promise<GpuBlock>
  readonly holders: Set<BlockCache>
}

export class GpuBlocks {
  readonly #pool: SessionPool
  readonly #kept = new Map<CacheBlock, Kept>()
  readonly #watched = new WeakSet<BlockCache>()
  #upload: Promise<OnnxSession> | undefined

  constructor(pool: SessionPool) {
    this.#pool = pool
  }

  /** The block on the device, until `cache` and all others that asked for it are disposed of. */
  get(block: CacheBlock, cache: BlockCache): Promise<GpuBlock> {
    const kept = this.#kept.get(block) ?? { tensors: this.#copy(block, cache), holders: new Set() }
    this.#kept.set(block, kept)
    kept.holders.add(cache)
    if (!this.#watched.has(cache)) {
      this.#watched.add(cache)
      cache.onDispose(() => this.#leave(cache))
    }
    return kept.tensors
  }

  /** Frees all blocks, whoever holds them. */
  dispose(): void {
    for (const block of this.#kept.keys()) this.#free(block)
  }

  #leave(cache: BlockCache): void {
    for (const [block, { holders }] of this.#kept) {
      if (holders.delete(cache) && holders.size === 0) this.#free(block)
    }
  }

  #free(block: CacheBlock): void {
    const kept = this.#kept.get(block)
    this.#kept.delete(block)
    // A run that was given the block may not have ended.
    kept?.tensors.then(({ keys, values }) => this.#pool.afterRuns(() => (keys.dispose(), values.dispose()))).catch(() => undefined)
  }

  async #copy({ keys, values, capacity }: CacheBlock, { shape: { kvHeads, headDim } }: BlockCache): Promise<GpuBlock> {
    this.#upload ??= this.#pool.open(buildUploadGraph(), { keepsOutputs: true })
    const session = await this.#upload
    const copy = async (data: Float32Array): Promise<OnnxTensor> => {
      const x = this.#pool.floats(data, [kvHeads, capacity, headDim])
      return (await this.#pool.tensors(session, { x }, ['y'])).y
    }
    return { keys: await copy(keys), values: await copy(values) }
  }
}
