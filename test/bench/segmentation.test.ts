import { describe, expect, it } from 'vitest'
import { borderF1, pk, windowDiff, windowOf } from '../../bench/segmentation-metrics.ts'
import { choiTexts, meetingsOf, meetingText } from '../../bench/segmented-texts.ts'
import { textTiling } from '../../bench/text-tiling.ts'

describe('measures of segmentation', () => {
  const reference = { items: 10, borders: [4, 7] }

  it('look at windows of half the mean length of a segment', () => {
    // 10 items in 3 segments: 10 / 3 / 2 = 1.67.
    expect(windowOf(reference)).toBe(2)
    expect(windowOf({ items: 3, borders: [1, 2] })).toBe(1)
  })

  // Pairs (i, i + 2) for i = 0 … 7. The reference parts those of i = 2, 3 (border 4) and i = 5, 6 (border 7).
  it.each([
    ['the same borders', [4, 7], 0, 0, 1],
    ['none: the four pairs that are parted', [], 4 / 8, 4 / 8, 0],
    // All pairs are parted, i = 0, 1, 4, 7 wrongly; every window has two borders where the reference has none or one.
    ['all', [1, 2, 3, 4, 5, 6, 7, 8, 9], 4 / 8, 1, (2 * 2) / 11],
    // Border 5 parts i = 3, 4 in the place of 2, 3: two pairs differ; border 7 is right.
    ['one border too late by one', [5, 7], 2 / 8, 2 / 8, 1],
    // Borders 7 and 8 part i = 5, 6 and 6, 7: i = 2, 3 and 7 differ by Pk; by WindowDiff i = 6, which has two borders for one, as well.
    ['one border missing and one beside another', [7, 8], 3 / 8, 4 / 8, 0.5],
  ])('give %s what they give by hand', (_, borders, expectedPk, expectedDiff, f1) => {
    const found = { items: 10, borders }
    expect(pk(reference, found)).toBeCloseTo(expectedPk, 12)
    expect(windowDiff(reference, found)).toBeCloseTo(expectedDiff, 12)
    expect(borderF1(reference, found)).toBeCloseTo(f1, 12)
  })

  it('match each border with one other at most', () => {
    expect(borderF1({ items: 9, borders: [4] }, { items: 9, borders: [3, 4, 5] })).toBeCloseTo(0.5, 12)
    expect(borderF1({ items: 9, borders: [3, 4] }, { items: 9, borders: [4, 5] })).toBe(1)
    expect(borderF1({ items: 9, borders: [] }, { items: 9, borders: [] })).toBe(1)
    expect(borderF1({ items: 9, borders: [2] }, { items: 9, borders: [4] })).toBe(0)
  })

  it('refuse segmentations of different texts', () => {
    expect(() => pk(reference, { items: 9, borders: [] })).toThrow('10 and 9 items')
  })
})

describe('TextTiling', () => {
  it('parts two subjects where their words change', () => {
    const whales = Array.from({ length: 6 }, () => 'whale ship harpoon ocean')
    const bread = Array.from({ length: 6 }, () => 'flour oven bread yeast')
    expect(textTiling([...whales, ...bread], 3)).toEqual([6])
  })

  it('gives no border for one item and for none', () => {
    expect(textTiling([], 3)).toEqual([])
    expect(textTiling(['one'], 3)).toEqual([])
  })
})

describe('texts with known borders', () => {
  it('are made of passages of 3 to 11 sentences, the same for one seed', async () => {
    const [first, second] = await choiTexts('test', 2, 5)
    expect(await choiTexts('test', 2, 5)).toEqual([first, second])
    for (const { text, items, borders } of [first!, second!]) {
      const sizes = [...borders, items.length].map((border, at) => border - (borders[at - 1] ?? 0))
      expect(sizes).toHaveLength(10)
      expect(sizes.every((size) => size >= 3 && size <= 11)).toBe(true)
      expect(items.map(({ start, end }) => text.slice(start, end)).join(' ')).toBe(text)
    }
    expect((await choiTexts('test', 1, 6))[0]!.text).not.toBe(first!.text)
    expect((await choiTexts('dev', 1, 5))[0]!.text).not.toBe(first!.text)
  })

  it('have borders where topics of a meeting begin, turns without words left out', () => {
    const row = {
      topic_list: [
        { relevant_text_span: [['0', '1']] },
        {
          relevant_text_span: [
            ['3', '4'],
            ['5', '5'],
          ],
        },
      ],
      meeting_transcripts: ['One .', 'Two .', '{vocalsound}', '{pause} Three .', 'Four .', 'Five .'].map((content) => ({ content })),
    }
    const { text, items, borders } = meetingText(row, 0)
    expect(text).toBe('One .\n\nTwo .\n\nThree .\n\nFour .\n\nFive .')
    expect(items).toHaveLength(5)
    expect(borders).toEqual([2, 4])
  })

  it('are for choosing settings or for measuring, never both', () => {
    const meetings = Array.from({ length: 7 }, (_, at) => ({ id: `m${at}`, text: '', items: [], borders: [] }))
    const ids = (['dev', 'test'] as const).map((part) => meetingsOf(part, meetings).map(({ id }) => id))
    expect(ids).toEqual([
      ['m0', 'm3', 'm6'],
      ['m1', 'm2', 'm4', 'm5'],
    ])
  })
})
