import { afterEach, describe, expect, it, vi } from 'vitest'
import { scriptedModel, type ScriptedModel } from '../../testing/index.ts'
import { type Answer, ask, type AskOptions, chainOfAgents, type Limits, mapReduce } from '../../workflows/index.ts'
import { notes, story } from './story.ts'

const FACT = 'The captain buried the gold under the old oak.'
const QUESTION = 'Where is the gold?'
const document = story(120, { 1: FACT })

/** Finds the fact in the first chunk, and nothing in the others. */
function reader(options: Parameters<typeof scriptedModel>[0] = {}): ScriptedModel {
  return scriptedModel({
    rules: [
      { when: [FACT, 'NOTHING NEW'], answer: notes('Gold lies under the oak [q1].', FACT) },
      { when: 'NOTHING NEW', answer: 'NOTHING NEW' },
    ],
    fallback: 'Under the old oak [q1].',
    window: 900,
    maxOutput: 128,
    ...options,
  })
}

const price = { input: 1, output: 1 }
const run = (model: ScriptedModel, options: AskOptions): Promise<Answer> =>
  ask(document, QUESTION, { strategy: chainOfAgents({ model }), ...options }).result

afterEach(() => {
  vi.useRealTimers()
})

describe('a limit stops a run with what it has', () => {
  it.each<[keyof Limits, Limits]>([
    ['calls', { calls: 2 }],
    ['tokens', { tokens: 1_900 }],
    ['usd', { usd: 0.0019 }],
  ])('on %s, before the call that would pass it', async (name, limits) => {
    const model = reader({ price })
    const { status, reason, citations, coverage, usage } = await run(model, { limits })
    expect({ status, reason }).toEqual({ status: 'stopped', reason: expect.stringContaining(name) as unknown })
    expect(citations.map(({ quote }) => quote)).toEqual([FACT])
    expect(usage.calls).toBe(model.calls.length)
    expect(usage.calls).toBeLessThanOrEqual(2)
    expect(usage.inputTokens + usage.outputTokens).toBeLessThanOrEqual(1_900)
    expect(coverage.read + coverage.empty).toBe(usage.calls)
  })

  it('on seconds, in the middle of a call', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const model = reader({ faults: [{ kind: 'hang', calls: [2] }] })
    const asking = ask(document, QUESTION, { strategy: chainOfAgents({ model }), limits: { seconds: 60 } })
    for await (const event of asking) if (event.type === 'step.started' && event.path === 'chain/forward/1') break
    vi.advanceTimersByTime(60_000)
    const { status, reason, citations } = await asking.result
    expect({ status, reason }).toEqual({ status: 'stopped', reason: 'the limit of 60 seconds was reached' })
    expect(citations.map(({ quote }) => quote)).toEqual([FACT])
    expect(model.running).toBe(0)
  })

  it('and says of every chunk what became of it', async () => {
    const whole = await run(reader(), {})
    const { coverage } = await run(reader(), { limits: { calls: 2 } })
    expect(coverage).toMatchObject({ total: whole.coverage.total, read: 1, skipped: whole.coverage.total - 2 })
    const skipped = coverage.chunks.filter(({ outcome }) => outcome === 'skipped')
    expect(skipped.map(({ reason }) => reason)).toEqual([
      'the limit of 2 calls would be passed by the next call (3)',
      'the run ended before it was read',
    ])
    expect(skipped.at(-1)?.end).toBe(document.text.length)
  })
})

describe('what a limit counts', () => {
  it('is every attempt of a call, also of one that fails for good', async () => {
    const model = reader({ faults: [{ kind: 'server-error', calls: [1, 2, 3] }] })
    const clock = { now: () => 0, sleep: () => Promise.resolve() }
    const strategy = mapReduce({ model, concurrency: 1 })
    const { status, usage } = await ask(document, QUESTION, { strategy, call: { retries: 2, clock }, limits: { calls: 4 } }).result
    expect({ status, calls: usage.calls }).toEqual({ status: 'stopped', calls: 4 })
    expect(model.calls).toHaveLength(4)
  })

  it('has a price: a limit of dollars is refused where it is not known, before anything is sent', async () => {
    const model = reader()
    await expect(run(model, { limits: { usd: 1 } })).rejects.toThrow(
      'Cannot keep a limit of 1 usd as the price of the model is not known. Give the strategy description: { price }',
    )
    expect(model.calls).toEqual([])
    const strategy = chainOfAgents({ model, description: { price } })
    expect(await ask(document, QUESTION, { strategy, limits: { usd: 1 } }).result).toMatchObject({ status: 'answered' })
  })
})

describe('a run that nobody watches', () => {
  it('goes on to its end, and keeps no event for who comes late', async () => {
    const asking = ask(document, QUESTION, { strategy: chainOfAgents({ model: reader() }) })
    await asking.result
    const late: unknown[] = []
    for await (const event of asking) late.push(event)
    expect(late).toEqual([])
  })

  it('may fail: the process hears nothing of it', async () => {
    const heard: unknown[] = []
    const hear = (reason: unknown): void => void heard.push(reason)
    process.on('unhandledRejection', hear)
    try {
      const model = reader({ fallback: '', rules: [] })
      const asking = ask(document, QUESTION, { strategy: chainOfAgents({ model, maxUnit: 1e9 }) })
      for await (const event of asking) if (event.type === 'run.failed') expect(event.error).toBeInstanceOf(Error)
      await new Promise((resolve) => setImmediate(resolve))
      expect(heard).toEqual([])
    } finally {
      process.off('unhandledRejection', hear)
    }
  })
})
