import { describe, expect, it } from 'vitest'
import { createDocument, defineChunker, sentencePacked } from '../../chunkers/index.ts'

const words = (text: string): number => text.match(/\S+/g)?.length ?? 0
const cut = (text: string, maxTokens: number): string[] =>
  [...sentencePacked().chunk(createDocument({ text, name: 'a.txt' }), { maxTokens, count: words })].map((chunk) => chunk.text)

describe('sentencePacked', () => {
  it('packs whole sentences up to the budget', () => {
    expect(cut('One two three. Four five. Six seven eight nine. Ten.', 5)).toEqual([
      'One two three. Four five.',
      'Six seven eight nine. Ten.',
    ])
  })

  it('cuts a sentence above the budget at clauses, and gives no empty chunk before it', () => {
    expect(cut('one two three, four five six, seven. Eight.', 4)).toEqual(['one two three,', 'four five six, seven.', 'Eight.'])
  })

  it('ends a chunk that is 60 % full before a new section, and runs on in one that is not', () => {
    const section = (n: number, text: string): string => `CHAPTER ${n}.\n\n${text}\n\n`
    const full = section(1, 'One two three four five.') + section(2, 'Six seven.')
    expect(cut(full, 11)).toEqual(['CHAPTER 1.\n\nOne two three four five.', 'CHAPTER 2.\n\nSix seven.'])
    const sparse = section(1, 'One.') + section(2, 'Six seven.')
    expect(cut(sparse, 11)).toEqual(['CHAPTER 1.\n\nOne.\n\nCHAPTER 2.\n\nSix seven.'])
  })

  it('names the sections at the start of each chunk', () => {
    const document = createDocument({ text: '# A\n\nOne two three.\n\n## B\n\nFour five six.', name: 'a.md' })
    const chunks = [...sentencePacked().chunk(document, { maxTokens: 5, count: words })]
    expect(chunks.map(({ sections }) => sections)).toEqual([['A'], ['A', 'B']])
  })

  it('stays linear: the calls and the characters counted grow with the text', () => {
    for (const repeats of [200, 2000]) {
      let calls = 0
      let counted = 0
      const count = (text: string): number => {
        calls++
        counted += text.length
        return Math.ceil(text.length / 4)
      }
      const text = 'The whale rose from the deep sea. It breathed. '.repeat(repeats)
      const chunks = [...sentencePacked().chunk(createDocument({ text, name: 'a' }), { maxTokens: 300, count })]
      expect(calls).toBeLessThanOrEqual(2 * repeats + 8 * chunks.length)
      expect(counted).toBeLessThanOrEqual(7 * text.length)
    }
  })

  it('names the numbers when one character has more tokens than the budget', () => {
    const document = createDocument({ text: 'a 🐳', name: 'a' })
    expect(() => [...sentencePacked().chunk(document, { maxTokens: 3, count: Buffer.byteLength })]).toThrow(
      new RangeError('Cannot cut at offset 2 as one character has 4 tokens, more than maxTokens: 3'),
    )
  })

  it('stops between chunks when its signal aborts', () => {
    const controller = new AbortController()
    const document = createDocument({ text: 'One two. Three four. Five six.', name: 'a' })
    const seen: string[] = []
    const read = (): void => {
      for (const { text } of sentencePacked().chunk(document, { maxTokens: 2, count: words, signal: controller.signal })) {
        seen.push(text)
        controller.abort(new Error('enough'))
      }
    }
    expect(read).toThrow('enough')
    expect(seen).toEqual(['One two.'])
  })
})

describe('defineChunker', () => {
  it.each([
    [
      'out of order',
      [
        [0, 3],
        [2, 5],
      ],
      'starts before the end of the one in front of it, 3: [2, 5)',
    ],
    ['outside', [[0, 9]], 'lies outside [0, 7]: [0, 9)'],
    [
      'in a surrogate pair',
      [
        [0, 6],
        [6, 7],
      ],
      'cuts a surrogate pair: [0, 6)',
    ],
    [
      'with a gap',
      [
        [0, 1],
        [2, 7],
      ],
      'no span holds the text at [1, 2)',
    ],
    ['that stop early', [[0, 5]], 'no span holds the text at [5, 7)'],
  ])('refuses spans %s, with the numbers', (_label, spans, message) => {
    const chunker = defineChunker({ name: 'own', version: 1, cut: () => spans as [number, number][] })
    const document = createDocument({ text: 'abcde🐳', name: 'a' })
    expect(() => [...chunker.chunk(document, { maxTokens: 9, count: words })]).toThrow(message)
  })
})
