/** What the operations on caches have in common: they read rows of whole caches and write new ones; what they are given never changes. */
import type { CacheRows, KVCache } from './decoder.ts'
import { BlockCache } from './kv-cache.ts'

/** Where each token of a new cache stands and came from. */
export interface Placement {
  readonly positions: Int32Array
  readonly sources: Int32Array
}

/** @throws TypeError when it is not a cache of this program, or was disposed of */
export function blockCache(action: string, cache: KVCache): BlockCache {
  if (cache instanceof BlockCache) return cache
  throw new TypeError(`Cannot ${action} a cache as it was not made by createCache of a decoder`)
}

/**
 * Layers that hold the tokens: the first `filled` hold all of them, the rest none, as in a cache whose upper layers have not run.
 *
 * @throws RangeError when a layer holds some of the tokens only
 */
export function filledLayers(action: string, cache: BlockCache): number {
  const { layers } = cache.shape
  let filled = 0
  while (filled < layers && cache.layerLength(filled) === cache.length) filled++
  if (cache.length === 0) return 0
  for (let layer = filled; layer < layers; layer++) {
    const tokens = cache.layerLength(layer)
    if (tokens !== 0) {
      throw new RangeError(
        `Cannot ${action} a cache as layer ${layer} holds ${tokens} of its ${cache.length} tokens: finish or truncate it`,
      )
    }
  }
  return filled
}

/** A cache of `filled` layers with the rows that `rowsOf` gives for each. */
export function cacheOf(cache: BlockCache, filled: number, placement: Placement, rowsOf: (layer: number) => CacheRows): BlockCache {
  const result = new BlockCache(cache.shape)
  const { positions, sources } = placement
  for (let layer = 0; layer < filled; layer++) result.importRows(layer, rowsOf(layer), positions, sources)
  return result
}

/** Values of one token in one layer's keys: kvHeads × headDim. */
export function rowWidth({ shape: { kvHeads, headDim } }: BlockCache): number {
  return kvHeads * headDim
}
