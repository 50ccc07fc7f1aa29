import type { CallModelOptions } from '../models/index.ts'
import { createMeter } from './limits.ts'
import { createMemoryJournal } from './memory-journal.ts'
import type { RunEvent } from './run-event.ts'
import { createStep } from './step.ts'
import type { Step } from './strategy.ts'

export interface StandaloneStepOptions {
  readonly scope: string
  readonly signal?: AbortSignal | undefined
  readonly call?: CallModelOptions
  /** Told of every event. */
  readonly emit?: ((event: RunEvent) => void) | undefined
}

/** Runs agents outside of any run: calls, retries and the check of the window as in one, with nothing recorded. */
export function createStandaloneStep({
  scope,
  signal = new AbortController().signal,
  call = {},
  emit = () => {},
}: StandaloneStepOptions): Step {
  return createStep({
    runId: 'standalone',
    scope,
    namespace: '',
    fresh: true,
    documentIds: [],
    journal: createMemoryJournal(),
    meter: createMeter(),
    signal,
    call,
    now: Date.now,
    emit,
    open: () => Promise.resolve(),
    counted() {},
    report: () => ({ done: 0, total: 0 }),
  })
}
