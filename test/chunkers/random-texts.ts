import fc from 'fast-check'

const hard = fc.constantFrom(
  '\r\n',
  '\n',
  '\n\n',
  '\r\n\r\n',
  ' ',
  '  ',
  '. ',
  '? ',
  '.” ',
  '# ',
  '- ',
  '| a | b |\n| - | - |\n',
  '```\n',
  '—',
  '\r',
  '\t',
  '\u2028',
  '\u00AD',
  '\u200D',
  '\uFEFF',
  '\u00A0',
  '\u0301',
  ' \u0301',
  '\u0600',
  '\u0600 ',
  '.\u0301',
  '\u3000',
  '\u1100\u1161\u11A8',
  'क्षि',
  '\u0E33',
  'Mr.',
  'e.g.',
  'CHAPTER 1',
  'J. R. R. ',
  '我出海去了。',
  '🐳',
  '👩‍👩‍👧',
  '🇬🇧',
  '🇬',
  '👍🏽',
  'e\u0301\u0302',
  'שלום',
  'ไทย',
  'x'.repeat(300),
)
const parts = fc.oneof(
  { weight: 3, arbitrary: hard },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 12 }) },
  { weight: 2, arbitrary: fc.lorem({ maxCount: 2, mode: 'sentences' }) },
)
/** Texts that are hard to cut. */
export const randomTexts: fc.Arbitrary<string> = fc.array(parts, { maxLength: 24 }).map((list) => list.join(''))

const COUNTERS = {
  bytes: (text: string): number => Buffer.byteLength(text),
  units: (text: string): number => text.length,
  // Joining adds tokens: no bound from a sum holds, the limit must.
  superadditive: (text: string): number => Math.ceil(text.length / 4) + Math.floor((text.length / 200) ** 2),
}
/** Counters of tokens. */
export const randomCounters: fc.Arbitrary<(text: string) => number> = fc.constantFrom(...Object.values(COUNTERS))
