import { describe, expect, it } from 'vitest'
import { answerConfidence, openWords } from '../../agents/answer-confidence.ts'
import { answerType } from '../../agents/answer-type.ts'
import { groupQuotes } from '../../agents/group-quotes.ts'
import {
  type AgentContext,
  emptyUnit,
  findCandidates,
  isGrounded,
  type Quote,
  quoteManager,
  type QuotingInput,
  quotingWorker,
  rankQuotes,
} from '../../agents/index.ts'
import { createDocument, sentencePacked } from '../../chunkers/index.ts'
import { ContextOverflowError } from '../../errors/index.ts'
import { scriptedLikelihoodModel, scriptedModel } from '../../testing/index.ts'

const FACT = 'The captain buried the gold under the old oak.'
const text = `The crew mended sails all day. ${FACT} The cook fried fish for supper. Nobody spoke of the storm.`
const document = createDocument({ name: 'story.txt', text, sections: [] })
const [chunk] = [...sentencePacked().chunk(document, { maxTokens: 500, count: (part) => part.length })]
const question = 'Where did the captain bury the gold?'

const context: AgentContext = {
  signal: new AbortController().signal,
  call: async ({ model, messages }) => String((await model.invoke([...messages])).content),
  compute: async (work) => (await work(new AbortController().signal)).value,
  delta() {},
  notice() {},
}

function quote(part: Partial<Quote> & { text: string }): Quote {
  return { id: 'q1', documentId: 'd', chunkIndex: 0, start: 0, end: part.text.length, how: 'exact', ...part }
}

describe('quotingWorker()', () => {
  it('finds the sentence that makes the question likely, set in the document', async () => {
    const worker = quotingWorker(scriptedLikelihoodModel())
    const input = { chunk: chunk!, question }
    const { found, quotes, unit } = worker.place(await worker.run(input, context), input)
    expect(found).toBe(true)
    const best = quotes.toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0))[0]
    expect(best && document.slice(best.start, best.end)).toBe(FACT)
    expect(unit.quotes).toEqual(quotes)
  })

  it('finds nothing where no passage shares a word, without a call', async () => {
    const model = scriptedLikelihoodModel()
    const worker = quotingWorker(model)
    const recorded = await worker.run({ chunk: chunk!, question: 'Which planet has rings?' }, context)
    expect(recorded).toMatchObject({ found: false, quotes: [] })
    expect(model.queries).toEqual([])
  })

  it('judges the candidates that retrieval chose, each with the baseline of no passage', async () => {
    const model = scriptedLikelihoodModel()
    const start = text.indexOf(FACT)
    const candidates = [{ start, end: start + FACT.length, score: 0.9, words: 7, similarity: 0.6 }]
    const worker = quotingWorker(model)
    const input = { chunk: chunk!, question, candidates, title: 'A story' }
    const { quotes } = worker.place(await worker.run(input, context), input)
    expect(model.queries).toHaveLength(2)
    expect(model.queries[0]?.prefix).toBe(`Passage: A story. ${FACT}\nQuestion:`)
    expect(quotes[0]?.signals).toMatchObject({ words: 7, similarity: 0.6, tokens: 7 })
  })

  it('takes up a reading where only what retrieval says has changed', async () => {
    const worker = quotingWorker(scriptedLikelihoodModel())
    const start = text.indexOf(FACT)
    const input = (words: number): QuotingInput => ({
      chunk: chunk!,
      question,
      candidates: [{ start, end: start + FACT.length, score: words / 10, words, similarity: 0.6 }],
    })
    expect(worker.key(input(5))).toEqual(worker.key(input(7)))
    const recorded = await worker.run(input(7), context)
    const [before] = worker.place(recorded, input(7)).quotes
    const [after] = worker.place(recorded, input(5)).quotes
    expect([before?.signals?.['words'], after?.signals?.['words']]).toEqual([7, 5])
    expect(after?.score).toBe(before?.score)
  })

  it('has a key that does not know where the chunk stands', () => {
    const worker = quotingWorker(scriptedLikelihoodModel())
    const moved = { ...chunk!, index: 9, start: 1000, end: 1000 + chunk!.text.length, documentId: 'other' }
    expect(worker.key({ chunk: moved, question })).toEqual(worker.key({ chunk: chunk!, question }))
  })

  it('keeps the best quotations where there are too many, and says so', async () => {
    const worker = quotingWorker(scriptedLikelihoodModel(), { maxQuotes: 1 })
    const unit = { notes: '', quotes: [quote({ text: 'weak', score: -1 })] }
    const input = { chunk: chunk!, question, unit }
    const output = worker.place(await worker.run(input, context), input)
    expect(output.unit.quotes.map((one) => one.text)).toEqual([FACT])
    expect(output.flags).toContain('evidence-dropped')
  })

  it('refuses a question that does not fit, and a summary', async () => {
    const worker = quotingWorker(scriptedLikelihoodModel({ window: 200 }))
    expect(() => worker.chunkBudget('why '.repeat(300))).toThrow(ContextOverflowError)
    await expect(worker.run({ chunk: chunk! }, context)).rejects.toThrow(/summarise/)
  })
})

describe('quoteManager()', () => {
  const best = quote({ id: 'q2', text: FACT, signals: { likelihood: -5, baseline: -25, tokens: 7, weakest: 0, words: 9, similarity: 0.8 } })
  const poor = quote({
    id: 'q1',
    text: 'The cook fried fish.',
    start: 200,
    end: 220,
    signals: { likelihood: -24, baseline: -25, tokens: 7, weakest: 0, words: 1, similarity: 0.1 },
  })
  const manager = (answer: string) => quoteManager(Object.assign(scriptedModel({ fallback: answer }), scriptedLikelihoodModel()))

  it.each([
    ['grounded words', 'under the old oak', 'under the old oak'],
    ['words that are not there', 'in the cellar', FACT],
    ['the question again', 'The captain buried the gold', FACT],
  ])('answers with %s', async (_, written, shown) => {
    const output = await manager(written).run({ question, unit: { notes: '', quotes: [poor, best] } }, context)
    expect(output).toMatchObject({ status: 'answered', text: shown })
    expect(output.quoteIds[0]).toBe('q2')
  })

  it('finds nothing in nothing, and shows the closest passages where none answers', async () => {
    expect(await manager('x').run({ question, unit: emptyUnit }, context)).toMatchObject({ status: 'not-found', quoteIds: [] })
    const asked = 'What did Admiral Nelson never give Napoleon in 1805?'
    expect(await manager('x').run({ question: asked, unit: { notes: '', quotes: [poor] } }, context)).toMatchObject({
      status: 'not-found',
      quoteIds: ['q1'],
    })
  })
})

describe('ranking', () => {
  it('adds up likelihood, words, similarity and the kind of answer', () => {
    const quotes = [
      quote({ text: 'no', signals: { likelihood: -20, words: 2, similarity: 0.2 } }),
      quote({ text: 'yes', signals: { likelihood: -10, words: 8, similarity: 0.7 } }),
    ]
    const ranked = rankQuotes('Why?', quotes)
    expect(ranked.map((one) => one.text)).toEqual(['yes', 'no'])
    expect(ranked.every(({ score }) => score >= 0 && score <= 1)).toBe(true)
  })

  it.each([
    ['When was it built?', 'It was built in 1889.', 1],
    ['When was it built?', 'It was built of iron.', 0],
    ['How many ships sailed?', 'Seven ships sailed.', 1],
    ['Who commands it?', 'The ship is commanded by Ahab.', 1],
    ['Who is Ahab?', 'That is Ahab.', 0],
    ['Why did they sail?', 'They sailed for oil.', 0.5],
  ])('%s %s gives %d', (asked, passage, expected) => {
    expect(answerType(asked, passage)).toBe(expected)
  })

  it('joins a quotation with the neighbour that touches it, where both fit', () => {
    const a = quote({ id: 'a', text: 'One two.', start: 0, end: 8 })
    const b = quote({ id: 'b', text: 'Three.', start: 9, end: 15 })
    const far = quote({ id: 'c', text: 'Far.', start: 90, end: 94 })
    const options = { most: 2, maxTokens: 4, count: (part: string) => part.split(' ').length }
    expect(groupQuotes([b, far, a], options).map((group) => group.map(({ id }) => id))).toEqual([['a', 'b'], ['c']])
    expect(groupQuotes([b, far, a], { ...options, maxTokens: 2 }).map((group) => group.length)).toEqual([1, 1])
  })
})

describe('confidence', () => {
  it.each([
    ['What did Nelson win in 1805?', 'Nelson won at Trafalgar in 1805.', { negation: false, names: 0, numbers: false }],
    ['What did Nelson win in 1805?', 'He won in 1806.', { negation: false, names: 1, numbers: true }],
    ['Who was never there?', 'Ahab was never there.', { negation: true, names: 0, numbers: false }],
  ])('sees what %j leaves open', (asked, evidence, expected) => {
    expect(openWords(asked, evidence)).toEqual(expected)
  })

  it('falls with each open word, and with a word that the passage speaks against', () => {
    const ranked = [quote({ text: FACT, signals: { weakest: 0, similarity: 0.7 } })]
    const sure = answerConfidence(question, ranked, FACT)
    expect(sure).toBeGreaterThan(0.51)
    expect(answerConfidence('Where did Captain Bligh bury the gold?', ranked, FACT)).toBeLessThan(sure)
    expect(answerConfidence(question, [quote({ text: FACT, signals: { weakest: -6, similarity: 0.7 } })], FACT)).toBeLessThan(sure)
    expect(answerConfidence(question, [], '')).toBe(0)
  })

  it.each([
    ['under the old oak', true],
    ['under a new elm', false],
    ['The captain buried gold', false],
    ['', false],
  ])('takes %j as grounded: %s', (answer, expected) => {
    expect(isGrounded(question, answer, [{ text: FACT }])).toBe(expected)
  })
})

describe('findCandidates()', () => {
  it('gives the passages that share the most telling words, in the order of the text', () => {
    const [first] = findCandidates(text, question, 1)
    expect(first && text.slice(first.start, first.end)).toBe(FACT)
    expect(findCandidates('', question, 3)).toEqual([])
  })
})
