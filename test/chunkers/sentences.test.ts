import { describe, expect, it } from 'vitest'
import { sentences } from '../../chunkers/index.ts'

const cut = (text: string): string[] => [...sentences(text)].map(({ start, end }) => text.slice(start, end))

describe('sentences', () => {
  it.each([
    ['titles', 'Mr. Hussey met Mrs. Hussey. Dr. Bunger came.', ['Mr. Hussey met Mrs. Hussey.', 'Dr. Bunger came.']],
    ['numbers', 'See No. 7 and Fig. 3 there. No. They must go.', ['See No. 7 and Fig. 3 there.', 'No.', 'They must go.']],
    ['initials', 'J. R. R. Tolkien wrote. It was I. Then he left.', ['J. R. R. Tolkien wrote.', 'It was I.', 'Then he left.']],
    ['the U.S.', 'The U.S. Navy sailed to the U.S. The crew slept.', ['The U.S. Navy sailed to the U.S.', 'The crew slept.']],
    ['e.g. and i.e.', 'Some, e.g. Ahab, i.e. The Captain, sail. Yes.', ['Some, e.g. Ahab, i.e. The Captain, sail.', 'Yes.']],
    ['quotations', '“Who goes?” said he. “I.” She left!', ['“Who goes?” said he.', '“I.”', 'She left!']],
    [
      'hard-wrapped lines',
      'It was a cloudy, sultry afternoon; the\nseamen were lazily lounging. The decks\nwere hot.',
      ['It was a cloudy, sultry afternoon; the\nseamen were lazily lounging.', 'The decks\nwere hot.'],
    ],
    ['blank lines', 'no end here\n\nand here\r\n\r\nand there', ['no end here', 'and here', 'and there']],
    ['list items', '- first of all\n- second thing\n1. third thing', ['- first of all', '- second thing', '1. third thing']],
    ['Markdown headings', '# A title\nText under it. More.', ['# A title', 'Text under it.', 'More.']],
    [
      'chapter headings',
      'CHAPTER 57. Of Whales in Paint; in\nStone. In Stars.\n\nOn Tower-hill.',
      ['CHAPTER 57. Of Whales in Paint; in\nStone. In Stars.', 'On Tower-hill.'],
    ],
    [
      'short lines',
      'Yours truly\nAhab of the Pequod, who has never\nbeen seen ashore since that day.',
      ['Yours truly', 'Ahab of the Pequod, who has never\nbeen seen ashore since that day.'],
    ],
    ['lines longer than any wrap', `${'a '.repeat(100)}end\nNext line`, [`${'a '.repeat(100)}end`, 'Next line']],
    ['scripts without spaces', '我叫以实玛利。几年以前，我出海去了。', ['我叫以实玛利。', '几年以前，我出海去了。']],
    ['nothing', ' \n\n \t', []],
  ])('keeps to %s', (_label, text, expected) => {
    expect(cut(text)).toEqual(expected)
  })

  it('adds the base to all offsets', () => {
    expect([...sentences(' One. Two.', 100)]).toEqual([
      { start: 101, end: 105 },
      { start: 106, end: 110 },
    ])
  })

  it('keeps a sentence whole across the borders of the blocks it reads', () => {
    const one = `The ${'very, '.repeat(390)}old whale.`
    const text = Array.from({ length: 5 }, () => one).join(' ')
    expect(cut(text)).toEqual([one, one, one, one, one])
  })

  it('cuts 5 MB without a space into bounded pieces that lose nothing', () => {
    const text = 'abcde🐳fghi'.repeat(500_000)
    const parts = cut(text)
    expect(parts.join('') === text).toBe(true)
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(8192)
    expect(parts.every((part) => !/\p{Surrogate}/u.test(part))).toBe(true)
  })
})
