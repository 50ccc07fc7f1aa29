import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDocument, findQuote } from '../../chunkers/index.ts'

const make = (text: string): ReturnType<typeof createDocument> => createDocument({ text, name: 'a.txt' })

function shown(text: string, quote: string): string | undefined {
  const document = make(text)
  const found = findQuote(document, quote)
  return found && `${found.how}: ${document.slice(found.start, found.end)}`
}

describe('findQuote', () => {
  it.each([
    ['letter for letter', 'Call me Ishmael. Some years ago', 'me Ishmael.', 'exact: me Ishmael.'],
    ['across a line end', 'Call me\r\n  Ishmael. Some', ' Call me Ishmael. ', 'normalised: Call me\r\n  Ishmael.'],
    ['with other quotes', 'said: “The whale’s here” now', `"The whale's here"`, 'normalised: “The whale’s here”'],
    ['with other dashes', 'years ago—never mind—having', 'ago -- never mind - having', 'normalised: ago—never mind—having'],
    ['with soft hyphens', 'the un\u00ADfathom\u00ADable deep', 'unfathomable deep', 'normalised: un\u00ADfathom\u00ADable deep'],
    ['with an ellipsis', 'and then… silence', 'then... silence', 'normalised: then… silence'],
    ['up to the end', 'a  b', 'a b', 'normalised: a  b'],
    ['in another case', 'The Whale', 'the whale', undefined],
    ['that is not there', 'The Whale', 'squid', undefined],
    ['of white space', 'a b', '  ', undefined],
    ['of half a pair', 'a 🐳 b', '\uD83D', undefined],
    ['longer than the text', 'short', 'shorter', undefined],
  ])('finds a quotation %s', (_label, text, quote, expected) => {
    expect(shown(text, quote)).toBe(expected)
  })

  it('prefers an occurrence that stands at word borders', () => {
    expect(findQuote(make('a part of art'), 'art')).toEqual({ start: 10, end: 13, how: 'exact' })
    expect(findQuote(make('a part'), 'art')).toEqual({ start: 3, end: 6, how: 'exact' })
  })

  it('looks only within the span it is given', () => {
    const document = make('whale, whale, whale')
    expect(findQuote(document, 'whale', { within: { start: 3, end: 13 } })).toEqual({ start: 7, end: 12, how: 'exact' })
    expect(findQuote(document, 'whale', { within: { start: 3, end: 11 } })).toBeUndefined()
    expect(() => findQuote(document, 'whale', { within: { start: 0, end: 99 } })).toThrow('[0, 99)')
  })

  it('finds any span of a text again after its variants are rewritten', () => {
    const unit = fc.constantFrom('a', 'b', 'é', '🐳', ' ', '\n', ' \r\n', '—', '-', '’', '“', '\u00AD', '…', 'x y')
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 40 }), fc.nat(), fc.nat(), (units, from, length) => {
        const first = from % units.length
        const quoted = units.slice(first, first + 1 + (length % units.length)).join('')
        fc.pre(/[abéx🐳]/u.test(quoted))
        const document = make(units.join(''))
        const rewritten = quoted
          .replace(/\s+/g, ' ')
          .replaceAll('’', "'")
          .replaceAll('“', '"')
          .replaceAll('…', '...')
          .replaceAll('\u00AD', '')
        const found = findQuote(document, rewritten)
        expect(found).toBeDefined()
        const letters = (text: string): string => text.replace(/[^abéxy🐳]/gu, '')
        expect(letters(document.slice(found!.start, found!.end))).toBe(letters(quoted))
      }),
      { numRuns: 500 },
    )
  })
})
