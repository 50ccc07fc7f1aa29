import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../../errors/index.ts'
import { sqliteJobQueue } from '../../service/index.ts'
import { manualClock } from '../../testing/index.ts'
import type { Job, JobQueue } from '../../workflows/index.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobs-'))
  path = join(folder, 'jobs.db')
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

const job = (key: string, parts: Partial<Job> = {}) => ({ key, scope: 'ada', name: 'work', ...parts })

/** A gate that work waits at. */
function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined
  const passed = new Promise<void>((resolve) => (open = resolve))
  return { passed, open: () => open() }
}

async function withQueue(work: (queue: JobQueue) => Promise<void>, options: Parameters<typeof sqliteJobQueue>[1] = {}): Promise<void> {
  const queue = await sqliteJobQueue(path, options)
  try {
    await work(queue)
  } finally {
    await queue.close()
  }
}

describe('a queue of jobs', () => {
  it('runs what was added, and says that it is done', () =>
    withQueue(async (queue) => {
      const seen: string[] = []
      queue.start({ work: async ({ key, from }) => void seen.push(`${key} ${from}`) })
      await queue.add([job('a', { from: 3 }), job('b')])
      await queue.idle()
      expect(seen).toEqual(['a 3', 'b 0'])
      expect(await queue.get('ada', 'a')).toMatchObject({ state: 'done', attempts: 0, error: undefined })
      expect(await queue.backlog()).toBe(0)
    }))

  it('makes one of jobs that wait for the same, which begins at the least place', () =>
    withQueue(async (queue) => {
      for (const from of [5, 2, 9]) await queue.add([job('a', { from })])
      expect(await queue.backlog()).toBe(1)
      const seen: number[] = []
      queue.start({ work: async ({ from }) => void seen.push(from) })
      await queue.idle()
      expect(seen).toEqual([2])
      await queue.add([job('a', { from: 7 })])
      await queue.idle()
      expect(seen).toEqual([2, 7])
    }))

  it('waits for further jobs of a kind as long as it was told', async () => {
    const clock = manualClock()
    await withQueue(
      async (queue) => {
        const seen: number[] = []
        queue.start({ work: async ({ from }) => void seen.push(from) })
        await queue.add([job('a', { from: 4 })])
        clock.advance(60)
        await queue.add([job('a', { from: 5 })])
        expect(seen).toEqual([])
        clock.advance(40)
        await queue.idle()
        expect(seen).toEqual([4])
      },
      { clock, delay: 100 },
    )
  })

  it('runs a job again that was added while it ran', () =>
    withQueue(async (queue) => {
      const [started, finish] = [gate(), gate()]
      const seen: number[] = []
      queue.start({
        async work({ from }) {
          seen.push(from)
          started.open()
          await finish.passed
        },
      })
      await queue.add([job('a', { from: 1 })])
      await started.passed
      await queue.add([job('a', { from: 6 }), job('a', { from: 4 })])
      finish.open()
      await queue.idle()
      expect(seen).toEqual([1, 4])
    }))

  it('runs jobs of one scope one after the other, and of several at once', () =>
    withQueue(async (queue) => {
      const running = new Map<string, number>()
      const both = gate()
      let together = 0
      queue.start({
        async work({ scope }) {
          running.set(scope, (running.get(scope) ?? 0) + 1)
          expect(running.get(scope)).toBe(1)
          if (running.size === 2) both.open()
          await both.passed
          together = Math.max(together, running.size)
          running.delete(scope)
        },
      })
      await queue.add(['ada', 'bob'].flatMap((scope) => ['a', 'b', 'c'].map((key) => job(key, { scope }))))
      await queue.idle()
      expect(together).toBe(2)
    }))

  it('tries again later and later, then gives up, until it is added anew', async () => {
    const clock = manualClock({ start: 1_000 })
    await withQueue(
      async (queue) => {
        let attempts = 0
        queue.start({
          async work() {
            attempts++
            throw new StoreError('Cannot do it as "a secret text" is there', { reason: 'busy', store: 'x' })
          },
        })
        await queue.add([job('a', { from: 3 })])
        await queue.idle()
        expect(await queue.get('ada', 'a')).toMatchObject({ state: 'waiting', attempts: 1, error: 'StoreError busy' })
        clock.advance(999)
        await queue.idle()
        expect(attempts).toBe(1)
        clock.advance(1)
        await queue.idle()
        expect(attempts).toBe(2)
        clock.advance(2_000)
        await queue.idle()
        expect(await queue.get('ada', 'a')).toMatchObject({ state: 'failed', attempts: 3, from: 3 })
        await queue.add([job('a', { from: 8 })])
        await queue.idle()
        expect(attempts).toBe(4)
        expect(await queue.get('ada', 'a')).toMatchObject({ state: 'waiting', from: 3 })
      },
      { clock, attempts: 3 },
    )
  })

  it('holds the jobs of a scope while it is paused, and lets others run', () =>
    withQueue(async (queue) => {
      const seen: string[] = []
      const bob = gate()
      queue.start({
        async work({ scope }) {
          seen.push(scope)
          if (scope === 'bob') bob.open()
        },
      })
      const [entered, leave] = [gate(), gate()]
      const paused = queue.pause('ada', async () => {
        entered.open()
        await leave.passed
        return [...seen]
      })
      await entered.passed
      await queue.add([job('a'), job('b', { scope: 'bob' })])
      await bob.passed
      leave.open()
      expect(await paused).not.toContain('ada')
      await queue.idle()
      expect(seen.toSorted()).toEqual(['ada', 'bob'])
    }))

  it('lists jobs of a scope alone, by state, page by page, and forgets them', () =>
    withQueue(async (queue) => {
      await queue.add([job('a'), job('b'), job('c'), job('a', { scope: 'bob' })])
      const keys = async (options: Parameters<JobQueue['list']>[1]): Promise<string[]> =>
        (await queue.list('ada', options)).map(({ key }) => key)
      expect(await keys({ limit: 2 })).toEqual(['a', 'b'])
      expect(await keys({ limit: 2, after: 'b' })).toEqual(['c'])
      expect(await keys({ limit: 9, states: ['done', 'failed'] })).toEqual([])
      expect(await queue.forget('ada', ['a', 'none'])).toBe(1)
      expect(await queue.forget('ada')).toBe(2)
      expect(await queue.backlog()).toBe(1)
    }))

  it('does again at the next start what was under way when it was cut off, and nothing that was done', async () => {
    const began = gate()
    const first = await sqliteJobQueue(path)
    first.start({
      done: async () => {},
      async work(_job, { signal }) {
        began.open()
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
      },
    })
    await first.add([job('finished', { scope: 'bob', name: 'done' }), job('cut', { from: 4 })])
    await began.passed
    await first.close({ signal: AbortSignal.abort(new Error('stop')) })
    const seen: object[] = []
    await withQueue(async (queue) => {
      queue.start({ work: async ({ key, from }) => void seen.push({ key, from }), done: async () => void seen.push({}) })
      await queue.idle()
    })
    expect(seen).toEqual([{ key: 'cut', from: 4 }])
  })

  it('lets nobody else open its file', async () => {
    await withQueue(async () => {
      await expect(sqliteJobQueue(path)).rejects.toMatchObject({ name: 'StoreError', reason: 'busy' })
    })
  }, 20_000)
})
