/** Several caches as one: side by side, or as their mean (HOMER, Song et al., ICLR 2024, arXiv 2404.10308, section 3.2). */
import { blockCache, cacheOf, filledLayers } from './cache-rows.ts'
import type { CacheRows, KVCache } from './decoder.ts'
import type { BlockCache } from './kv-cache.ts'

/**
 * The tokens of all caches one after the other. Positions and sources stay, so that they may repeat: see `repositionCache` for others. `lastHidden`
 * is the last cache's.
 *
 * @throws RangeError when there are none, or their shapes or filled layers differ
 */
export function concatCaches(caches: readonly KVCache[]): KVCache {
  const { first, all, filled } = alike('concatenate', caches)
  const placement = {
    positions: joinIntegers(all.map((cache) => cache.positions)),
    sources: joinIntegers(all.map((cache) => cache.sources)),
  }
  const result = cacheOf(first, filled, placement, (layer) => {
    const rows = all.map((cache) => (cache.length === 0 ? emptyRows : cache.exportRows(layer)))
    return { keys: joinFloats(rows.map(({ keys }) => keys)), values: joinFloats(rows.map(({ values }) => values)) }
  })
  result.lastHidden = all.findLast((cache) => cache.length > 0)?.lastHidden?.slice()
  return result
}

/**
 * The element-wise mean of caches of equal positions, such as the copies of one prefix: keys may be averaged as they carry the same rotation. A
 * token's source is kept where the caches agree about it and is -1 where they do not; `lastHidden` is the mean where all know theirs.
 *
 * @throws RangeError when there are none, or their shapes, filled layers or positions differ
 */
export function averageCaches(caches: readonly KVCache[]): KVCache {
  const { first, all, filled } = alike('average', caches)
  const { positions, sources } = first
  for (const cache of all) {
    const other = cache.positions
    const differs = cache.length === first.length ? other.findIndex((position, index) => position !== positions[index]) : 0
    if (differs >= 0) {
      throw new RangeError(
        `Cannot average caches of ${first.length} and ${cache.length} tokens as position ${positions[differs]} is not ${other[differs]} at token ${differs}. Reposition one first`,
      )
    }
  }
  const allSources = all.map((cache) => cache.sources)
  const agreed = sources.map((source, index) => (allSources.every((other) => other[index] === source) ? source : -1))
  const result = cacheOf(first, filled, { positions, sources: agreed }, (layer) => {
    const rows = all.map((cache) => cache.exportRows(layer))
    return { keys: mean(rows.map(({ keys }) => keys)), values: mean(rows.map(({ values }) => values)) }
  })
  const hidden = all.flatMap(({ lastHidden }) => (lastHidden === undefined ? [] : [lastHidden]))
  if (hidden.length === all.length) result.lastHidden = mean(hidden)
  return result
}

const emptyRows: CacheRows = { keys: new Float32Array(0), values: new Float32Array(0) }

function alike(action: string, caches: readonly KVCache[]): { first: BlockCache; all: readonly BlockCache[]; filled: number } {
  const all = caches.map((cache) => blockCache(action, cache))
  const [first] = all
  if (first === undefined) throw new RangeError(`Cannot ${action} caches as there are none`)
  const filled = new Set(all.filter(({ length }) => length > 0).map((cache) => filledLayers(action, cache)))
  if (filled.size > 1)
    throw new RangeError(`Cannot ${action} caches as they have different numbers of filled layers: ${[...filled].join(', ')}`)
  const [layers = 0] = filled
  for (const { shape } of all) {
    if (shape.layers !== first.shape.layers || shape.kvHeads !== first.shape.kvHeads || shape.headDim !== first.shape.headDim) {
      throw new RangeError(`Cannot ${action} caches as their shapes differ: ${sizes(shape)} and ${sizes(first.shape)}`)
    }
  }
  return { first, all, filled: layers }
}

function sizes({ layers, kvHeads, headDim }: BlockCache['shape']): string {
  return `${layers} layers of ${kvHeads} x ${headDim}`
}

function joinIntegers(parts: readonly Int32Array[]): Int32Array {
  return joinInto(new Int32Array(parts.reduce((sum, part) => sum + part.length, 0)), parts)
}

function joinFloats(parts: readonly Float32Array[]): Float32Array {
  return joinInto(new Float32Array(parts.reduce((sum, part) => sum + part.length, 0)), parts)
}

function joinInto<Values extends Float32Array | Int32Array>(result: Values, parts: readonly Values[]): Values {
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}

function mean(parts: readonly Float32Array[]): Float32Array {
  const [first = new Float32Array(0)] = parts
  return first.map((_, index) => {
    let sum = 0
    for (const part of parts) sum += part[index] as number
    return sum / parts.length
  })
}
