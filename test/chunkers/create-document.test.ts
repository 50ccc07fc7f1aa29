import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createDocument } from '../../chunkers/index.ts'
import { DocumentError } from '../../errors/index.ts'

const make = (text: string): ReturnType<typeof createDocument> => createDocument({ text, name: 'a.txt' })

describe('createDocument', () => {
  it('gives one id to one name and text, and another to another', () => {
    expect(make('whale').id).toBe(make('whale').id)
    expect(make('whale').id).not.toBe(make('squid').id)
    expect(make('whale').id).not.toBe(createDocument({ text: 'whale', name: 'b.txt' }).id)
  })

  it.each([
    ['short', 'wal 🐳'],
    ['longer than a part, with a pair across the border', `${'a'.repeat((1 << 20) - 1)}🐳end`],
  ])('hashes a text that is %s as UTF-8', (_label, text) => {
    expect(make(text).hash).toBe(createHash('sha256').update(text).digest('hex'))
  })

  it('locates offsets by line, column and sections', () => {
    const text = 'front\r\n\r\nCHAPTER 1. One\r\n\r\nText.\r\n\r\nCHAPTER 2. Two\r\n\r\nMore.'
    const document = make(text)
    expect(document.locate(0)).toEqual({ sections: [], line: 1, column: 1 })
    expect(document.locate(text.indexOf('Text') + 2)).toEqual({ sections: ['CHAPTER 1. One'], line: 5, column: 3 })
    expect(document.locate(text.indexOf('CHAPTER 2'))).toEqual({ sections: ['CHAPTER 2. Two'], line: 7, column: 1 })
    expect(document.locate(text.length)).toMatchObject({ line: 9, column: 6 })
  })

  it('names nested sections outermost first, and leaves them where they end', () => {
    const document = createDocument({
      text: '0123456789',
      name: 'n',
      sections: [
        { start: 1, end: 8, title: 'outer', level: 1 },
        { start: 2, end: 4, title: 'first', level: 2 },
        { start: 4, end: 6, title: 'second', level: 2 },
      ],
    })
    const paths = [0, 1, 2, 3, 4, 6, 8].map((offset) => document.locate(offset).sections.join('/'))
    expect(paths).toEqual(['', 'outer', 'outer/first', 'outer/first', 'outer/second', 'outer', ''])
  })

  it.each([
    [-1, 2],
    [3, 2],
    [0, 99],
    [0.5, 1],
    [Number.NaN, 1],
  ])('refuses the span [%s, %s) with its numbers', (start, end) => {
    expect(() => make('whale').slice(start, end)).toThrow(
      new RangeError(`Cannot slice a.txt as the span lies outside [0, 5]: [${start}, ${end})`),
    )
  })

  it('refuses spans that cut a surrogate pair, and offsets outside', () => {
    expect(() => make('🐳').slice(0, 1)).toThrow('cuts a surrogate pair: [0, 1)')
    expect(() => make('abc').locate(4)).toThrow('lies outside [0, 3]: 4')
  })

  it.each([
    ['\uD83D', 0, 'D83D'],
    ['ab\uDC33c', 2, 'DC33'],
    ['🐳\uD83D🐳', 2, 'D83D'],
  ])('refuses the lone surrogate in %j', (text, offset, unit) => {
    try {
      make(text)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(DocumentError)
      expect(error).toMatchObject({
        reason: 'encoding',
        source: 'a.txt',
        message: expect.stringContaining(`U+${unit} at offset ${offset}`),
      })
    }
  })

  it.each([
    ['outside', [{ start: 0, end: 9, title: 's', level: 1 }], 'lies outside the text of 5'],
    [
      'out of order',
      [
        { start: 3, end: 4, title: 's', level: 1 },
        { start: 1, end: 2, title: 't', level: 1 },
      ],
      'starts before',
    ],
    [
      'overlapping',
      [
        { start: 0, end: 3, title: 's', level: 1 },
        { start: 2, end: 5, title: 't', level: 2 },
      ],
      'without nesting',
    ],
    ['of level 0', [{ start: 0, end: 3, title: 's', level: 0 }], 'level'],
  ])('refuses sections %s', (_label, sections, message) => {
    expect(() => createDocument({ text: 'whale', name: 'n', sections })).toThrow(message)
  })

  it('cannot be changed through its sections', () => {
    expect(Object.isFrozen(make('# x').sections)).toBe(true)
  })
})
