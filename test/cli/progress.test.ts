import { describe, expect, it } from 'vitest'
import { createProgress, timeLeft } from '../../cli/progress.ts'
import type { Plan, RunEvent } from '../../workflows/index.ts'
import { fakeTerminal } from './fake-terminal.ts'

const plan = { chunks: 20 } as Plan
const finished = (done: number, total: number): RunEvent => ({
  type: 'worker.finished',
  path: 'p',
  chunkIndex: done,
  documentId: 'd',
  outcome: 'read',
  done,
  total,
})
const started: RunEvent = { type: 'worker.started', path: 'p', chunkIndex: 0, documentId: 'd' }

describe('progress in plain lines', () => {
  it('writes a line at the start of a phase and one for each tenth, with the time left', () => {
    const terminal = fakeTerminal()
    let now = 0
    const progress = createProgress(terminal, () => now)
    progress.see({ type: 'index.started', document: 'a.txt', total: 1000 })
    for (let done = 1; done <= 1000; done++) {
      now += 10
      progress.see({ type: 'index.progress', document: 'a.txt', done, total: 1000 })
    }
    const lines = terminal.err.trimEnd().split('\n')
    expect(lines.length).toBe(11)
    expect(lines.slice(0, 2)).toEqual(['Indexing a.txt: 0 of 1,000', 'Indexing a.txt: 100 of 1,000, 9.0 s left'])
    expect(lines.at(-1)).toBe('Indexing a.txt: 1,000 of 1,000')
    expect(terminal.out).toBe('')
  })

  it('counts the chunks of the plan, not those that it leaves out', () => {
    const terminal = fakeTerminal()
    const progress = createProgress(terminal, () => 0)
    for (const event of [{ type: 'plan.ready', plan } as RunEvent, started, finished(1, 400), started, finished(10, 400)])
      progress.see(event)
    expect(terminal.err).toBe('Reading: 0 of 20\nReading: 10 of 20, 0.0 s left\n')
  })

  it('says when a call is made again and when the answer begins anew', () => {
    const terminal = fakeTerminal()
    const progress = createProgress(terminal)
    progress.see({ type: 'call.retried', path: 'chain/3', attempt: 1, wait: 1500, error: new Error('the server\nis busy') })
    progress.see({ type: 'answer.restarted' })
    expect(terminal.err).toBe(
      'Call chain/3 failed and is made again in 1.5 s: the server is busy\nThe answer begins anew as its stream broke off\n',
    )
  })

  it('is silent about what is not progress', () => {
    const terminal = fakeTerminal()
    const progress = createProgress(terminal)
    progress.see({ type: 'step.started', path: 'p', agent: 'a' })
    progress.see({ type: 'answer.delta', text: 'x' })
    progress.stop()
    expect(terminal.err).toBe('')
  })
})

describe('progress on a terminal', () => {
  it('draws a bar that is cleared at the end, with the cursor shown again', () => {
    const terminal = fakeTerminal({ isTTY: true })
    Object.assign(terminal.stderr, { columns: 120 })
    const progress = createProgress(terminal)
    for (const event of [{ type: 'plan.ready', plan } as RunEvent, started, finished(5, 20)]) progress.see(event)
    progress.see({ type: 'answer.started' })
    const [hide, show] = ['\u001b[?25l', '\u001b[?25h']
    expect(terminal.err).toContain(hide)
    expect(terminal.err.lastIndexOf(show)).toBeGreaterThan(terminal.err.lastIndexOf(hide))
    expect(terminal.out).toBe('')
  })

  it('loses no note to the bar', () => {
    const terminal = fakeTerminal({ isTTY: true })
    const progress = createProgress(terminal)
    for (const event of [{ type: 'plan.ready', plan } as RunEvent, started]) progress.see(event)
    progress.note('something was noted')
    progress.stop()
    expect(terminal.err).toContain('something was noted\n')
  })
})

it('reckons the time left from what was done', () => {
  expect(timeLeft({ done: 5, total: 20 }, 10)).toBe(30)
  expect(timeLeft({ done: 0, total: 20 }, 10)).toBe(undefined)
})
