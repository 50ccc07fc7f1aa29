import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDocument, passages } from '../../chunkers/index.ts'

const make = (text: string): ReturnType<typeof createDocument> => createDocument({ text, name: 'a.txt' })
const words = (text: string): number => text.match(/\S+/g)?.length ?? 0
const cut = (text: string, options = {}): string[] => passages(make(text), options).map((passage) => passage.text)

describe('passages', () => {
  it('joins a very short sentence to its neighbour in the paragraph, never across a blank line', () => {
    const long = 'This sentence is long enough alone.'
    expect(cut(`Yes. ${long} ${long} No.\n\nAlone.\n\n${long}`)).toEqual([`Yes. ${long}`, `${long} No.`, 'Alone.', long])
  })

  it('cuts a long sentence at clauses', () => {
    const text = 'one two three four five, six seven eight nine ten, eleven twelve thirteen fourteen.'
    expect(cut(text, { count: words, maxTokens: 8 })).toEqual([
      'one two three four five,',
      'six seven eight nine ten,',
      'eleven twelve thirteen fourteen.',
    ])
  })

  it('knows the sections and the order', () => {
    const list = passages(make('CHAPTER 1. One\n\nText of the first chapter.\n\nCHAPTER 2. Two\n\nText of the second chapter.'))
    expect(list.map(({ index, sections }) => `${index} ${sections.join('/')}`)).toEqual([
      '0 CHAPTER 1. One',
      '1 CHAPTER 1. One',
      '2 CHAPTER 2. Two',
      '3 CHAPTER 2. Two',
    ])
  })

  it('holds all of any text but white space within the limit', () => {
    const texts = fc.array(
      fc.oneof(fc.lorem({ mode: 'sentences' }), fc.constantFrom('\n\n', '\r\n', ' ', '🐳', 'No. '), fc.string({ unit: 'grapheme' })),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(texts, (parts) => {
        const text = parts.join('')
        const document = make(text)
        let previous = 0
        for (const { start, end, text: part } of passages(document, { count: Buffer.byteLength, maxTokens: 60 })) {
          expect(text.slice(previous, start).trim()).toBe('')
          expect(document.slice(start, end)).toBe(part)
          expect(Buffer.byteLength(part)).toBeLessThanOrEqual(60)
          previous = end
        }
        expect(text.slice(previous).trim()).toBe('')
      }),
    )
  })

  it('keeps to 60 tokens by its own estimate, which counts high', () => {
    const list = cut(`${'whale-boats, 1851 and so on '.repeat(100)}.`)
    expect(list.length).toBeGreaterThan(10)
    expect(Math.max(...list.map((text) => Math.ceil(text.length / 4)))).toBeLessThanOrEqual(60)
  })

  it('refuses a limit that is no whole number above 0', () => {
    expect(() => cut('x', { maxTokens: 0 })).toThrow(
      new RangeError('Cannot cut passages as maxTokens is not a whole number of 1 or more: 0'),
    )
  })
})
