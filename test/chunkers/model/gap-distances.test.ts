import { describe, expect, it } from 'vitest'
import { gapDistances } from '../../../chunkers/model/gap-distances.ts'

const east = Float32Array.of(1, 0)
const north = Float32Array.of(0, 1)

describe('distances over gaps', () => {
  it('compare weighted sums of as many units as weigh no more than the window', () => {
    // Gap 2: [east, north] against [north], whose cosine is 1 / √2.
    const distances = gapDistances({ vectors: [east, north, north], weights: [1, 1, 1] }, 2)
    expect(distances[0]).toBeCloseTo(1, 9)
    expect(distances[1]).toBeCloseTo(1 - Math.SQRT1_2, 9)
  })

  it('compare one unit at least, however heavy', () => {
    expect([...gapDistances({ vectors: [east, north, north], weights: [5, 5, 5] }, 1)]).toEqual([1, 0])
  })

  it('are those of sums made anew for each gap', () => {
    const vectors = Array.from({ length: 40 }, (_, at) => Float32Array.of(Math.sin(at * 1.7), Math.cos(at * 0.9), Math.sin(at * at)))
    const weights = vectors.map((_, at) => 1 + (at % 5))
    const distances = gapDistances({ vectors, weights }, 9)
    for (let gap = 1; gap < vectors.length; gap++) {
      expect(distances[gap - 1]).toBeCloseTo(1 - cosine(sum(before(gap)), sum(after(gap))), 9)
    }

    function before(gap: number): number[] {
      const taken = [gap - 1]
      let weight = weights[gap - 1]!
      for (let at = gap - 2; at >= 0 && weight + weights[at]! <= 9; at--) {
        taken.push(at)
        weight += weights[at]!
      }
      return taken
    }
    function after(gap: number): number[] {
      const taken = [gap]
      let weight = weights[gap]!
      for (let at = gap + 1; at < vectors.length && weight + weights[at]! <= 9; at++) {
        taken.push(at)
        weight += weights[at]!
      }
      return taken
    }
    function sum(taken: readonly number[]): number[] {
      return [0, 1, 2].map((axis) => taken.reduce((total, at) => total + weights[at]! * vectors[at]![axis]!, 0))
    }
  })

  it('are none for one unit', () => {
    expect(gapDistances({ vectors: [east], weights: [1] }, 1)).toHaveLength(0)
  })
})

function cosine(left: readonly number[], right: readonly number[]): number {
  const dot = left.reduce((sum, value, at) => sum + value * right[at]!, 0)
  return dot / (Math.hypot(...left) * Math.hypot(...right))
}
