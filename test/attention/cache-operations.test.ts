import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CacheRows, Decoder, KVCache } from '../../attention/index.ts'
import { averageCaches, concatCaches } from '../../attention/join-caches.ts'
import { keepCache, sliceCache } from '../../attention/keep-cache.ts'
import { BlockCache } from '../../attention/kv-cache.ts'
import { type KeyRotation, repositionCache, rotationOf } from '../../attention/reposition-cache.ts'
import { farthest, openTiny, someIds } from './open-tiny.ts'
import { tiny } from './tiny-model.ts'

const shape = { layers: 3, kvHeads: 2, headDim: 4 }
const width = shape.kvHeads * shape.headDim

/** A cache whose first `filled` layers hold `count` tokens, with values that tell layer, token and place. */
function made(
  count: number,
  { filled = shape.layers, first = 0, sources }: { filled?: number; first?: number; sources?: number[] } = {},
): BlockCache {
  const cache = new BlockCache(shape)
  const positions = Int32Array.from({ length: count }, (_, index) => first + index)
  for (let layer = 0; layer < filled; layer++) {
    const keys = Float32Array.from({ length: count * width }, (_, index) => layer * 1e4 + first * 100 + index)
    cache.importRows(layer, { keys, values: keys.map((value) => -1 - value) }, positions, sources && Int32Array.from(sources))
  }
  cache.lastHidden = Float32Array.of(count, first)
  return cache
}

/** What a cache holds, to be compared. */
function contents(cache: KVCache): { positions: number[]; sources: number[]; layers: CacheRows[]; lastHidden: Float32Array | undefined } {
  const layers = Array.from({ length: shape.layers }, (_, layer) => cache.exportRows(layer))
  return { positions: [...cache.positions], sources: [...cache.sources], layers, lastHidden: cache.lastHidden }
}

describe('sources of a cache', () => {
  test('count on in the order of feeding, after those that were told', () => {
    const cache = made(3, { sources: [7, -1, 2] })
    cache.append(0, new Float32Array(width), new Float32Array(width), Int32Array.of(3))
    expect([...cache.sources]).toEqual([7, -1, 2, 8])
    cache.truncate(1)
    expect([...cache.fork().sources]).toEqual([7])
  })

  test('are refused for tokens that are not there', () => {
    expect(() => made(3).setSources(2, Int32Array.of(1, 2))).toThrow(RangeError)
    const rows = made(2).exportRows(0)
    expect(() => new BlockCache(shape).importRows(0, rows, Int32Array.of(0, 1), Int32Array.of(0))).toThrow(RangeError)
  })
})

describe('keepCache()', () => {
  test.each([
    ['indices', [0, 2, 5]],
    ['a mask', [true, false, true, false, false, true]],
  ])('keeps the tokens of %s in every layer, in order, with positions and sources', (_, kept) => {
    const cache = made(6, { first: 10, sources: [3, 4, 5, 6, 7, 8] })
    const before = contents(cache)
    const part = keepCache(cache, kept)
    expect([...part.positions]).toEqual([10, 12, 15])
    expect([...part.sources]).toEqual([3, 5, 8])
    for (let layer = 0; layer < shape.layers; layer++) {
      const rows = part.exportRows(layer)
      for (const [place, index] of [0, 2, 5].entries()) {
        const expected = before.layers[layer]?.keys.subarray(index * width, (index + 1) * width)
        expect(rows.keys.subarray(place * width, (place + 1) * width)).toEqual(expected)
        expect(rows.values.subarray(place * width, (place + 1) * width)).toEqual(expected?.map((value) => -1 - value))
      }
    }
    expect(part.lastHidden).toEqual(cache.lastHidden)
    expect(contents(cache)).toEqual(before)
  })

  test('knows the last hidden row no more without the last token', () => {
    expect(keepCache(made(4), [0, 1]).lastHidden).toBeUndefined()
    expect(keepCache(made(4), []).length).toBe(0)
  })

  test('leaves layers empty that have not run, and refuses those that are half done', () => {
    const part = keepCache(made(4, { filled: 2 }), [1, 3])
    expect([0, 1, 2].map((layer) => part.layerLength(layer))).toEqual([2, 2, 0])
    const cache = made(4, { filled: 2 })
    cache.append(2, new Float32Array(width), new Float32Array(width), Int32Array.of(0))
    expect(() => keepCache(cache, [0])).toThrow('layer 2 holds 1 of its 4 tokens')
  })

  test.each([[[2, 1]], [[1, 1]], [[4]], [[-1]], [[0.5]], [[true]]])('refuses %j of 4 tokens', (kept) => {
    expect(() => keepCache(made(4), kept as number[])).toThrow(RangeError)
  })
})

describe('sliceCache()', () => {
  test.each([
    [0, 600],
    [0, 512],
    [100, 600],
    [599, 600],
    [300, 300],
  ])('gives tokens %i to %i', (from, to) => {
    const cache = made(600)
    const kept = Array.from({ length: to - from }, (_, index) => from + index)
    expect(contents(sliceCache(cache, from, to))).toEqual(contents(keepCache(cache, kept)))
  })

  test('of the start shares the blocks', () => {
    const cache = made(600)
    expect((sliceCache(cache, 0, 520) as BlockCache).view(0).closed[0]).toBe(cache.view(0).closed[0])
  })

  test.each([
    [-1, 2],
    [3, 2],
    [0, 5],
    [0.5, 2],
  ])('refuses %d to %d of 4 tokens', (from, to) => {
    expect(() => sliceCache(made(4), from, to)).toThrow(RangeError)
  })
})

describe('concatCaches()', () => {
  test('undoes slices, for any cut', () => {
    const cache = made(700)
    for (const cut of [0, 1, 511, 512, 700]) {
      expect(contents(concatCaches([sliceCache(cache, 0, cut), sliceCache(cache, cut)]))).toEqual(contents(cache))
    }
  })

  test('keeps repeated positions and takes the last hidden row of the last', () => {
    const joined = concatCaches([made(2, { first: 4 }), made(3, { first: 4, filled: 3 })])
    expect([...joined.positions]).toEqual([4, 5, 4, 5, 6])
    expect(joined.lastHidden).toEqual(Float32Array.of(3, 4))
  })

  test('joins caches of lower layers, and refuses others beside them', () => {
    expect(concatCaches([made(2, { filled: 1 }), made(2, { filled: 1 })]).layerLength(0)).toBe(4)
    expect(() => concatCaches([made(2, { filled: 1 }), made(2)])).toThrow('different numbers of filled layers: 1, 3')
    expect(() => concatCaches([made(2), new BlockCache({ ...shape, headDim: 6 })])).toThrow('shapes differ')
    expect(() => concatCaches([])).toThrow(RangeError)
  })
})

describe('averageCaches()', () => {
  test('gives the mean of keys, values and last hidden rows', () => {
    const [one, two] = [made(2, { sources: [1, 2] }), made(2, { sources: [1, 5] })]
    two.lastHidden = Float32Array.of(4, 2)
    const doubled = new BlockCache(shape)
    for (let layer = 0; layer < shape.layers; layer++) {
      const { keys, values } = two.exportRows(layer)
      doubled.importRows(layer, { keys: keys.map((value) => 3 * value), values }, two.positions, two.sources)
    }
    doubled.lastHidden = two.lastHidden
    const mean = averageCaches([one, doubled])
    expect([...mean.sources]).toEqual([1, -1])
    expect(mean.exportRows(1).keys).toEqual(one.exportRows(1).keys.map((value) => 2 * value))
    expect(mean.exportRows(1).values).toEqual(one.exportRows(1).values)
    expect(mean.lastHidden).toEqual(Float32Array.of(3, 1))
  })

  test('of equal caches is the same cache', () => {
    expect(contents(averageCaches([made(5), made(5), made(5)]))).toEqual(contents(made(5)))
  })

  test('refuses other positions and other lengths', () => {
    expect(() => averageCaches([made(2), made(2, { first: 1 })])).toThrow('position 0 is not 1 at token 0')
    expect(() => averageCaches([made(2), made(3)])).toThrow(RangeError)
  })
})

describe('repositionCache()', () => {
  const rotation: KeyRotation = { style: 'pairs', frequencies: () => [1, 0.01] }
  const unordered = [9, 2, 2, 700, 0]

  test('by a step and back is the identity, also for repeated and unordered positions', () => {
    const cache = keepCache(made(5), [0, 1, 2, 3, 4])
    const there = repositionCache(cache, unordered, rotation)
    expect([...there.positions]).toEqual(unordered)
    expect(there.exportRows(0).keys).not.toEqual(cache.exportRows(0).keys)
    const back = repositionCache(there, cache.positions, rotation)
    expect(farthest(back.exportRows(2).keys, cache.exportRows(2).keys) / 2e4).toBeLessThan(1e-6)
    expect(back.exportRows(2).values).toEqual(cache.exportRows(2).values)
    expect(back.lastHidden).toEqual(cache.lastHidden)
  })

  test('rotates halves as pairs in another order', () => {
    const cache = made(5)
    const order = [0, 2, 1, 3]
    const permuted = new BlockCache(shape)
    const permute = (keys: Float32Array): Float32Array =>
      keys.map((_, index) => keys[index - (index % shape.headDim) + (order[index % shape.headDim] ?? 0)] ?? NaN)
    for (let layer = 0; layer < shape.layers; layer++) {
      const { keys, values } = cache.exportRows(layer)
      permuted.importRows(layer, { keys: permute(keys), values }, cache.positions)
    }
    const pairs = repositionCache(cache, unordered, rotation)
    const halves = repositionCache(permuted, unordered, { ...rotation, style: 'halves' })
    expect(halves.exportRows(1).keys).toEqual(permute(pairs.exportRows(1).keys))
  })

  test('leaves values beyond the rotated ones alone', () => {
    const cache = made(5)
    const moved = repositionCache(cache, unordered, { style: 'pairs', frequencies: () => [1] })
    expect(moved.exportRows(0).keys[3]).toBe(cache.exportRows(0).keys[3])
    expect(moved.exportRows(0).keys[0]).not.toBe(cache.exportRows(0).keys[0])
  })

  test.each([[[0, 1]], [[0, 1, 2, 3, -1]], [[0, 1, 2, 3, 0.5]]])('refuses %j for 5 tokens', (positions) => {
    expect(() => repositionCache(made(5), positions, rotation)).toThrow(RangeError)
  })
})

describe('caches of a decoder', () => {
  let decoder: Decoder
  beforeAll(async () => {
    decoder = (await openTiny()).decoder
  })
  afterAll(() => decoder.dispose())
  const ids = someIds(40)
  const close = 1e-4

  async function prefilled(tokens: readonly number[], options = {}): Promise<{ cache: KVCache; logits: Float32Array }> {
    const cache = decoder.createCache()
    return { cache, logits: await decoder.prefill(tokens, cache, options) }
  }

  test('are placed where positions and sources say', async () => {
    const { cache, logits } = await prefilled(ids, {
      positions: ids.map((_, index) => index + 100),
      sources: ids.map((_, index) => 2 * index),
    })
    expect([cache.positions[39], cache.sources[39]]).toEqual([139, 78])
    // Only differences of positions count.
    expect(farthest(logits, (await prefilled(ids)).logits)).toBeLessThan(close)
    await expect(prefilled(ids, { positions: [1] })).rejects.toThrow('1 positions are not those of 40 tokens')
    await expect(prefilled([1], { positions: [2048] })).rejects.toThrow(RangeError)
    await expect(prefilled([1], { positions: [0.5] })).rejects.toThrow(RangeError)
    await expect(prefilled([1], { sources: [] })).rejects.toThrow(RangeError)
  })

  test('moved by one step hold the keys of a prefill that stood there', async () => {
    const rotation = rotationOf(decoder.config)
    const positions = ids.map((_, index) => index + 300)
    const moved = repositionCache((await prefilled(ids)).cache, positions, rotation)
    const there = (await prefilled(ids, { positions })).cache
    for (let layer = 0; layer < tiny.layers; layer++) {
      expect(farthest(moved.exportRows(layer).keys, there.exportRows(layer).keys)).toBeLessThan(close)
      expect(farthest(moved.exportRows(layer).values, there.exportRows(layer).values)).toBeLessThan(close)
    }
    expect(farthest(await decoder.prefill([5], moved), await decoder.prefill([5], there))).toBeLessThan(close)
  })

  test('moved anywhere have the first layer of a prefill that stood there', async () => {
    const rotation = rotationOf(decoder.config)
    const positions = ids.map((_, index) => (index * 29) % 17)
    const moved = repositionCache((await prefilled(ids)).cache, positions, rotation)
    const there = (await prefilled(ids, { positions })).cache
    expect(farthest(moved.exportRows(0).keys, there.exportRows(0).keys)).toBeLessThan(close)
  })

  test('go on from a part as from the whole where nothing else is kept', async () => {
    const whole = (await prefilled(ids)).cache
    const part = sliceCache(whole, 0, 30)
    expect(farthest(await decoder.prefill(ids.slice(30), part), (await prefilled(ids)).logits)).toBeLessThan(close)
    const joined = concatCaches([sliceCache(whole, 0, 7), sliceCache(whole, 7, 30)])
    expect(farthest(await decoder.prefill(ids.slice(30), joined), (await prefilled(ids)).logits)).toBeLessThan(close)
  })

  test('take in rows that were made elsewhere, layer by layer', async () => {
    const { cache } = await prefilled(ids)
    const foreign = decoder.createCache()
    for (let layer = 0; layer < tiny.layers; layer++) foreign.importRows(layer, cache.exportRows(layer), cache.positions, cache.sources)
    expect(await decoder.prefill([5], foreign)).toEqual(await decoder.prefill([5], cache))
  })

  test('grow by what their shapes say, whatever the slices', async () => {
    const { cache } = await prefilled(someIds(1100))
    const perToken = tiny.layers * 2 * tiny.kvHeads * tiny.headDim * 4
    expect(cache.bytes).toBe(perToken * (512 + 512 + 128))
    const kept = keepCache(cache, [...Array(64).keys()])
    expect(kept.bytes).toBe(perToken * 64)
  })
})
