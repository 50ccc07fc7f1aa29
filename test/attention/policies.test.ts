import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Decoder } from '../../attention/index.ts'
import { type CachePolicy, full, sinksAndRecent, snapKv } from '../../attention/policies/index.ts'
import { prefillRetained, retain } from '../../attention/retain.ts'
import { farthest, openTiny, someIds } from './open-tiny.ts'

const scores = Float32Array.from({ length: 40 }, (_, index) => ((index * 7) % 11) / 10)

describe('sinksAndRecent()', () => {
  test.each([5, 6, 20, 39])('keeps the sinks and the latest of 40 tokens with a budget of %i', (budget) => {
    const kept = [...sinksAndRecent().keep(scores, budget)]
    expect(kept).toHaveLength(budget)
    expect(kept.slice(0, 4)).toEqual([0, 1, 2, 3])
    expect(kept.slice(4)).toEqual(Array.from({ length: budget - 4 }, (_, index) => 40 - (budget - 4) + index))
  })

  test('refuses a budget without room, and a number that is none', () => {
    expect(() => sinksAndRecent().keep(scores, 4)).toThrow(RangeError)
    expect(() => sinksAndRecent({ sinks: 0.5 })).toThrow(RangeError)
  })
})

describe('snapKv()', () => {
  test.each([9, 15, 30, 39])('keeps the window and what has the highest scores, with a budget of %i', (budget) => {
    const kept = [...snapKv({ window: 8, kernel: 1 }).keep(scores, budget)]
    expect(kept).toHaveLength(budget)
    expect(kept.slice(-8)).toEqual(Array.from({ length: 8 }, (_, index) => 32 + index))
    const before = kept.slice(0, -8)
    expect(before).toEqual(before.toSorted((a, b) => a - b))
    const left = Array.from({ length: 32 }, (_, index) => index).filter((index) => !before.includes(index))
    const lowest = Math.min(...before.map((index) => scores[index] ?? NaN))
    expect(Math.max(...left.map((index) => scores[index] ?? NaN))).toBeLessThanOrEqual(lowest)
  })

  test('keeps the neighbours of what matters', () => {
    const one = new Float32Array(40)
    one[10] = 1
    expect([...snapKv({ window: 4, kernel: 3 }).keep(one, 7)]).toEqual([9, 10, 11, 36, 37, 38, 39])
  })

  test('refuses a budget without room, and options that are none', () => {
    expect(() => snapKv().keep(scores, 32)).toThrow(RangeError)
    expect(() => snapKv({ window: 0 })).toThrow(RangeError)
    expect(() => snapKv({ kernel: 2 })).toThrow(RangeError)
  })
})

describe('a policy on a decoder', () => {
  let decoder: Decoder
  beforeAll(async () => {
    decoder = (await openTiny()).decoder
  })
  afterAll(() => decoder.dispose())
  const ids = someIds(100)

  const policies: readonly CachePolicy[] = [full(), sinksAndRecent(), snapKv({ window: 16 })]

  test.each(policies.map((policy) => [policy.name, policy] as const))('%s that keeps everything is the plain run', async (_, policy) => {
    const plain = decoder.createCache()
    const expected = await decoder.prefill(ids, plain)
    const { cache, kept, logits } = await prefillRetained(decoder, ids, { policy, budget: 100 })
    expect(logits).toEqual(expected)
    expect([...kept]).toEqual([...ids.keys()])
    expect(farthest(await decoder.prefill([5], cache), await decoder.prefill([5], plain))).toBeLessThan(1e-6)
  })

  test('streams any number of tokens within its budget, at the positions of its slots', async () => {
    const policy = sinksAndRecent()
    let cache = decoder.createCache()
    for (let at = 0; at < 300; at += 30) {
      cache = retain(cache, policy, Math.min(64, 64 - 30), decoder.config).cache
      await decoder.prefill(someIds(30, at), cache)
      expect(cache.length).toBeLessThanOrEqual(64)
      expect([...cache.positions]).toEqual([...Array(cache.length).keys()])
      expect([...cache.sources.subarray(0, 4)]).toEqual([0, 1, 2, 3])
    }
    expect([...cache.sources.subarray(-30)]).toEqual(Array.from({ length: 30 }, (_, index) => 270 + index))
  })

  test('keeps by snapkv what the last tokens look at, where it was read', async () => {
    const { cache, kept } = await prefillRetained(decoder, ids, { policy: snapKv({ window: 16 }), budget: 40 })
    expect([...cache.positions]).toEqual([...kept])
    expect([...cache.sources]).toEqual([...kept])
    expect([...kept].slice(-16)).toEqual(Array.from({ length: 16 }, (_, index) => 84 + index))
    await decoder.prefill([5], cache)
    expect(cache.positions.at(-1)).toBe(100)
  })

  test('scores by the weights of all heads: they sum to one for each head, layer and row', async () => {
    let total = 0
    const watching: CachePolicy = {
      ...snapKv({ window: 16 }),
      keep: (sums) => ((total = sums.reduce((a, b) => a + b, 0)), Int32Array.of(99)),
    }
    await prefillRetained(decoder, ids, { policy: watching, budget: 1 })
    expect(total).toBeCloseTo(16 * decoder.config.layers * decoder.config.heads, 2)
    await prefillRetained(decoder, ids, { policy: watching, budget: 1, heads: [{ layer: 1, head: 2 }] })
    expect(total).toBeCloseTo(16, 3)
  })

  test('refuses scores that are missing or of other tokens', async () => {
    const cache = decoder.createCache()
    await decoder.prefill(ids, cache)
    expect(() => retain(cache, snapKv(), 50, decoder.config)).toThrow(RangeError)
    expect(() => retain(cache, snapKv(), 50, decoder.config, new Float32Array(3))).toThrow(RangeError)
  })
})
