import { describe, expect, it } from 'vitest'
import { fuseMinMax, fuseRank } from '../../memory/index.ts'

describe('fuseMinMax', () => {
  it.each([
    ['weighs both lists alike', [4, 0, 2], [0.2, 0.8, 0.5], undefined, [0.5, 0.5, 0.5]],
    ['keeps how far one leads', [10, 9, 0], [0.1, 0.9, 0.5], undefined, [0.5, 0.95, 0.25]],
    ['takes the weight of the vectors', [1, 0], [0, 1], 0.25, [0.75, 0.25]],
    ['lets words decide alone without vectors', [3, 1, 0], [undefined, undefined, undefined], undefined, [1, 1 / 3, 0]],
    ['lets vectors decide alone without a word', [0, 0], [0.5, -0.5], undefined, [1, 0]],
    ['gives a missing similarity the least', [0, 4, 2], [0.9, undefined, 0.5], undefined, [0.5, 0.5, 0.25]],
    ['gives one candidate all', [3], [0.4], undefined, [1]],
    ['gives equal candidates equal scores', [2, 2], [0.4, 0.4], undefined, [1, 1]],
    ['takes no candidates', [], [], undefined, []],
    ['gives nothing where there is nothing', [0], [undefined], undefined, [0]],
  ])('%s', (_, words, similarities, weight, expected) => {
    const fused = fuseMinMax(words, similarities, weight)
    expect(fused).toHaveLength(expected.length)
    for (const [index, score] of expected.entries()) expect(fused[index]).toBeCloseTo(score, 12)
  })
})

describe('fuseRank', () => {
  it('sums the reciprocal ranks, without those that are missing', () => {
    expect(fuseRank([5, 0, 3], [0.1, 0.9, undefined])).toEqual([1 / 61 + 1 / 62, 1 / 61, 1 / 62])
  })

  it('lets equal scores share a rank', () => {
    expect(fuseRank([2, 2], [undefined, undefined])).toEqual([1 / 61, 1 / 61])
  })
})
