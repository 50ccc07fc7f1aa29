import { describe, expect, it } from 'vitest'
import { randomIntegers, shuffled } from '../../bench/random.ts'
import { bootstrapInterval, mcnemar, quantile } from '../../bench/statistics.ts'
import { heapGrowth } from '../../bench/overhead.ts'
import { nominalLength } from '../../bench/record.ts'
import { discrimination } from '../../bench/squad.ts'

describe('bootstrapInterval', () => {
  it('agrees with the normal approximation for a share of 50 of 100', () => {
    const values = Array.from({ length: 100 }, (_, at) => (at < 50 ? 0 : 100))
    const { mean, low, high, n } = bootstrapInterval(values)
    expect({ mean, n }).toEqual({ mean: 50, n: 100 })
    expect(low).toBeCloseTo(50 - 9.8, -0.5)
    expect(high).toBeCloseTo(50 + 9.8, -0.5)
  })

  it('gives the same interval for the same seed and another for another', () => {
    const values = [1, 5, 2, 8, 3, 9, 4]
    expect(bootstrapInterval(values, { seed: 3 })).toEqual(bootstrapInterval(values, { seed: 3 }))
    expect(bootstrapInterval(values, { seed: 3, resamples: 50 })).not.toEqual(bootstrapInterval(values, { seed: 4, resamples: 50 }))
  })

  it('closes on a constant', () => {
    expect(bootstrapInterval([7, 7, 7])).toEqual({ mean: 7, low: 7, high: 7, n: 3 })
  })

  it('refuses an empty list', () => {
    expect(() => bootstrapInterval([])).toThrow(RangeError)
  })
})

describe('mcnemar', () => {
  // Two-sided binomial tails with a half: 2 · Σ C(n, i) / 2^n.
  it.each([
    { onlyFirst: 0, onlySecond: 0, p: 1 },
    { onlyFirst: 1, onlySecond: 0, p: 1 },
    { onlyFirst: 5, onlySecond: 0, p: 2 / 32 },
    { onlyFirst: 2, onlySecond: 8, p: (2 * (1 + 10 + 45)) / 1024 },
    { onlyFirst: 6, onlySecond: 6, p: 1 },
  ])('gives p = $p for $onlyFirst against $onlySecond', ({ onlyFirst, onlySecond, p }) => {
    const first = [...Array<boolean>(onlyFirst).fill(true), ...Array<boolean>(onlySecond).fill(false), true, false]
    const second = [...Array<boolean>(onlyFirst).fill(false), ...Array<boolean>(onlySecond).fill(true), true, false]
    const test = mcnemar(first, second)
    expect(test).toMatchObject({ onlyFirst, onlySecond })
    expect(test.p).toBeCloseTo(p, 12)
  })

  it('does not underflow on many differences', () => {
    const p = mcnemar(Array<boolean>(1500).fill(true), [...Array<boolean>(700).fill(false), ...Array<boolean>(800).fill(true)]).p
    expect(p).toBeGreaterThanOrEqual(0)
    expect(p).toBeLessThan(1e-100)
  })

  it('refuses lists of different length', () => {
    expect(() => mcnemar([true], [])).toThrow('1 and 0')
  })
})

describe('quantile', () => {
  it('sorts what it is given and leaves it as it was', () => {
    const values = [3, 1, 2]
    expect([quantile(values, 0), quantile(values, 0.5), quantile(values, 1)]).toEqual([1, 2, 3])
    expect(values).toEqual([3, 1, 2])
  })
})

describe('heapGrowth', () => {
  it('compares the last quarter with the second', () => {
    expect(heapGrowth([90, 80, 10, 10, 11, 12, 13, 13])).toBe(3)
    expect(() => heapGrowth([1, 2])).toThrow(RangeError)
  })
})

describe('random', () => {
  it('is determined by its seed, and shuffles to a permutation', () => {
    const draw = (seed: number): number[] =>
      shuffled(
        Array.from({ length: 20 }, (_, at) => at),
        randomIntegers(seed),
      )
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    expect(draw(1).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, at) => at))
  })
})

describe('discrimination', () => {
  it('is the share of pairs in the right order, ties half', () => {
    expect(discrimination([1, 2], [3, 4])).toBe(1)
    expect(discrimination([3, 4], [1, 2])).toBe(0)
    expect(discrimination([1, 3], [2, 3])).toBe(0.625)
  })
})

it.each([
  [1, 1],
  [5_000, 4_096],
  [7_000, 8_192],
])('%d tokens are nominally %d', (tokens, length) => {
  expect(nominalLength(tokens)).toBe(length)
})
