import type { AnyStateMachine } from 'xstate'

/** An XState v5 machine that a strategy hands to the run. Its context holds ids, counters and cursors only. */
export type StateMachine = AnyStateMachine
