import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mapReferences, nextQuoteNumber, referencesOf, verifyQuotes, withoutReferences } from '../../agents/index.ts'
import { answerStream, answerText } from '../../agents/answer-stream.ts'
import { countWords } from './scripted.ts'

const TEXT = 'It was the “Pequod” — a ship of the\nold school. Ahab’s leg was of ivory; the İstanbul trader saw it.'
const options = { maxTokens: 100, count: countWords }

describe('verifyQuotes', () => {
  it.each([
    ['as it stands', 'a ship of the\nold school', 'a ship of the\nold school', 'exact'],
    ['over a line end', 'a ship of the old school.', 'a ship of the\nold school.', 'normalised'],
    ['with other marks and dashes', 'the "Pequod" - a ship', 'the “Pequod” — a ship', 'normalised'],
    ['with single marks for double ones', "the 'Pequod' - a ship", 'the “Pequod” — a ship', 'normalised'],
    ['with a capital', 'The İstanbul trader', 'the İstanbul trader', 'normalised'],
    ['with an end mark of its own', 'was of ivory.', 'was of ivory', 'exact'],
  ])('finds a quotation %s', (_, quote, text, how) => {
    const { quotes, unverified } = verifyQuotes(TEXT, [{ text: quote }], options)
    expect(quotes).toMatchObject([{ text, how, start: TEXT.indexOf(text), end: TEXT.indexOf(text) + text.length }])
    expect(unverified).toEqual([])
  })

  it.each(['a ship of the new school', 'It', '', '...', 'Ahab’s leg ... was of solid oak wood'])('refuses %j', (text) => {
    expect(verifyQuotes(TEXT, [{ text }], options)).toEqual({ quotes: [], unverified: [{ text }] })
  })

  it('cuts a quotation that is too long, between words', () => {
    expect(verifyQuotes(TEXT, [{ text: 'a ship of the old school' }], { ...options, maxTokens: 4 }).quotes).toMatchObject([
      { text: 'a ship of the' },
    ])
  })

  it('scores a quotation by the words of the question that it holds', () => {
    const { quotes } = verifyQuotes(TEXT, [{ text: 'leg was of ivory' }, { text: 'a ship of the' }], {
      ...options,
      question: 'Was the leg ivory?',
    })
    expect(quotes.map(({ score }) => score)).toEqual([0.75, 0.25])
  })

  it('gives spans that are the text, for any stretch of it, however it is spaced', () => {
    const stretch = fc.tuple(fc.nat(TEXT.length - 20), fc.integer({ min: 12, max: 40 }), fc.constantFrom(' ', '\n', '  \t'))
    fc.assert(
      fc.property(stretch, ([start, length, blank]) => {
        const words = TEXT.slice(start, start + length).trim()
        const { quotes } = verifyQuotes(TEXT, [{ text: words.replace(/\s+/g, blank) }], options)
        expect(quotes).toHaveLength(1)
        for (const quote of quotes) expect(TEXT.slice(quote.start, quote.end)).toBe(quote.text)
      }),
    )
  })
})

describe('references', () => {
  it.each([
    ['one [q1] and [q2].', ['q1', 'q2']],
    ['both [q2, q1] (q2)', ['q2', 'q1']],
    ['[Q3 and q04]', ['q3', 'q4']],
    ['[1] [quote] q1', []],
  ])('are found in %j', (text, ids) => expect(referencesOf(text)).toEqual(ids))

  it('are rewritten, and taken out where they lead nowhere', () => {
    expect(mapReferences('A [q1, q2]. B [q3]. C (q2).', (id) => ({ q1: 'q7', q2: 'q7' })[id])).toBe('A [q7]. B. C [q7].')
    expect(withoutReferences('A [q1]. B.')).toBe('A. B.')
  })

  it('number on from the highest, whatever is gone', () => {
    const quote = { documentId: '', chunkIndex: 0, start: 0, end: 0, text: '', how: 'exact' as const }
    expect(
      nextQuoteNumber({
        notes: '',
        quotes: [
          { ...quote, id: 'q7' },
          { ...quote, id: 'q2' },
        ],
      }),
    ).toBe(8)
    expect(nextQuoteNumber({ notes: '', quotes: [] })).toBe(1)
  })
})

describe('answerStream', () => {
  it('passes on the words of the answer, however the reply is cut', () => {
    const word = fc.constantFrom(
      'Ahab',
      'lost',
      'it.',
      '[q1]',
      '(q2, q3)',
      '\n',
      '\n\n',
      'He',
      'said:',
      '[sic]',
      'QUOTE [q1]: "a leg"',
      '\nQuotes:',
      '\n- Quote: x',
      '**',
      'sea',
    )
    const reply = fc
      .tuple(fc.constantFrom('', 'Answer: ', '**ANSWER:** ', ' \n'), fc.array(word, { maxLength: 60 }))
      .map(([label, words]) => label + words.join(' '))
    fc.assert(
      fc.property(reply, fc.integer({ min: 1, max: 30 }), (text, size) => {
        let streamed = ''
        const stream = answerStream((words) => (streamed += words))
        for (let at = 0; at < text.length; at += size) stream.push(text.slice(at, at + size))
        stream.end(text)
        expect(streamed).toBe(answerText(text))
      }),
      { numRuns: 500 },
    )
  })
})
