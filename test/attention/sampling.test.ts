import { describe, expect, test } from 'vitest'
import { createSampler, type SamplingOptions } from '../../attention/index.ts'

const logits = Float32Array.from([Math.log(0.4), Math.log(0.3), Math.log(0.2), Math.log(0.1)])

/** Share of each id in 4,000 draws. */
function shares(options: SamplingOptions, allowed?: number[]): number[] {
  const sample = createSampler(options)
  const counts = [0, 0, 0, 0]
  for (let draw = 0; draw < 4000; draw++) counts[sample(logits, allowed) ?? NaN]! += 1 / 4000
  return counts
}

describe('createSampler()', () => {
  test('takes the most likely token, the first of equals, unless a temperature is set', () => {
    expect(createSampler()(logits)).toBe(0)
    expect(createSampler()(Float32Array.of(1, 3, 3))).toBe(1)
    expect(createSampler()(logits, [3, 1, 2])).toBe(1)
  })

  test('gives nothing when nothing is allowed', () => {
    expect(createSampler()(logits, [])).toBeUndefined()
    expect(createSampler({ temperature: 1 })(logits, [])).toBeUndefined()
  })

  const cases: [string, SamplingOptions, number[] | undefined, number[]][] = [
    ['probabilities at temperature 1', { temperature: 1 }, undefined, [0.4, 0.3, 0.2, 0.1]],
    ['sharper ones at temperature 0.5', { temperature: 0.5 }, undefined, [16 / 30, 9 / 30, 4 / 30, 1 / 30]],
    ['the first two under topK 2', { temperature: 1, topK: 2 }, undefined, [4 / 7, 3 / 7, 0, 0]],
    ['enough for topP 0.65', { temperature: 1, topP: 0.65 }, undefined, [4 / 7, 3 / 7, 0, 0]],
    ['at least one under a tiny topP', { temperature: 1, topP: 1e-6 }, undefined, [1, 0, 0, 0]],
    ['allowed tokens only', { temperature: 1 }, [3, 2, 2], [0, 0, 2 / 3, 1 / 3]],
  ]
  test.each(cases)('draws with %s', (_, options, allowed, expected) => {
    for (const [id, share] of shares(options, allowed).entries()) expect(share).toBeCloseTo(expected[id]!, 1)
  })

  test('keeps no more than topK of equal tokens', () => {
    const sample = createSampler({ temperature: 1, topK: 2 })
    const drawn = new Set(Array.from({ length: 200 }, () => sample(new Float32Array(6))))
    expect(drawn).toEqual(new Set([0, 1]))
  })

  test('repeats its draws for the same seed and not for another', () => {
    const draw = (seed: number): (number | undefined)[] => {
      const sample = createSampler({ temperature: 1, seed })
      return Array.from({ length: 40 }, () => sample(logits))
    }
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })

  test.each([{ temperature: -1 }, { temperature: NaN }, { topK: 0 }, { topK: 1.5 }, { topP: 0 }, { topP: 2 }])('refuses %j', (options) => {
    expect(() => createSampler(options)).toThrow(RangeError)
  })

  test('refuses an allowed id outside the vocabulary', () => {
    expect(() => createSampler()(logits, [4])).toThrow(new RangeError('Cannot allow token 4 as ids go from 0 to 3'))
  })
})
