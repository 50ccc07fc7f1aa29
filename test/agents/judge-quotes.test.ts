import { describe, expect, it } from 'vitest'
import { type AgentContext, judgeQuotes, type Quote, quotingWorker, rankQuotes } from '../../agents/index.ts'
import { evidenceQuery } from '../../agents/judge-quotes.ts'
import { createDocument, sentencePacked } from '../../chunkers/index.ts'
import type { EvidenceModel, EvidenceQuery } from '../../models/index.ts'
import { scriptedLikelihoodModel } from '../../testing/index.ts'

const question = 'Where did the captain bury the gold?'
const texts = ['The captain buried the gold under the old oak.', 'The cook fried\nfish.', 'Nobody spoke of the storm.', 'A gull cried.']
const context: AgentContext = {
  signal: new AbortController().signal,
  call: async () => '',
  compute: async (work) => (await work(new AbortController().signal)).value,
  delta() {},
  notice() {},
}

function quotesOf(signals: Readonly<Record<string, number>> = {}): Quote[] {
  return texts.map((text, at) => ({
    id: `q${at + 1}`,
    documentId: 'd',
    chunkIndex: 0,
    // In the opposite order of the text.
    start: 1000 - 100 * at,
    end: 1000 - 100 * at + text.length,
    text,
    how: 'exact',
    signals: { words: 1, similarity: 0.1, ...signals },
  }))
}

/** Looks at the span that shares most letters with `at`. */
function watchedModel(
  at: string,
  window = 8192,
): EvidenceModel & { readonly asked: EvidenceQuery[]; readonly scored: readonly { prefix: string }[] } {
  const model = scriptedLikelihoodModel({ window })
  const asked: EvidenceQuery[] = []
  return {
    ...model,
    asked,
    scored: model.queries,
    evidenceHeads: 8,
    async evidence(queries) {
      asked.push(...queries)
      const found = await model.logProbs(queries)
      return found.map((one, index) => {
        const { prefix, spans } = queries[index] as EvidenceQuery
        return Object.assign({}, one, { weights: spans.map(({ start, end }) => (prefix.slice(start, end).includes(at) ? 0.5 : 0.01)) })
      })
    },
  }
}

describe('evidenceQuery()', () => {
  it.each(['', 'A story'])('puts all passages before the question, each a span, under the title %j', (title) => {
    const { prefix, text, spans } = evidenceQuery(title, quotesOf(), question)
    expect(spans.map(({ start, end }) => prefix.slice(start, end))).toEqual(texts.map((one) => one.replace('\n', ' ')))
    expect(prefix.endsWith('\nQuestion:')).toBe(true)
    expect(text).toBe(` ${question}`)
  })
})

describe('judgeQuotes()', () => {
  it('reads all quotations in the order of the text at once, and judges the best one by one', async () => {
    const model = watchedModel('oak')
    const judged = await judgeQuotes(model, { question, title: 'A story', quotes: quotesOf() }, context)
    expect(judged.map(({ id }) => id)).toEqual(['q1', 'q2', 'q3', 'q4'])
    expect(judged.map(({ signals }) => signals?.['evidence'])).toEqual([0.5, 0.01, 0.01, 0.01])
    expect(model.asked).toHaveLength(1)
    expect(model.asked[0]?.prefix.indexOf('gull')).toBeLessThan(model.asked[0]?.prefix.indexOf('captain') ?? 0)
    expect(judged.filter(({ signals }) => signals?.['likelihood'] !== undefined)).toHaveLength(2)
    expect(judged[0]?.signals?.['likelihood']).toBeDefined()
  })

  it('keeps the likelihoods that a worker has found', async () => {
    const model = watchedModel('oak')
    const judged = await judgeQuotes(model, { question, title: '', quotes: quotesOf({ likelihood: -7 }) }, context)
    expect(judged.every(({ signals }) => signals?.['likelihood'] === -7)).toBe(true)
    // The one query is the evidence's own.
    expect(model.scored).toHaveLength(1)
  })

  it('leaves out of the one pass what the window does not hold', async () => {
    const model = watchedModel('oak', 64 + 20)
    const judged = await judgeQuotes(model, { question, title: '', quotes: quotesOf() }, context)
    expect(model.asked[0]?.spans.length).toBeLessThan(texts.length)
    expect(judged).toHaveLength(texts.length)
  })

  it('asks nothing about nothing', async () => {
    const model = watchedModel('oak')
    expect(await judgeQuotes(model, { question, title: '', quotes: [] }, context)).toEqual([])
    expect(model.asked).toEqual([])
  })
})

describe('a quoting worker that leaves judging to its manager', () => {
  it('hands on what retrieval chose, without a call', async () => {
    const text = texts.join(' ')
    const document = createDocument({ name: 'story.txt', text, sections: [] })
    const [chunk] = [...sentencePacked().chunk(document, { maxTokens: 500, count: (part) => part.length })]
    const model = scriptedLikelihoodModel()
    const candidates = [{ start: 0, end: texts[0]!.length, score: 0.9, words: 7, similarity: 0.6 }]
    const input = { chunk: chunk!, question, candidates }
    const worker = quotingWorker(model, { judgeRetrieved: false })
    expect(worker.place(await worker.run(input, context), input)).toMatchObject({
      found: true,
      quotes: [{ text: texts[0], score: 0.9, signals: { words: 7, similarity: 0.6 } }],
    })
    expect(model.queries).toEqual([])
  })
})

describe('rankQuotes()', () => {
  it('ranks what the model looked at first, and takes an unknown likelihood for the least', () => {
    const quotes = quotesOf()
    const withSignal = (name: string, values: readonly (number | undefined)[]): Quote[] =>
      quotes.map((quote, at) =>
        Object.assign({}, quote, { signals: Object.assign({}, quote.signals, values[at] === undefined ? {} : { [name]: values[at] }) }),
      )
    expect(rankQuotes('Why?', withSignal('evidence', [0.1, 0.1, 0.4, 0.1]))[0]?.id).toBe('q3')
    expect(rankQuotes('Why?', withSignal('likelihood', [undefined, undefined, -9, -5]))[0]?.id).toBe('q4')
  })
})
