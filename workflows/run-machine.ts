/**
 * The control plane of every run: plan, read, join, answer, verify; pause, cancel, resume. The machine holds ids, counters and cursors
 * only, so that its snapshot stays small at any length; text lives in the journal.
 */
import { assign, type AnyStateMachine, fromPromise, setup } from 'xstate'

/** What the run machine counts. */
interface RunCounters {
  readonly runId: string
  readonly steps: number
  readonly reused: number
  readonly failed: number
}

export type RunSignal =
  | { type: 'phase'; name: 'reading' | 'joining' | 'answering' }
  | { type: 'step.finished'; reused: boolean }
  | { type: 'step.failed' }
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'cancel' }

/** The work of each state, given by the host; each resolves when its state is over. */
export interface RunWork {
  plan(): Promise<void>
  read(): Promise<void>
  verify(): Promise<void>
  /** Whether an error ends the run early with what it has, rather than as a failure. */
  isStop(error: unknown): boolean
  /** Told of the error that fails the run. */
  fail(error: unknown): void
}

/** Makes the machine of one run over its work. */
export function createRunMachine(runId: string, work: RunWork): AnyStateMachine {
  const errorOf = (event: unknown): unknown => (event as { error: unknown }).error
  const ends = [{ guard: 'isStop', target: 'verifying' } as const, { target: 'failed', actions: 'fail' } as const]
  return setup({
    types: { context: {} as RunCounters, events: {} as RunSignal },
    actors: {
      plan: fromPromise(() => work.plan()),
      read: fromPromise(() => work.read()),
      verify: fromPromise(() => work.verify()),
    },
    actions: {
      fail: ({ event }) => work.fail(errorOf(event)),
      countStep: assign(({ context, event }) => ({
        steps: context.steps + 1,
        reused: context.reused + (event.type === 'step.finished' && event.reused ? 1 : 0),
      })),
      countFailure: assign(({ context }) => ({ failed: context.failed + 1 })),
    },
    guards: {
      isStop: ({ event }) => work.isStop(errorOf(event)),
      isPhase: ({ event }, name: string) => event.type === 'phase' && event.name === name,
    },
  }).createMachine({
    id: 'run',
    type: 'parallel',
    context: { runId, steps: 0, reused: 0, failed: 0 },
    on: { 'step.finished': { actions: 'countStep' }, 'step.failed': { actions: 'countFailure' } },
    states: {
      work: {
        initial: 'planning',
        states: {
          planning: {
            invoke: {
              src: 'plan',
              onDone: 'working',
              onError: ends,
            },
          },
          working: {
            initial: 'reading',
            invoke: {
              src: 'read',
              onDone: 'verifying',
              onError: ends,
            },
            on: {
              cancel: '.cancelling',
              phase: [
                { guard: { type: 'isPhase', params: 'reading' }, target: '.reading' },
                { guard: { type: 'isPhase', params: 'joining' }, target: '.joining' },
                { guard: { type: 'isPhase', params: 'answering' }, target: '.answering' },
              ],
            },
            states: { reading: {}, joining: {}, answering: {}, cancelling: { on: { phase: {} } } },
          },
          verifying: { invoke: { src: 'verify', onDone: 'done', onError: { target: 'failed', actions: 'fail' } } },
          done: { type: 'final' },
          failed: { type: 'final' },
        },
      },
      gate: {
        initial: 'open',
        states: { open: { on: { pause: 'closed' } }, closed: { on: { resume: 'open', cancel: 'open' } } },
      },
    },
  })
}
