import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BorderRules, chooseBorders } from '../../../chunkers/model/choose-borders.ts'

const rules: BorderRules = { min: 0, target: 3, max: 100, sizeWeight: 0, price: 0 }

describe('the choice of borders', () => {
  it('takes every border that brings more than it costs where sizes do not matter', () => {
    expect(chooseBorders([1, 1, 1, 1], [0.4, 2, 0.6], { ...rules, price: 0.5 })).toEqual([0, 2, 3])
  })

  it('keeps pieces under the largest size, cutting where it costs least', () => {
    expect(chooseBorders([1, 1, 1, 1, 1], [-3, -1, -2, -3], { ...rules, max: 3 })).toEqual([0, 2])
  })

  it('keeps pieces above the smallest size where it can', () => {
    expect(chooseBorders([1, 1, 1, 1], [9, 0, 9], { ...rules, min: 2 })).toEqual([0, 2])
    expect(chooseBorders([1], [], { ...rules, min: 2 })).toEqual([0])
  })

  it('makes pieces near the target where scores are equal', () => {
    expect(chooseBorders(Array<number>(9).fill(1), Array<number>(8).fill(0), { ...rules, sizeWeight: 1 })).toEqual([0, 3, 6])
  })

  it('leaves a unit above the largest size alone', () => {
    expect(chooseBorders([1, 9, 1], [0, 0], { ...rules, max: 4 })).toEqual([0, 1, 2])
  })

  it('gives nothing for nothing', () => {
    expect(chooseBorders([], [], rules)).toEqual([])
  })

  it('brings as much as the best of all ways to cut', () => {
    const unit = fc.record({ size: fc.integer({ min: 1, max: 9 }), score: fc.integer({ min: -20, max: 20 }) })
    const drawn = fc.record({
      min: fc.integer({ min: 0, max: 6 }),
      max: fc.integer({ min: 9, max: 30 }),
      price: fc.integer({ min: -5, max: 5 }),
    })
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 9 }), drawn, (units, { min, max, price }) => {
        const [sizes, scores] = [units.map(({ size }) => size), units.slice(1).map(({ score }) => score)]
        const all: BorderRules = { min, max, price, target: 8, sizeWeight: 1.5 }
        const ways = Array.from({ length: 2 ** scores.length }, (_, bits) => [
          0,
          ...scores.flatMap((_score, at) => (bits & (1 << at) ? [at + 1] : [])),
        ])
        const best = Math.max(...ways.map((starts) => worth(starts, sizes, scores, all)))
        expect(worth(chooseBorders(sizes, scores, all), sizes, scores, all)).toBeCloseTo(best, 6)
      }),
      { seed: 1, numRuns: 300 },
    )
  })
})

function worth(
  starts: readonly number[],
  sizes: readonly number[],
  scores: readonly number[],
  { min, max, target, sizeWeight, price }: BorderRules,
): number {
  return starts.reduce((sum, start, at) => {
    const size = sizes.slice(start, starts[at + 1]).reduce((total, value) => total + value, 0)
    if (size > max) return -Infinity
    const border = start === 0 ? 0 : (scores[start - 1] ?? 0) - price
    return sum + border - sizeWeight * Math.log(size / target) ** 2 - (size < min ? 1e9 : 0)
  }, 0)
}
