/** Parts of caches: some of the tokens, in every layer alike. Keys keep their rotation, so that a part attends as it did in the whole. */
import { blockCache, cacheOf, filledLayers, rowWidth } from './cache-rows.ts'
import type { KVCache } from './decoder.ts'

/**
 * Tokens `[from, to)` of a cache, with their positions and sources. A start of the cache shares its blocks with it.
 *
 * @throws RangeError when the bounds are not whole numbers in order within the cache
 */
export function sliceCache(cache: KVCache, from: number, to: number = cache.length): KVCache {
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || from > to || to > cache.length) {
    throw new RangeError(`Cannot slice a cache of ${cache.length} tokens from ${from} to ${to}`)
  }
  if (from > 0)
    return pick(
      'slice',
      cache,
      Array.from({ length: to - from }, (_, index) => from + index),
    )
  const start = cache.fork()
  start.truncate(to)
  return start
}

/**
 * The tokens that `kept` names, by their indices in rising order or by a mask with one entry a token. `lastHidden` is known where the last
 * token is kept.
 *
 * @throws RangeError when the mask is not as long as the cache, or the indices do not rise within it
 */
export function keepCache(cache: KVCache, kept: readonly boolean[] | readonly number[] | Int32Array): KVCache {
  return pick('keep tokens of', cache, indicesOf(cache.length, kept))
}

function indicesOf(length: number, kept: readonly boolean[] | readonly number[] | Int32Array): number[] {
  const isMask = kept.length > 0 && typeof kept[0] === 'boolean'
  if (isMask && kept.length !== length) throw new RangeError(`Cannot keep tokens by a mask of ${kept.length} as the cache holds ${length}`)
  const indices = isMask ? [...kept.keys()].filter((index) => kept[index] === true) : Array.from(kept as ArrayLike<number>)
  let before = -1
  for (const index of indices) {
    if (!Number.isInteger(index) || index <= before || index >= length) {
      throw new RangeError(
        `Cannot keep token ${index} after token ${before} as indices are whole numbers that rise from 0 to ${length - 1}`,
      )
    }
    before = index
  }
  return indices
}

function pick(action: string, cache: KVCache, kept: readonly number[]): KVCache {
  const whole = blockCache(action, cache)
  const filled = filledLayers(action, whole)
  const width = rowWidth(whole)
  const { positions, sources } = whole
  const placement = { positions: pickRows(positions, kept, 1), sources: pickRows(sources, kept, 1) }
  const result = cacheOf(whole, filled, placement, (layer) => {
    const { keys, values } = whole.exportRows(layer)
    return { keys: pickRows(keys, kept, width), values: pickRows(values, kept, width) }
  })
  if (kept.length > 0 && kept.at(-1) === whole.length - 1) result.lastHidden = whole.lastHidden?.slice()
  return result
}

function pickRows<Values extends Float32Array | Int32Array>(values: Values, kept: readonly number[], width: number): Values {
  const result = (values instanceof Int32Array ? new Int32Array(kept.length * width) : new Float32Array(kept.length * width)) as Values
  for (const [place, index] of kept.entries()) result.set(values.subarray(index * width, (index + 1) * width), place * width)
  return result
}
