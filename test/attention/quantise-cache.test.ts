import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Decoder, KVCache } from '../../attention/index.ts'
import { BlockCache } from '../../attention/kv-cache.ts'
import { type CacheForm, quantiseCache } from '../../attention/quantise-cache.ts'
import { openTiny, someIds } from './open-tiny.ts'
import { tiny } from './tiny-model.ts'

const forms: readonly (readonly [CacheForm, number])[] = [
  ['int8', 255],
  ['int4', 15],
]

describe('quantiseCache()', () => {
  let decoder: Decoder
  let cache: KVCache
  beforeAll(async () => {
    decoder = (await openTiny()).decoder
    cache = decoder.createCache()
    await decoder.prefill(someIds(301), cache)
  })
  afterAll(() => decoder.dispose())

  test.each(forms)('keeps every value within half a step in %s', (form, steps) => {
    const restored = quantiseCache(cache, form).dequantise()
    const width = tiny.kvHeads * tiny.headDim
    for (let layer = 0; layer < tiny.layers; layer++) {
      const [before, after] = [cache.exportRows(layer), restored.exportRows(layer)]
      for (let channel = 0; channel < width; channel++) {
        for (let start = 0; start < 301; start += 128) {
          const places = Array.from({ length: Math.min(128, 301 - start) }, (_, token) => (start + token) * width + channel)
          expectWithin(before.keys, after.keys, places, steps)
        }
      }
      for (let from = 0; from < before.values.length; from += tiny.headDim) {
        const places = Array.from({ length: tiny.headDim }, (_, unit) => from + unit)
        expectWithin(before.values, after.values, places, steps)
      }
    }
  })

  test.each(forms)('keeps positions, sources and the last hidden row in %s', (form) => {
    const stored = quantiseCache(cache, form)
    const restored = stored.dequantise()
    expect([restored.positions, restored.sources, restored.lastHidden]).toEqual([cache.positions, cache.sources, cache.lastHidden])
    expect(stored.length).toBe(301)
  })

  test('takes the bytes that the shapes give', () => {
    const values = tiny.layers * 2 * 301 * tiny.kvHeads * tiny.headDim
    const bounds = tiny.layers * 8 * (3 * tiny.kvHeads * tiny.headDim + 301 * tiny.kvHeads)
    expect(quantiseCache(cache, 'int8').bytes).toBe(values + bounds)
    expect(quantiseCache(cache, 'int4').bytes).toBe(values / 2 + bounds)
  })

  test('predicts nearly what the cache predicts', async () => {
    const exact = await decoder.prefill([5], cache.fork())
    const distance = async (form: CacheForm): Promise<number> => {
      const found = await decoder.prefill([5], quantiseCache(cache, form).dequantise())
      return Math.sqrt(found.reduce((sum, value, index) => sum + (value - (exact[index] ?? NaN)) ** 2, 0) / exact.length)
    }
    const [eight, four] = [await distance('int8'), await distance('int4')]
    expect(eight).toBeLessThan(0.1)
    expect(four).toBeGreaterThan(eight)
    expect(four).toBeLessThan(1)
  })

  test('keeps what is constant exactly, and layers empty that have not run', () => {
    const flat = new BlockCache({ layers: 2, kvHeads: 1, headDim: 4 })
    flat.importRows(0, { keys: new Float32Array(12).fill(3), values: new Float32Array(12).fill(-7) }, Int32Array.of(0, 1, 2))
    const restored = quantiseCache(flat, 'int4').dequantise()
    expect(restored.exportRows(0)).toEqual(flat.exportRows(0))
    expect([restored.layerLength(0), restored.layerLength(1)]).toEqual([3, 0])
  })

  test('cannot be used once disposed of', () => {
    const stored = quantiseCache(cache, 'int8')
    stored[Symbol.dispose]()
    expect(stored.bytes).toBe(0)
    expect(() => stored.dequantise()).toThrow('disposed of')
  })
})

/** Values at `places`, which share their bounds, lie within half a step of what they were. */
function expectWithin(before: Float32Array, after: Float32Array, places: readonly number[], steps: number): void {
  const own = places.map((place) => before[place] ?? NaN)
  const half = (Math.max(...own) - Math.min(...own)) / steps / 2
  const worst = Math.max(...places.map((place) => Math.abs((before[place] ?? NaN) - (after[place] ?? NaN))))
  if (!(worst <= half * 1.001 + 1e-6)) expect(worst).toBeLessThanOrEqual(half)
}
