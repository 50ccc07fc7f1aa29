import { describe, expect, it } from 'vitest'
import { blockTokens } from '../../attention/cache-block.ts'
import { BlockCache } from '../../attention/kv-cache.ts'

const shape = { layers: 2, kvHeads: 2, headDim: 3 }
const width = shape.kvHeads * shape.headDim

/** A cache of `tokens`, each layer's values told apart from each other's. */
function filled(tokens: number): BlockCache {
  const cache = new BlockCache(shape)
  for (let layer = 0; layer < shape.layers; layer++) {
    const keys = Float32Array.from({ length: tokens * width }, (_, index) => layer * 1e5 + index)
    const negative = keys.map((value) => -value)
    cache.append(
      layer,
      keys,
      negative,
      Int32Array.from({ length: tokens }, (_, index) => index),
    )
  }
  return cache
}

describe('rows of a cache', () => {
  it.each([1, 70, blockTokens, blockTokens + 5, 3 * blockTokens + 100])('come out token by token, %i of them', (tokens) => {
    const { keys, values } = filled(tokens).exportRows(1)
    expect(keys).toEqual(Float32Array.from({ length: tokens * width }, (_, index) => 1e5 + index))
    expect(values).toEqual(keys.map((value) => -value))
  })

  it('are those that were kept when it was cut back into a full block', () => {
    const cache = filled(2 * blockTokens)
    cache.truncate(blockTokens + 7)
    expect(cache.exportRows(0).keys).toEqual(Float32Array.from({ length: (blockTokens + 7) * width }, (_, index) => index))
  })

  it('make the same cache elsewhere, which is not tied to the first', () => {
    const cache = filled(blockTokens + 5)
    const copy = new BlockCache(shape)
    for (let layer = 0; layer < shape.layers; layer++) copy.importRows(layer, cache.exportRows(layer), cache.positions)
    expect(copy.positions).toEqual(cache.positions)
    const before = copy.exportRows(1)
    cache.dispose()
    expect(copy.exportRows(1)).toEqual(before)
    expect(before.keys[0]).toBe(1e5)
  })

  it('are refused where they are not one for each position', () => {
    const rows = filled(3).exportRows(0)
    expect(() => new BlockCache(shape).importRows(0, rows, Int32Array.of(0, 1))).toThrow(/18 keys and 18 values are not the 12/)
  })

  it('of a cache that was disposed of cannot be had', () => {
    const cache = filled(3)
    cache.dispose()
    expect(() => cache.exportRows(0)).toThrow(TypeError)
  })
})
