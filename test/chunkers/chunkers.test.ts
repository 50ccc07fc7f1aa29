import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Chunker, defineChunker, fixedTokens, sentencePacked } from '../../chunkers/index.ts'
import { chunkerFaults, chunkerSuite } from '../../testing/chunker-suite.ts'

function byLine(): Chunker {
  return defineChunker({
    name: 'line',
    version: 1,
    *cut(text) {
      for (const match of text.matchAll(/^.+$/gm)) yield [match.index, match.index + match[0].length]
    },
  })
}

const chunkers = { sentencePacked, fixedTokens, 'defineChunker by line': byLine }
const bytes = (text: string): number => Buffer.byteLength(text)

for (const [name, make] of Object.entries(chunkers)) chunkerSuite(name, make, { describe, it, expect })

const parts = fc.oneof(
  fc.constantFrom(
    '\r\n',
    '\n',
    '\n\n',
    '\r\n\r\n',
    ' ',
    '  ',
    '. ',
    '? ',
    '! ',
    '.” ',
    '# ',
    '- ',
    '—',
    '\u00AD',
    '\u200D',
    '\uFEFF',
    '\r',
  ),
  fc.constantFrom('Mr.', 'e.g.', 'CHAPTER 1', 'J. R. R. ', '我出海去了。', '🐳', '👩‍👩‍👧', 'e\u0301\u0302', 'שלום', 'ไทย', 'x'.repeat(3000)),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.lorem({ maxCount: 3, mode: 'sentences' }),
)
const texts = fc.array(parts, { maxLength: 40 }).map((list) => list.join(''))
const counters = {
  bytes,
  units: (text: string): number => text.length,
  // Joining adds tokens: the bound from the sum does not hold, the limit must.
  superadditive: (text: string): number => Math.ceil(text.length / 4) + Math.floor((text.length / 200) ** 2),
}

describe.each(Object.entries(chunkers))('%s on random texts', (_name, make) => {
  it.each(Object.entries(counters))('keeps its promises, counted in %s', (_counter, count) => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 4, max: 400 }), (text, maxTokens) => {
        expect(chunkerFaults(make(), text, { maxTokens, count })).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})
