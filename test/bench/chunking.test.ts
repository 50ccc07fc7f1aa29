import { describe, expect, it } from 'vitest'
import { measureChunking } from '../../bench/chunking.ts'
import { joinSpans, parseCorpus } from '../../bench/chunking-data.ts'
import { withinBudget } from '../../bench/chunking-runs.ts'
import { precisionOmega, scoreSpans } from '../../bench/chunking-score.ts'
import { chunkingSystems } from '../../bench/chunking-systems.ts'
import { tokenRuler } from '../../bench/token-ruler.ts'
import { scriptedEmbedder } from '../../testing/index.ts'

const countWords = (text: string): number => text.match(/\S+/g)?.length ?? 0

describe('scoreSpans()', () => {
  const references = [
    { start: 10, end: 20 },
    { start: 50, end: 60 },
  ]
  it.each([
    ['nothing', [], [0, 0, 0]],
    ['all and no more', references, [1, 1, 1]],
    ['one of two', [{ start: 10, end: 20 }], [0.5, 1, 0.5]],
    ['half of one in a larger span', [{ start: 15, end: 35 }], [0.25, 0.25, 5 / 35]],
    [
      'the same twice, which costs twice',
      [
        { start: 10, end: 20 },
        { start: 10, end: 20 },
      ],
      [0.5, 0.5, 10 / 30],
    ],
  ])('scores %s', (_, spans, [recall, precision, iou]) => {
    const score = scoreSpans(spans, references)
    expect(score.recall).toBeCloseTo(recall!)
    expect(score.precision).toBeCloseTo(precision!)
    expect(score.iou).toBeCloseTo(iou!)
  })

  it('gives the best precision that the cuts allow', () => {
    const chunks = [0, 20, 40, 60].map((start) => ({ start, end: start + 20 }))
    expect(precisionOmega(chunks, references)).toBeCloseTo(0.5)
  })
})

describe('withinBudget()', () => {
  const text = 'one two three four five six seven eight nine ten'
  const ruler = tokenRuler(text, countWords)
  const span = (part: string): { start: number; end: number } => ({ start: text.indexOf(part), end: text.indexOf(part) + part.length })
  const read = (parts: readonly string[], budget: number): string[] =>
    withinBudget(parts.map(span), budget, ruler).map(({ start, end }) => text.slice(start, end).trim())

  it.each([
    ['takes the best first, in the order of the text', ['six seven', 'one two'], 4, ['one two', 'six seven']],
    ['cuts the one that goes beyond', ['six seven', 'one two'], 3, ['one', 'six seven']],
    ['reads what spans share once', ['two three four', 'three four five', 'nine'], 5, ['two three four five', 'nine']],
  ])('%s', (_, parts, budget, expected) => {
    expect(read(parts, budget)).toEqual(expected)
  })

  it('measures parts so that they add up', () => {
    const whole = ruler.tokens({ start: 0, end: text.length })
    expect(whole).toBe(10)
    expect(ruler.tokens({ start: 0, end: 9 }) + ruler.tokens({ start: 9, end: text.length })).toBeCloseTo(whole)
    expect(ruler.reach(0, 99)).toBe(text.length)
  })
})

describe('parseCorpus()', () => {
  it('turns code points into UTF-16 units and joins references that touch', () => {
    const reference = (content: string, start: number) => ({ content, start_index: start, end_index: start + Array.from(content).length })
    const row = {
      corpus: 'sea',
      text: '🐳🐳 dived. Gone.',
      questions: [{ question: 'What?', references: [reference(' dived.', 2), reference('🐳', 1)] }],
    }
    const { document, questions } = parseCorpus(row)
    expect(questions[0]?.references.map(({ start, end }) => document.slice(start, end))).toEqual(['🐳 dived.'])
    const wrong = { ...row, questions: [{ question: 'What?', references: [reference('sank.', 3)] }] }
    expect(() => parseCorpus(wrong)).toThrow(RangeError)
  })

  it('joins spans in any order', () => {
    expect(
      joinSpans([
        { start: 5, end: 9 },
        { start: 0, end: 2 },
        { start: 2, end: 6 },
      ]),
    ).toEqual([{ start: 0, end: 9 }])
  })
})

describe('measureChunking()', () => {
  const facts = Array.from(
    { length: 120 },
    (_, day) => `On day ${day} the ship Pequod${day} met vessel${day} near island${day}. The crew then slept well. Nothing else befell.`,
  )
  const text = facts.join('\n\n')
  const questions = [7, 40, 99].map((day) => {
    const content = `On day ${day} the ship Pequod${day} met vessel${day} near island${day}.`
    return {
      question: `Whom did Pequod${day} meet near island${day}?`,
      references: [{ content, start_index: text.indexOf(content), end_index: text.indexOf(content) + content.length }],
    }
  })
  const corpora = [parseCorpus({ corpus: 'log', text, questions })]

  it('compares systems at equal tokens with the floor of the same run', async () => {
    const options = { quick: true, signal: new AbortController().signal, seed: 7, log: () => {} }
    const systems = chunkingSystems().filter(({ name }) => /^(?:langchain-recursive-200|sentence-packed-50|sentences)$/.test(name))
    const { figures, items, notes } = await measureChunking(options, { corpora, systems, embedder: scriptedEmbedder(), count: countWords })
    expect(systems).toHaveLength(3)
    expect(figures['sentences: recallFused']).toBe(100)
    expect(figures['sentences: iouFusedAt5']).toBeGreaterThan(figures['langchain-recursive-200: iouFusedAt5'] ?? 100)
    expect(figures['bestRecall']).toBeGreaterThanOrEqual(figures['floorRecall'] ?? 101)
    expect(figures['tokensForFloorRecall']).toBeLessThanOrEqual(figures['budget'] ?? 0)
    expect(figures['iouGainLow']).toBeLessThanOrEqual(figures['iouGainHigh'] ?? -1)
    expect(items).toHaveLength(9)
    expect(notes?.join('\n')).toContain('| sentence-packed-50 |')
  })
})
