import { describe, expect, it } from 'vitest'
import { createWordIndex } from '../../memory/bm25.ts'
import { stemWord } from '../../memory/stem-word.ts'
import { indexTerms, splitWords } from '../../memory/words.ts'

describe('splitWords', () => {
  it.each([
    ['', []],
    [' \n\t—…', []],
    ['The White Whale', ['the', 'white', 'whale']],
    ['Éowyn’s naïve façade', ['eowyn', 'naive', 'facade']],
    ['e\u0301', ['e']],
    ["it's Ahab's; they'll go, don't", ['it', 'ahab', 'they', 'go', 'do']],
    ['1,000,000 and 3.14', ['1000000', 'and', '3', '14']],
    ['ﬁne ①', ['fine', '1']],
    ['Москва ΑΘΗΝΑ', ['москва', 'αθηνα']],
    ['한국어 문장', ['한국어', '문장']],
    ['हिन्दी', ['हिन्दी']],
    ['日本語', ['日本', '本語']],
    ['鯨', ['鯨']],
    ['GPU用コード2つ', ['gpu', '用コ', 'コー', 'ード', '2', 'つ']],
    ['\ud800 whale 🐋', ['whale']],
  ])('splits %j', (text, words) => {
    expect(splitWords(text)).toEqual(words)
  })
})

describe('indexTerms', () => {
  it('leaves stop words out and stems the rest', () => {
    expect(indexTerms('Who was hunting the white whales?')).toEqual(['hunt', 'white', 'whale'])
  })
})

describe('stemWord', () => {
  it.each([
    ['caresses', 'caress'],
    ['ponies', 'poni'],
    ['cats', 'cat'],
    ['caress', 'caress'],
    ['feed', 'feed'],
    ['agreed', 'agre'],
    ['plastered', 'plaster'],
    ['bled', 'bled'],
    ['motoring', 'motor'],
    ['sing', 'sing'],
    ['conflated', 'conflat'],
    ['troubled', 'troubl'],
    ['sized', 'size'],
    ['hopping', 'hop'],
    ['falling', 'fall'],
    ['hissing', 'hiss'],
    ['filing', 'file'],
    ['happy', 'happi'],
    ['sky', 'sky'],
    ['relational', 'relat'],
    ['conditional', 'condit'],
    ['digitizer', 'digit'],
    ['radically', 'radic'],
    ['differently', 'differ'],
    ['vietnamization', 'vietnam'],
    ['hopefulness', 'hope'],
    ['formality', 'formal'],
    ['triplicate', 'triplic'],
    ['electricity', 'electr'],
    ['goodness', 'good'],
    ['revival', 'reviv'],
    ['allowance', 'allow'],
    ['replacement', 'replac'],
    ['adoption', 'adopt'],
    ['effective', 'effect'],
    ['probate', 'probat'],
    ['rate', 'rate'],
    ['cease', 'ceas'],
    ['controlling', 'control'],
    ['rolling', 'roll'],
    ['yellowing', 'yellow'],
    ['archaeology', 'archaeolog'],
    ['geology', 'geologi'],
    ['as', 'as'],
    ['москва', 'москва'],
    ['1990s', '1990s'],
  ])('takes %s to %s', (word, stem) => {
    expect(stemWord(word)).toBe(stem)
  })
})

describe('createWordIndex', () => {
  it('scores by the formula of BM25', () => {
    const index = createWordIndex()
    index.add(1, ['whale', 'whale', 'ship'])
    index.add(2, ['ship'])
    const inverse = Math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    const expected = (inverse * 2 * 2.2) / (2 + 1.2 * (1 - 0.75 + (0.75 * 3) / 2))
    expect(index.scores(['whale', 'whale', 'absent'])).toEqual(new Map([[1, expected]]))
  })

  it('ranks the rare term above the common one and the short entry above the long', () => {
    const index = createWordIndex()
    index.add(1, ['common', 'rare'])
    index.add(2, ['common', 'common'])
    index.add(3, ['common', ...Array.from({ length: 30 }, () => 'filler')])
    const scores = index.scores(['common', 'rare'])
    expect(scores.get(1)).toBeGreaterThan(scores.get(2) ?? 0)
    expect(scores.get(2)).toBeGreaterThan(scores.get(3) ?? 0)
  })

  it('is after removing and replacing as if the entry had never been', () => {
    const [changed, fresh] = [createWordIndex(), createWordIndex()]
    changed.add(1, ['whale'])
    changed.add(2, ['ship', 'rope'])
    changed.add(2, ['rope'])
    changed.remove(1)
    changed.remove(7)
    fresh.add(2, ['rope'])
    expect(changed.scores(['whale', 'ship', 'rope'])).toEqual(fresh.scores(['whale', 'ship', 'rope']))
    changed.remove(2)
    expect(changed.scores(['rope'])).toEqual(new Map())
  })
})
