import cliProgress from 'cli-progress'
import type { RunEvent } from '../workflows/index.ts'
import { duration, number } from './print-answer.ts'
import { oneLine } from './report-error.ts'
import { isRich, printable, type Terminal } from './terminal.ts'

/** Shows where a run is. */
export interface Progress {
  see(event: RunEvent): void
  /** A line of its own. */
  note(line: string): void
  /** Clears what is shown. */
  stop(): void
}

/** A bar with the time left on a terminal, plain lines otherwise: always on standard error. */
export function createProgress(terminal: Terminal, now: () => number = Date.now): Progress {
  const display = isRich(terminal.stderr, terminal) ? createBar(terminal, now) : createLines(terminal, now)
  let planned = Number.POSITIVE_INFINITY
  let reading = false
  function stateOf(event: RunEvent): State | undefined {
    if (event.type === 'index.started') return { phase: `Indexing ${printable(event.document)}`, done: 0, total: event.total }
    if (event.type === 'index.progress') return { phase: `Indexing ${printable(event.document)}`, done: event.done, total: event.total }
    // Chunks that the plan leaves out do not count.
    if (event.type === 'worker.finished')
      return { phase: 'Reading', done: event.done, total: Math.max(event.done, Math.min(event.total, planned)) }
    if (event.type !== 'worker.started' || reading || !Number.isFinite(planned)) return undefined
    reading = true
    return { phase: 'Reading', done: 0, total: planned }
  }
  return {
    note: (line) => display.note(line),
    stop: () => display.stop(),
    see(event) {
      if (event.type === 'plan.ready') planned = event.plan.chunks
      const line = lineOf(event)
      if (line !== undefined) display.note(line)
      const state = stateOf(event)
      if (state) display.show(state)
      else if (endsBar(event)) display.stop()
    },
  }
}

interface State {
  readonly phase: string
  readonly done: number
  readonly total: number
}

interface Display {
  show(state: State): void
  note(line: string): void
  stop(): void
}

function endsBar({ type }: RunEvent): boolean {
  return type === 'index.finished' || type === 'answer.started' || type === 'run.finished' || type === 'run.failed'
}

/** Events that are worth a line on their own. */
function lineOf(event: RunEvent): string | undefined {
  if (event.type === 'call.retried')
    return `Call ${event.path} failed and is made again in ${duration(event.wait / 1000)}: ${messageOf(event.error)}`
  if (event.type === 'notice.given' && event.code === 'not-read') return oneLine(event.message)
  if (event.type === 'answer.restarted') return 'The answer begins anew as its stream broke off'
  return undefined
}

function messageOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error))
}

/** Seconds that remain, if the rest goes as fast as what was done. */
export function timeLeft({ done, total }: Pick<State, 'done' | 'total'>, elapsed: number): number | undefined {
  return done > 0 && total > 0 ? (elapsed / done) * (total - done) : undefined
}

function createBar({ stderr }: Terminal, now: () => number): Display {
  let bars: cliProgress.MultiBar | undefined
  let bar: cliProgress.SingleBar | undefined
  let current: State | undefined
  let began = 0
  let changed = 0
  function format(options: cliProgress.Options, params: cliProgress.Params): string {
    if (!current) return ''
    const { phase, done, total } = current
    // Between two steps the time is counted down from what it was at the last one.
    const left = (timeLeft(current, (changed - began) / 1000) ?? 0) - (now() - changed) / 1000
    const filled = Math.round(params.progress * BAR_WIDTH)
    const drawn = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`
    return `${phase} ${drawn} ${number(done)}/${number(total)}${left > 0 ? `, ${duration(left)} left` : ''}`
  }
  function start(state: State): void {
    bars = new cliProgress.MultiBar({
      format,
      stream: stderr,
      clearOnComplete: true,
      hideCursor: true,
      linewrap: true,
      gracefulExit: false,
    })
    bar = bars.create(state.total, state.done)
    began = now()
  }
  function stop(): void {
    bars?.stop()
    bars = undefined
    current = undefined
  }
  return {
    stop,
    show(state) {
      if (current?.phase !== state.phase) {
        stop()
        start(state)
      }
      if (current?.done !== state.done) changed = now()
      current = state
      bar?.setTotal(state.total)
      bar?.update(state.done)
    },
    note(line) {
      if (!bars) {
        stderr.write(`${line}\n`)
        return
      }
      bars.log(`${line}\n`)
      // Drawn at once: a bar that stops before it is drawn again would lose the line.
      bars.update()
    },
  }
}

const BAR_WIDTH = 24

/** A line at the start of a phase, and one for each tenth of it. */
function createLines({ stderr }: Terminal, now: () => number): Display {
  let phase: string | undefined
  let tenth = 0
  let began = 0
  function show(state: State): void {
    if (state.phase !== phase) [phase, tenth, began] = [state.phase, -1, now()]
    const reached = state.total === 0 ? 10 : Math.floor((state.done / state.total) * 10)
    if (reached <= tenth) return
    tenth = reached
    const left = timeLeft(state, (now() - began) / 1000)
    const rest = left === undefined || state.done >= state.total ? '' : `, ${duration(left)} left`
    stderr.write(`${state.phase}: ${number(state.done)} of ${number(state.total)}${rest}\n`)
  }
  return {
    show,
    note: (line) => void stderr.write(`${line}\n`),
    stop() {
      phase = undefined
    },
  }
}
