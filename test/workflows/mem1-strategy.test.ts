import { describe, expect, it } from 'vitest'
import { createDocument } from '../../chunkers/index.ts'
import { scriptedModel, type ScriptedModel } from '../../testing/index.ts'
import { ask, createMemoryJournal, mem1Strategy, plan } from '../../workflows/index.ts'
import { collect, notes, story } from './story.ts'

const FACT = 'The captain buried the gold under the old oak.'
const LATE = 'Later the mate moved the gold to the lighthouse.'
const question = 'Where is the gold?'
const document = story(160, { 60: FACT, 130: LATE })

/** Quotes what it sees of the facts; its state tells of the newest one alone. */
function reader(window = 1_000): ScriptedModel {
  return scriptedModel({
    rules: [
      { when: ({ prompt }) => isReading(prompt) && partOf(prompt).includes(FACT), answer: notes('Under the oak [q1].', FACT) },
      { when: ({ prompt }) => isReading(prompt) && partOf(prompt).includes(LATE), answer: notes('In the lighthouse [q2].', LATE) },
      { when: ({ prompt }) => isReading(prompt), answer: 'NOTHING NEW' },
      { when: /lighthouse \[(q\d+)\]/, answer: (_, match) => `In the lighthouse [${match?.[1]}].` },
    ],
    fallback: 'NOT FOUND',
    window,
    maxOutput: 128,
  })
}

function isReading(prompt: string): boolean {
  return prompt.includes('NOTHING NEW')
}

/** The text that is read, without the state. */
function partOf(prompt: string): string {
  return prompt.split('from the earlier parts:')[0] ?? ''
}

describe('mem1Strategy()', () => {
  it('answers from its state, and cites the quotation that the state refers to', async () => {
    const { status, text, citations, coverage } = await ask(document, question, { strategy: mem1Strategy({ model: reader() }) }).result
    expect([status, text, citations.map(({ quote }) => quote)]).toEqual(['answered', 'In the lighthouse.', [LATE]])
    expect([coverage.read, coverage.total]).toEqual([2, coverage.read + coverage.empty])
  })

  it('keeps quotations beside its state: they never leave, and never stand in the prompt of a reader', async () => {
    const model = reader()
    await ask(document, question, { strategy: mem1Strategy({ model }) }).result
    const readers = model.calls.filter(({ prompt }) => isReading(prompt))
    expect(readers.filter(({ prompt }) => prompt.includes(FACT))).toHaveLength(1)
    expect(model.calls.at(-1)?.prompt).toContain(`[q1] "${FACT}"`)
  })

  it('has prompts of one length, however long the text', async () => {
    const sentences = Array.from({ length: 1_200 }, (_, at) => `Sailor ${at} keeps ${at * 3} coins in berth ${at}.`)
    const model = scriptedModel({
      rules: [
        {
          when: 'NOTHING NEW',
          answer: ({ prompt }) =>
            notes(
              `Sailors keep coins: ${(prompt.match(/Sailor \d+/g) ?? []).join(', ')} [q1].`,
              partOf(prompt).match(/Sailor.*\./)?.[0] ?? '',
            ),
        },
      ],
      fallback: 'In berths.',
      window: 2_000,
      maxOutput: 400,
    })
    const source = createDocument({ text: sentences.join('\n'), name: 'coins.txt', sections: [] })
    const events = await collect(ask(source, 'Where are coins?', { strategy: mem1Strategy({ model, stateTokens: 100 }) }))
    expect(model.calls.length).toBeGreaterThan(8)
    expect(Math.max(...model.calls.map(({ promptTokens }) => promptTokens))).toBeLessThanOrEqual(2_000 - 150)
    expect(events.some((event) => event.type === 'notice.given' && event.code === 'state-cut')).toBe(true)
  })

  it('tells of quotations that it did not show to the manager', async () => {
    const sentences = Array.from({ length: 600 }, (_, at) => `Sailor ${at} keeps ${at * 3} coins in berth ${at}.`)
    const answer = ({ prompt }: { prompt: string }): string =>
      notes('Coins lie in berths.', ...(partOf(prompt).match(/Sailor \d+.*\./g) ?? []).slice(0, 8))
    const model = scriptedModel({ rules: [{ when: 'NOTHING NEW', answer }], fallback: 'In berths.', window: 2_000, maxOutput: 400 })
    const source = createDocument({ text: sentences.join('\n'), name: 'coins.txt', sections: [] })
    const events = await collect(ask(source, 'Where are coins?', { strategy: mem1Strategy({ model }) }))
    expect(events.some((event) => event.type === 'notice.given' && event.code === 'evidence-unread')).toBe(true)
    expect(model.calls.at(-1)?.prompt.match(/\[q\d+\] "/g)).toHaveLength(24)
  })

  it('takes a stopped run up where it was, and reads again only what changed', async () => {
    const whole = reader()
    await ask(document, question, { strategy: mem1Strategy({ model: whole }) }).result
    const journal = createMemoryJournal()
    const first = reader()
    const stopped = await ask(document, question, { strategy: mem1Strategy({ model: first }), journal, limits: { calls: 3 } }).result
    const second = reader()
    const { text } = await ask(document, question, { strategy: mem1Strategy({ model: second }), journal }).result
    expect([stopped.status, text]).toEqual(['stopped', 'In the lighthouse.'])
    expect(first.calls.length + second.calls.length).toBe(whole.calls.length)
  })

  it('plans two calls a chunk and two for the answer, as each may be asked for again', async () => {
    const { strategy, calls, chunks } = await plan(document, question, { strategy: mem1Strategy({ model: reader() }) })
    expect([strategy, calls]).toEqual(['mem1', 2 * (chunks + 1)])
  })
})
