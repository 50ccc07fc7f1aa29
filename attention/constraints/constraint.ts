import type { TokenMask } from './token-mask.ts'

/**
 * What an output may be, token by token. A constraint is compiled once and serves any number of outputs; each has a run of its own.
 */
export interface Constraint {
  /** Tokens of the shortest output known. */
  readonly leastTokens: number
  /** A run at the beginning of an output. */
  begin(): ConstraintRun
}

/** Where one output stands. */
export interface ConstraintRun {
  /** Whether the output may end here. */
  readonly mayEnd: boolean
  /** Whether it has to end here: nothing may follow. */
  readonly isComplete: boolean
  /** Ids that may follow. The mask is shared: copy it before it is changed. */
  allowed(): TokenMask
  /** Whether `id` may follow so that the output can be completed with at most `after` tokens after it. */
  fits(id: number, after: number): boolean
  /** Tokens of a shortest known way to an end; empty where the output may end. */
  completion(): readonly number[]
  /** Goes on by one token, which has to be allowed. */
  advance(id: number): void
}
