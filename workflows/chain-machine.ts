import { assign, fromPromise, setup } from 'xstate'
import type { StateMachine } from './control.ts'

/** Reads `total` places one after the other. The cursor is all that it holds. */
export function createChainMachine(total: number, read: (cursor: number) => Promise<void>): StateMachine {
  return setup({
    types: { context: {} as { cursor: number; total: number } },
    actors: { read: fromPromise(({ input }: { input: number }) => read(input)) },
    guards: { isOver: ({ context }) => context.cursor >= context.total },
    actions: { advance: assign(({ context }) => ({ cursor: context.cursor + 1 })) },
  }).createMachine({
    id: 'chain',
    context: { cursor: 0, total },
    initial: 'deciding',
    states: {
      deciding: { always: [{ guard: 'isOver', target: 'done' }, { target: 'reading' }] },
      reading: { invoke: { src: 'read', input: ({ context }) => context.cursor, onDone: { target: 'deciding', actions: 'advance' } } },
      done: { type: 'final' },
    },
  })
}
