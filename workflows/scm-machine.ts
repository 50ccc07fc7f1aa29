import { fromPromise, setup } from 'xstate'
import type { StateMachine } from './control.ts'

/** The work of each state of a selection; the machine holds its order only. */
export interface ScmWork {
  /** Reads the end of the memory stream: the flash memory, and whether anything lies before it. */
  readStream(): Promise<void>
  /** The first question: whether the message needs memory at all. */
  askNeed(): Promise<void>
  /** Finds the activation memory. */
  activate(): Promise<void>
  /** The second question, of each activated turn. */
  judge(): Promise<void>
  /** Brings everything under the budget. */
  assemble(): void
  hasArchive(): boolean
  isNeeded(): boolean
  isOverBudget(): boolean
}

/** SCM's controller: memory stream, flash memory, the question of need, activation memory, the question of form, assembly. */
export function createScmMachine(work: ScmWork): StateMachine {
  return setup({
    actors: {
      readStream: fromPromise(() => work.readStream()),
      askNeed: fromPromise(() => work.askNeed()),
      activate: fromPromise(() => work.activate()),
      judge: fromPromise(() => work.judge()),
    },
    actions: { assemble: () => work.assemble() },
    guards: { hasArchive: () => work.hasArchive(), isNeeded: () => work.isNeeded(), isOverBudget: () => work.isOverBudget() },
  }).createMachine({
    id: 'scm',
    initial: 'readingStream',
    states: {
      readingStream: { invoke: { src: 'readStream', onDone: [{ guard: 'hasArchive', target: 'askingNeed' }, { target: 'assembling' }] } },
      askingNeed: { invoke: { src: 'askNeed', onDone: [{ guard: 'isNeeded', target: 'activating' }, { target: 'assembling' }] } },
      activating: { invoke: { src: 'activate', onDone: [{ guard: 'isOverBudget', target: 'judging' }, { target: 'assembling' }] } },
      judging: { invoke: { src: 'judge', onDone: 'assembling' } },
      assembling: { entry: 'assemble', always: 'done' },
      done: { type: 'final' },
    },
  })
}
