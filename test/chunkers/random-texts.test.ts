import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkerFaults } from '../../testing/index.ts'
import { CHUNKERS } from './all-chunkers.ts'
import { randomCounters, randomTexts } from './random-texts.ts'

const CASES = 5_000

describe.each(Object.entries(CHUNKERS))('%s', (_name, { make, graphemeShare = 1 }) => {
  it(`keeps its promises on ${CASES} random texts`, () => {
    const chunker = make()
    fc.assert(
      fc.property(randomTexts, randomCounters, fc.integer({ min: 4, max: 400 }), (text, count, maxTokens) => {
        expect(chunkerFaults(chunker, text, { maxTokens, count, graphemeShare })).toEqual([])
      }),
      { numRuns: CASES },
    )
  }, 60_000)
})
