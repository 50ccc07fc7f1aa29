import { describe, expect, it } from 'vitest'
import { createDocument, keyPhrases } from '../../../chunkers/index.ts'
import { rankWords } from '../../../chunkers/model/rank-words.ts'

const text = `The white whale is hunted by Captain Ahab. Captain Ahab lost a leg to the white whale. The crew fears Captain Ahab.
The harpooneers sharpen iron. Of the white whale nobody speaks.`

describe('key phrases', () => {
  it('are the phrases that matter, best first, with all their places', () => {
    const document = createDocument({ name: 'a', text, sections: [] })
    const phrases = keyPhrases(document)
    expect(
      phrases
        .slice(0, 2)
        .map((phrase) => phrase.text)
        .toSorted(),
    ).toEqual(['Captain Ahab', 'white whale'])
    for (const { text: phrase, spans } of phrases)
      for (const { start, end } of spans) expect(text.slice(start, end).toLowerCase()).toBe(phrase.toLowerCase())
    expect(phrases.find((phrase) => phrase.text === 'white whale')?.spans).toHaveLength(3)
    expect(phrases.every(({ score }) => score > 0)).toBe(true)
  })

  it('hold no stop words, no numbers, and no more words than they may', () => {
    const document = createDocument({ name: 'a', text: 'Old grey sperm whale bull fights 1851 of the years.', sections: [] })
    const phrases = keyPhrases(document, { maxWords: 2 }).map((phrase) => phrase.text)
    expect(phrases.toSorted()).toEqual(['fights', 'grey sperm', 'whale bull'])
  })

  it('repeat less of each other the more diverse they are to be', () => {
    const repeated = createDocument({
      name: 'a',
      text: 'The blue whale is in it. A white whale is in it. The grey whale is in it. Amber floats. Oil burns.',
      sections: [],
    })
    const shareWhales = (diversity: number): number =>
      keyPhrases(repeated, { limit: 3, diversity }).filter((phrase) => phrase.text.includes('whale')).length
    expect(shareWhales(0)).toBe(3)
    expect(shareWhales(0.8)).toBeLessThan(3)
  })

  it('are found in scripts without spaces', () => {
    const document = createDocument({ name: 'a', text: '白鲸是一头鲸鱼。船长追捕白鲸。白鲸很大。', sections: [] })
    expect(
      keyPhrases(document, { limit: 8 })
        .map((phrase) => phrase.text)
        .join(' '),
    ).toContain('鲸')
  })

  it('are none where there is nothing', () => {
    for (const nothing of ['', ' \n', '1 2 3.', 'of the and'])
      expect(keyPhrases(createDocument({ name: 'a', text: nothing, sections: [] }))).toEqual([])
  })

  it.each([
    [{ limit: 0 }, 'limit is no whole number above 0: 0'],
    [{ maxWords: 1.5 }, 'maxWords is no whole number above 0: 1.5'],
    [{ diversity: 2 }, 'diversity is not from 0 to 1: 2'],
  ])('refuse %j', (options, message) => {
    expect(() => keyPhrases(createDocument({ name: 'a', text, sections: [] }), options)).toThrow(message)
  })
})

describe('ranks of words', () => {
  it('are those of PageRank by hand', () => {
    // Words that all stand near each other rank alike.
    for (const rank of rankWords([['a', 'b', 'c']]).values()) expect(rank).toBeCloseTo(1 / 3, 9)
    // One sentence later, b meets c: a is drawn to by 1/3, b by 1/2, c by 1/6. All of the ranks of a and c goes to b, so that
    // r(b) = .15 / 2 + .85 (1 - r(b)) = 1/2, and half of that of b to each: r(a) = .15 / 3 + .85 / 4, r(c) = .15 / 6 + .85 / 4.
    const ranks = rankWords([
      ['a', 'b'],
      ['b', 'c'],
    ])
    expect(ranks.get('b')).toBeCloseTo(0.5, 2)
    expect(ranks.get('a')).toBeCloseTo(0.2625, 2)
    expect(ranks.get('c')).toBeCloseTo(0.2375, 2)
  })

  it('are drawn to what comes early', () => {
    const ranks = rankWords([['early'], ['middle'], ['late']])
    expect(ranks.get('early')).toBeGreaterThan(ranks.get('middle') ?? 1)
    expect(ranks.get('middle')).toBeGreaterThan(ranks.get('late') ?? 1)
  })
})
