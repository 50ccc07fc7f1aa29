import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkerFaults } from '../../testing/index.ts'
import { CHUNKERS } from './all-chunkers.ts'

const CASES = 5_000

const hard = fc.constantFrom(
  ...['\r\n', '\n', '\n\n', '\r\n\r\n', ' ', '  ', '. ', '? ', '.” ', '# ', '- ', '| a | b |\n| - | - |\n', '```\n', '—', '\r', '\t', '\u2028'],
  ...['\u00AD', '\u200D', '\uFEFF', '\u00A0', '\u0301', ' \u0301', '\u0600', '\u0600 ', '.\u0301', '\u3000', '\u1100\u1161\u11A8', 'क्षि', '\u0E33'],
  ...['Mr.', 'e.g.', 'CHAPTER 1', 'J. R. R. ', '我出海去了。', '🐳', '👩‍👩‍👧', '🇬🇧', '🇬', '👍🏽', 'e\u0301\u0302', 'שלום', 'ไทย', 'x'.repeat(300)],
)
const parts = fc.oneof(
  { weight: 3, arbitrary: hard },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 2, arbitrary: fc.lorem({ maxCount: 2, mode: 'sentences' }) },
)
const texts = fc.array(parts, { maxLength: 24 }).map((list) => list.join(''))

const COUNTERS = {
  bytes: (text: string): number => Buffer.byteLength(text),
  units: (text: string): number => text.length,
  // Joining adds tokens: no bound from a sum holds, the limit must.
  superadditive: (text: string): number => Math.ceil(text.length / 4) + Math.floor((text.length / 200) ** 2),
}
const counters = fc.constantFrom(...Object.values(COUNTERS))

describe.each(Object.entries(CHUNKERS))('%s', (_name, { make, graphemeShare = 1 }) => {
  it(`keeps its promises on ${CASES} random texts`, () => {
    const chunker = make()
    fc.assert(
      fc.property(texts, counters, fc.integer({ min: 4, max: 400 }), (text, count, maxTokens) => {
        expect(chunkerFaults(chunker, text, { maxTokens, count, graphemeShare })).toEqual([])
      }),
      { numRuns: CASES },
    )
  }, 60_000)
})
