/** A run: it starts at once, tells what happens, and ends with an answer. */
import { ActiveRun } from './active-run.ts'
import type { Answer } from './answer.ts'
import type { RunEvent } from './run-event.ts'
import type { RunOptions } from './run-options.ts'
import type { Source } from './source.ts'

/** A run under way. Awaiting `result` and iterating agree; neither is needed for the run to go on. */
export interface Run extends AsyncIterable<RunEvent> {
  readonly id: string
  /** The answer; rejects with the error that failed the run, or with the reason of the caller's signal. */
  readonly result: Promise<Answer>
  /** Aborted when the run ends early. */
  readonly signal: AbortSignal
  /** Holds back the next step; steps under way finish. */
  pause(): void
  resume(): void
  /** Ends the run with status `stopped` and what it has. The journal keeps every finished step. */
  cancel(reason?: string): void
}

export function startRun(openSource: (signal: AbortSignal) => Promise<Source>, question: string | undefined, options: RunOptions): Run {
  const run = new ActiveRun(openSource, question, options)
  const result = run.start()
  result.catch(() => undefined) // an unobserved rejection never ends the process
  return {
    id: run.id,
    result,
    signal: run.signal,
    pause: () => run.pause(),
    resume: () => run.resume(),
    cancel: (reason) => run.cancel(reason),
    [Symbol.asyncIterator]: () => run.events.listen(),
  }
}
