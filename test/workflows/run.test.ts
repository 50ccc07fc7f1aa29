import { describe, expect, it } from 'vitest'
import { RunError } from '../../errors/index.ts'
import { scriptedModel, type ScriptedModel } from '../../testing/index.ts'
import { ask, chainOfAgents, createMemoryJournal, defineStrategy, type Journal, plan, type RunEvent } from '../../workflows/index.ts'
import { collect, notes, story } from './story.ts'

const FACT = 'The captain buried the gold under the old oak.'
const document = story(120, { 70: FACT })

/** Works as a worker (finds the fact) and as a manager (answers from the notes). */
function reader(options: Parameters<typeof scriptedModel>[0] = {}): ScriptedModel {
  return scriptedModel({
    rules: [
      {
        when: ({ prompt }) => prompt.includes(FACT) && prompt.includes('NOTHING NEW'),
        answer: notes('Gold lies under the oak [q1].', FACT),
      },
      { when: 'NOTHING NEW', answer: 'NOTHING NEW' },
      { when: 'oak', answer: 'Under the old oak [q1].' },
    ],
    fallback: 'NOT FOUND',
    window: 900,
    maxOutput: 128,
    ...options,
  })
}

/** The methods of a journal, bound. */
function methodsOf(journal: Journal): Journal {
  return Object.assign(Object.create(journal), {
    getStep: journal.getStep.bind(journal),
    findStep: journal.findStep.bind(journal),
    putStep: journal.putStep.bind(journal),
  }) as Journal
}

/** A server that does not know the key. */
function refused(): ScriptedModel {
  return scriptedModel({
    fallback: () => {
      throw Object.assign(new Error('401 Incorrect key'), { status: 401 })
    },
    window: 900,
    maxOutput: 128,
  })
}

const question = 'Where is the gold?'

describe('ask', () => {
  it('answers with a quotation that is in the document, coverage of every chunk and usage', async () => {
    const model = reader()
    const answer = await ask(document, question, { strategy: chainOfAgents({ model }) }).result
    expect(answer.status).toBe('answered')
    expect(answer.text).toContain('Under the old oak')
    const [citation] = answer.citations
    expect(citation && document.slice(citation.start, citation.end)).toBe(FACT)
    expect(answer.coverage.total).toBeGreaterThan(3)
    expect(answer.coverage.read + answer.coverage.empty).toBe(answer.coverage.total)
    expect(answer.usage.calls).toBe(model.calls.length)
    expect(answer.usage.inputTokens).toBeGreaterThan(1000)
  })

  it('nests its events: every start has its end, and iterating agrees with the result', async () => {
    const run = ask(document, question, { strategy: chainOfAgents({ model: reader() }) })
    const events = await collect(run)
    const answer = await run.result
    expect(events[0]).toMatchObject({ type: 'run.started', runId: run.id, strategy: 'chain-of-agents' })
    expect(events.at(-1)).toEqual({ type: 'run.finished', answer })
    for (const kind of ['worker', 'step'] as const) {
      const started = events.filter(({ type }) => type === `${kind}.started`).map((event) => (event as { path: string }).path)
      const ended = events.filter(({ type }) => type === `${kind}.finished`).map((event) => (event as { path: string }).path)
      expect(started.length).toBeGreaterThan(3)
      expect(ended.toSorted()).toEqual(started.toSorted())
    }
    const text = events.filter((event): event is RunEvent & { type: 'answer.delta' } => event.type === 'answer.delta')
    expect(
      text
        .map((event) => event.text)
        .join('')
        .trim(),
    ).toContain('Under the old oak')
  })

  it('is not-found when no chunk holds an answer', async () => {
    const answer = await ask(story(40), question, { strategy: chainOfAgents({ model: reader() }) }).result
    expect(answer.status).toBe('not-found')
    expect(answer.citations).toEqual([])
  })

  it('answers the same run again from the journal without a call, and calls again when fresh', async () => {
    const journal = createMemoryJournal()
    const model = reader()
    const options = { strategy: chainOfAgents({ model }), journal }
    const first = await ask(document, question, options).result
    const calls = model.calls.length
    const second = await ask(document, question, options).result
    expect(model.calls.length).toBe(calls)
    expect(second.usage.calls).toBe(0)
    expect(second.usage.reused).toBeGreaterThan(3)
    expect(second.citations).toEqual(first.citations)
    await ask(document, question, { ...options, fresh: true }).result
    expect(model.calls.length).toBe(2 * calls)
  })

  it('stops before a limit is passed, with what it has, and resumes without repeating a recorded call', async () => {
    const journal = createMemoryJournal()
    const model = reader()
    const strategy = chainOfAgents({ model })
    const stopped = await ask(document, question, { strategy, journal, limits: { calls: 3 } }).result
    expect(stopped).toMatchObject({ status: 'stopped', usage: { calls: 3 } })
    expect(stopped.reason).toContain('3 calls')
    expect(model.calls.length).toBe(3)
    const answer = await ask(document, question, { strategy, journal, resume: stopped.runId }).result
    expect(answer.status).toBe('answered')
    expect(answer.runId).toBe(stopped.runId)
    expect(answer.usage.reused).toBe(3)
    expect(model.calls.length).toBe(3 + answer.usage.calls)
  })

  it('ends with what it has when it is cancelled, and leaves nothing running', async () => {
    const model = reader({ faults: [{ kind: 'hang', calls: [3] }] })
    const run = ask(document, question, { strategy: chainOfAgents({ model }) })
    for await (const event of run) if (event.type === 'step.started' && event.path === 'chain/forward/2') run.cancel('enough')
    expect(await run.result).toMatchObject({ status: 'stopped', reason: 'enough' })
    expect(run.signal.aborted).toBe(true)
  })

  it('ends at once when it is cancelled, or out of time, before its source is open', async () => {
    const cancelled = ask(document, question, { strategy: chainOfAgents({ model: reader() }) })
    cancelled.cancel('never mind')
    const nothing = { text: '', citations: [], coverage: { total: 0 }, usage: { calls: 0 } }
    expect(await cancelled.result).toMatchObject({ status: 'stopped', reason: 'never mind', ...nothing })
    // Opening waits for a server that never answers.
    const fetch = (_: unknown, { signal }: { signal?: AbortSignal } = {}): Promise<never> =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)))
    const late = ask('https://ships.example/log.txt', question, {
      strategy: chainOfAgents({ model: reader() }),
      reading: { allowUrls: true, fetch: fetch as typeof globalThis.fetch },
      limits: { seconds: 0.01 },
    })
    expect(await late.result).toMatchObject({ status: 'stopped', reason: expect.stringContaining('0.01 seconds'), ...nothing })
  })

  it("rejects with the reason of the caller's signal, before it starts and under way", async () => {
    const reason = new Error('no longer needed')
    const before = ask(document, question, { strategy: chainOfAgents({ model: reader() }), signal: AbortSignal.abort(reason) })
    await expect(before.result).rejects.toBe(reason)
    const controller = new AbortController()
    const model = reader({ faults: [{ kind: 'hang', calls: [2] }] })
    const run = ask(document, question, { strategy: chainOfAgents({ model }), signal: controller.signal })
    const events: RunEvent[] = []
    for await (const event of run) {
      events.push(event)
      if (event.type === 'step.started' && event.path === 'chain/forward/1') controller.abort(reason)
    }
    await expect(run.result).rejects.toBe(reason)
    expect(events.at(-1)).toMatchObject({ type: 'run.failed', error: reason })
    expect(events.filter(({ type }) => type === 'worker.started').length).toBe(
      events.filter(({ type }) => type === 'worker.finished').length,
    )
  })

  it('is partial when a chunk fails for good, and says which', async () => {
    const model = reader({ faults: [{ kind: 'server-error', calls: [1] }] })
    const strategy = defineStrategy({
      name: 'one-fails',
      version: 1,
      async run({ chunks, step, question: asked }) {
        const { writingWorker } = await import('../../agents/index.ts')
        for await (const chunk of chunks) await step(writingWorker(model), { chunk, question: asked ?? '' }).catch(() => undefined)
        return { text: 'done' }
      },
    })
    const answer = await ask(story(4), question, { strategy, call: { retries: 0 } }).result.catch((error: unknown) => error)
    expect(answer).toMatchObject({ status: 'partial', coverage: { failed: 1 } })
  })

  it('holds the next step while it is paused', async () => {
    const model = reader()
    const run = ask(document, question, { strategy: chainOfAgents({ model }) })
    const seen: string[] = []
    for await (const event of run) {
      seen.push(event.type)
      if (event.type === 'step.finished' && event.path === 'chain/forward/1') {
        run.pause()
        setTimeout(() => run.resume(), 5)
      }
    }
    expect(seen.filter((type) => type === 'run.paused' || type === 'run.resumed')).toEqual(['run.paused', 'run.resumed'])
    const between = seen.slice(seen.indexOf('run.paused'), seen.indexOf('run.resumed'))
    expect(between.filter((type) => type === 'step.started')).toEqual([])
    expect((await run.result).status).toBe('answered')
  })

  it('fails with the model when it cannot be reached, and an unobserved failure does not end the process', async () => {
    const strategy = chainOfAgents({ model: refused() })
    ask(document, question, { strategy })
    await expect(ask(document, question, { strategy }).result).rejects.toMatchObject({ name: 'ModelError', reason: 'authentication' })
  })

  it('keeps a snapshot under 10 KB for a run of 10,000 steps', async () => {
    const journal = createMemoryJournal()
    const sizes: number[] = []
    const strategy = defineStrategy({
      name: 'many-steps',
      version: 1,
      async run({ step }) {
        const agent = {
          name: 'instant',
          version: 1,
          identity: '',
          key: (input: number) => input,
          run: async (input: number) => ({ doubled: input * 2, text: 'x'.repeat(1000) }),
          place: (recorded: { doubled: number }) => recorded.doubled,
          estimate: () => ({ calls: 0, inputTokens: 0, outputTokens: 0 }),
        }
        for (let place = 0; place < 10_000; place++) await step(agent, place)
        return { text: 'done' }
      },
    })
    const watched = Object.assign(methodsOf(journal), {
      putRun: async (run: Parameters<typeof journal.putRun>[0]) => void sizes.push(run.snapshot.length),
    })
    await ask(story(1), question, { strategy, journal: watched }).result
    expect(Math.max(...sizes)).toBeLessThan(10_000)
    expect(sizes.length).toBeGreaterThan(1)
  })

  it.each([
    ['an empty question', () => ask(document, '  '), TypeError],
    [
      'a negative limit',
      () => ask(document, question, { limits: { calls: -1 }, strategy: chainOfAgents({ model: reader() }) }),
      RangeError,
    ],
  ])('refuses %s at once', (_, start, kind) => {
    expect(start).toThrow(kind)
  })

  it('refuses to resume what it does not know, and a run of another question', async () => {
    const journal = createMemoryJournal()
    const strategy = chainOfAgents({ model: reader() })
    await expect(ask(document, question, { strategy, journal, resume: 'nobody' }).result).rejects.toBeInstanceOf(RunError)
    const { runId } = await ask(document, question, { strategy, journal, limits: { calls: 1 } }).result
    await expect(ask(document, 'Who is it?', { strategy, journal, resume: runId }).result).rejects.toThrow(/question/)
  })

  it('reads several documents, and cites each by name', async () => {
    const other = story(30, { 3: 'The mate hid the map in a barrel.' })
    const answer = await ask([document, other], question, { strategy: chainOfAgents({ model: reader() }) }).result
    expect(answer.citations[0]?.document).toBe('story.txt')
    expect(new Set(answer.coverage.chunks.map(({ documentId }) => documentId)).size).toBe(2)
  })
})

describe('plan', () => {
  it('prices a run without a call, and never below what it takes', async () => {
    const model = reader({ price: { input: 1, output: 1 } })
    const strategy = chainOfAgents({ model, paths: 'both' })
    const priced = await plan(document, question, { strategy })
    expect(model.calls).toEqual([])
    const { usage } = await ask(document, question, { strategy }).result
    expect(priced.calls).toBeGreaterThanOrEqual(usage.calls)
    expect(priced.inputTokens + priced.outputTokens).toBeGreaterThanOrEqual(usage.inputTokens + usage.outputTokens)
    expect(priced.usd).toBeGreaterThanOrEqual(usage.usd ?? Infinity)
  })
})
