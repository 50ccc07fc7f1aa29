import { assign, fromPromise, setup } from 'xstate'
import type { StateMachine } from './control.ts'

/** The work of a map-reduce: `map` reads all leaves; `collapse` merges one level and says whether another is needed. */
export interface LevelsWork {
  map(): Promise<void>
  /** Resolves with the number of units left. */
  collapse(level: number): Promise<number>
  /** Whether so many units fit one reducing call. */
  fits(): boolean
}

/** Maps, collapses level by level until what is left fits, and ends. */
export function createLevelsMachine(work: LevelsWork): StateMachine {
  return setup({
    types: { context: {} as { level: number } },
    actors: {
      map: fromPromise(() => work.map()),
      collapse: fromPromise(({ input }: { input: number }) => work.collapse(input)),
    },
    guards: { fits: () => work.fits() },
    actions: { climb: assign(({ context }) => ({ level: context.level + 1 })) },
  }).createMachine({
    id: 'levels',
    context: { level: 0 },
    initial: 'mapping',
    states: {
      mapping: { invoke: { src: 'map', onDone: 'deciding' } },
      deciding: { always: [{ guard: 'fits', target: 'done' }, { target: 'collapsing' }] },
      collapsing: { invoke: { src: 'collapse', input: ({ context }) => context.level, onDone: { target: 'deciding', actions: 'climb' } } },
      done: { type: 'final' },
    },
  })
}
