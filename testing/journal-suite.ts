import type { Journal, JournalRun, JournalStep } from '../workflows/index.ts'
import { rejectionOf, type TestRunner } from './test-runner.ts'

export interface JournalSuiteOptions {
  readonly runner: TestRunner
  /** Shown in front of every test. */
  readonly name: string
  /** A new empty journal, each time it is called. */
  open(): Journal | Promise<Journal>
}

/** A recorded run with what a test does not care about filled in. */
export function journalRun(id: string, parts: Partial<JournalRun> = {}): JournalRun {
  return {
    id,
    scope: 'ada',
    status: 'running',
    strategy: 'chain-of-agents',
    question: 'Who is Ahab?',
    sources: ['whale.txt'],
    documentIds: ['whale'],
    snapshot: '{"run":{}}',
    answer: undefined,
    createdAt: 1_000,
    updatedAt: 1_000,
    ...parts,
  }
}

/** A recorded step with what a test does not care about filled in. */
export function journalStep(runId: string, path: string, parts: Partial<JournalStep> = {}): JournalStep {
  return {
    runId,
    path,
    key: `key of ${path}`,
    agent: 'writing-worker',
    output: JSON.stringify({ notes: `notes of ${path}` }),
    usage: { calls: 1, inputTokens: 20, outputTokens: 5, usd: 0.001 },
    scope: 'ada',
    documentIds: ['whale'],
    finishedAt: 2_000,
    milliseconds: 30,
    ...parts,
  }
}

/** What every journal must do. Run it over your own with `journalSuite({ name: 'my journal', open: openMine, runner: { describe, it, expect } })`. */
export function journalSuite({ runner, name, open }: JournalSuiteOptions): void {
  const { describe, it, expect } = runner

  /** A test with a journal of its own, closed at the end. */
  function test(title: string, body: (journal: Journal) => Promise<void>): void {
    it(title, async () => {
      const journal = await open()
      try {
        await body(journal)
      } finally {
        await journal.close()
      }
    })
  }

  async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
    const error = (await rejectionOf(promise)) as { name?: unknown; reason?: unknown }
    return [error.name, error.reason]
  }

  describe(`${name}: runs`, () => {
    test('gives back what was put, and nothing for an unknown run', async (journal) => {
      expect(await journal.getRun('r1')).toBe(undefined)
      await journal.putRun(journalRun('r1'))
      expect(await journal.getRun('r1')).toEqual(journalRun('r1'))
    })

    test('replaces a run of the same id', async (journal) => {
      await journal.putRun(journalRun('r1'))
      const answer = {
        status: 'answered',
        text: 'The captain.',
        citations: [],
        coverage: { total: 1, read: 1, empty: 0, failed: 0, skipped: 0, chunks: [] },
        usage: { calls: 1, inputTokens: 2, outputTokens: 3, usd: 0, reused: 0, retries: 0, milliseconds: 9 },
        runId: 'r1',
        strategy: 'stuff',
      } as const
      const done = journalRun('r1', { status: 'answered', answer, updatedAt: 3_000 })
      await journal.putRun(done)
      expect(await journal.getRun('r1')).toEqual(done)
      expect((await journal.listRuns()).length).toBe(1)
    })

    test('keeps every character of a question, also half of a surrogate pair', async (journal) => {
      const question = 'a "quote" \u0000 \ud83d\udc0b \ud83d'
      await journal.putRun(journalRun('r1', { question }))
      expect((await journal.getRun('r1'))?.question).toBe(question)
      await journal.putRun(journalRun('r2', { question: undefined }))
      expect((await journal.getRun('r2'))?.question).toBe(undefined)
    })

    test('lists runs newest first, within a limit and a scope', async (journal) => {
      await journal.putRun(journalRun('old', { createdAt: 1 }))
      await journal.putRun(journalRun('new', { createdAt: 3 }))
      await journal.putRun(journalRun('other', { createdAt: 2, scope: 'bob' }))
      const ids = (runs: readonly JournalRun[]): string[] => runs.map(({ id }) => id)
      expect(ids(await journal.listRuns())).toEqual(['new', 'other', 'old'])
      expect(ids(await journal.listRuns({ limit: 2 }))).toEqual(['new', 'other'])
      expect(ids(await journal.listRuns({ limit: 0 }))).toEqual([])
      expect(ids(await journal.listRuns({ scope: 'ada' }))).toEqual(['new', 'old'])
    })

    test('refuses a limit that is no count', async (journal) => {
      const errors = await Promise.all([-1, 1.5, Number.NaN].map((limit) => rejectionOf(journal.listRuns({ limit }))))
      expect(errors.map((error) => (error as Error).name)).toEqual(['RangeError', 'RangeError', 'RangeError'])
    })
  })

  describe(`${name}: steps`, () => {
    test('gives back what was put, by run and path', async (journal) => {
      await journal.putStep(journalStep('r1', 'chain/0'))
      expect(await journal.getStep('r1', 'chain/0')).toEqual(journalStep('r1', 'chain/0'))
      expect(await journal.getStep('r1', 'chain/1')).toBe(undefined)
      expect(await journal.getStep('r2', 'chain/0')).toBe(undefined)
    })

    test('keeps a price that is not known as not known', async (journal) => {
      await journal.putStep(journalStep('r1', 'a', { usage: { calls: 1, inputTokens: 2, outputTokens: 3 } }))
      expect((await journal.getStep('r1', 'a'))?.usage.usd).toBe(undefined)
    })

    test('keeps the first of two records of one run and path', async (journal) => {
      await journal.putStep(journalStep('r1', 'a', { output: '1' }))
      await journal.putStep(journalStep('r1', 'a', { output: '2', key: 'other' }))
      expect((await journal.getStep('r1', 'a'))?.output).toBe('1')
      expect(await journal.findStep('ada', 'other')).toBe(undefined)
      expect((await journal.listSteps('r1')).length).toBe(1)
    })

    test('finds the newest step of a key, of any run', async (journal) => {
      await journal.putStep(journalStep('r1', 'a', { key: 'k', output: '1' }))
      await journal.putStep(journalStep('r2', 'b', { key: 'k', output: '2' }))
      expect((await journal.findStep('ada', 'k'))?.output).toBe('2')
      expect(await journal.findStep('ada', 'none')).toBe(undefined)
    })

    test('finds no step of another scope', async (journal) => {
      await journal.putStep(journalStep('r1', 'a', { key: 'k', scope: 'ada' }))
      await journal.putStep(journalStep('r2', 'a', { key: 'k2', scope: '\ud800' }))
      expect(await journal.findStep('bob', 'k')).toBe(undefined)
      expect(await journal.findStep('ad', 'k')).toBe(undefined)
      expect(await journal.findStep('\udc00', 'k2')).toBe(undefined)
      expect((await journal.findStep('\ud800', 'k2'))?.runId).toBe('r2')
    })

    test('lists the steps of a run in the order they were recorded', async (journal) => {
      for (const path of ['c', 'a', 'b']) await journal.putStep(journalStep('r1', path))
      await journal.putStep(journalStep('r2', 'd'))
      expect((await journal.listSteps('r1')).map(({ path }) => path)).toEqual(['c', 'a', 'b'])
      expect(await journal.listSteps('r3')).toEqual([])
    })

    test('shares no object with its callers', async (journal) => {
      const documentIds = ['whale']
      await journal.putRun(journalRun('r1', { documentIds }))
      await journal.putStep(journalStep('r1', 'a', { documentIds }))
      documentIds.push('another')
      expect((await journal.getRun('r1'))?.documentIds).toEqual(['whale'])
      expect((await journal.getStep('r1', 'a'))?.documentIds).toEqual(['whale'])
    })
  })

  describe(`${name}: erasure`, () => {
    async function fill(journal: Journal): Promise<void> {
      await journal.putRun(journalRun('whale-run', { documentIds: ['whale', 'map'] }))
      await journal.putStep(journalStep('whale-run', 'a', { documentIds: ['whale', 'map'] }))
      await journal.putRun(journalRun('ship-run', { documentIds: ['ship'] }))
      await journal.putStep(journalStep('ship-run', 'a', { documentIds: ['ship'] }))
      await journal.putStep(journalStep('ship-run', 'b', { documentIds: ['whale'] }))
      await journal.putRun(journalRun('bob-run', { scope: 'bob' }))
      await journal.putStep(journalStep('bob-run', 'a', { scope: 'bob' }))
    }

    test('finds and erases the runs and steps of a document and counts them', async (journal) => {
      await fill(journal)
      const target = { scope: 'ada', documentIds: ['whale'] }
      const finding = await journal.findErasable(target)
      expect([finding.holder, finding.counts]).toEqual(['journal', { runs: 1, steps: 2 }])
      const texts: (string | Uint8Array)[] = []
      for await (const text of journal.erasableContent(target)) texts.push(text)
      expect(texts).toEqual(['Who is Ahab?', '{"notes":"notes of a"}', '{"notes":"notes of b"}'])
      expect(await journal.erase(target)).toEqual(finding)
      expect((await journal.findErasable(target)).counts).toEqual({ runs: 0, steps: 0 })
      expect((await journal.listRuns()).map(({ id }) => id).sort()).toEqual(['bob-run', 'ship-run'])
      expect((await journal.listSteps('ship-run')).map(({ path }) => path)).toEqual(['a'])
      expect(await journal.getStep('whale-run', 'a')).toBe(undefined)
      expect((await journal.findStep('ada', 'key of a'))?.runId).toBe('ship-run')
      expect(await journal.findStep('ada', 'key of b')).toBe(undefined)
    })

    test('erases everything of a scope and nothing of another', async (journal) => {
      await fill(journal)
      expect((await journal.erase({ scope: 'ada' })).counts).toEqual({ runs: 2, steps: 3 })
      expect((await journal.listRuns()).map(({ id }) => id)).toEqual(['bob-run'])
      expect((await journal.listSteps('bob-run')).length).toBe(1)
      expect(await journal.findStep('ada', 'key of a')).toBe(undefined)
    })

    test('takes a document id as it is, not as a pattern', async (journal) => {
      await fill(journal)
      const documentIds = ['%', 'whal', '"whale"', '","', '']
      expect((await journal.erase({ scope: 'ada', documentIds })).counts).toEqual({ runs: 0, steps: 0 })
      expect((await journal.erase({ scope: 'ada', documentIds: [] })).counts).toEqual({ runs: 0, steps: 0 })
    })

    test('erases steps that name no document with any document or record of their scope', async (journal) => {
      await fill(journal)
      await journal.putStep(journalStep('chat', 'a', { documentIds: [] }))
      expect((await journal.erase({ scope: 'bob', ids: ['turn'] })).counts).toEqual({ runs: 0, steps: 0 })
      expect((await journal.erase({ scope: 'ada', ids: ['turn'] })).counts).toEqual({ runs: 0, steps: 1 })
    })
  })

  describe(`${name}: closing`, () => {
    test('may be closed twice and then refuses every call', async (journal) => {
      await journal.putRun(journalRun('r1'))
      await journal.close()
      await journal.close()
      await journal[Symbol.asyncDispose]()
      const calls = [
        journal.putRun(journalRun('r2')),
        journal.getRun('r1'),
        journal.listRuns(),
        journal.putStep(journalStep('r1', 'a')),
        journal.getStep('r1', 'a'),
        journal.findStep('ada', 'k'),
        journal.listSteps('r1'),
        journal.findErasable({ scope: 'ada' }),
        journal.erase({ scope: 'ada' }),
      ]
      const closed = ['StoreError', 'closed']
      expect(await Promise.all(calls.map((call) => reasonOf(call)))).toEqual(calls.map(() => closed))
    })
  })
}
