import type { Agent } from './agent.ts'
import type { CommunicationUnit } from './communication-unit.ts'

/** What the manager answers from: the last unit, the question, never the source text. */
export interface ManagerInput {
  readonly question?: string
  readonly unit: CommunicationUnit
}

export interface ManagerOutput {
  /** `not-found` when the notes hold no answer. */
  readonly status: 'answered' | 'not-found'
  readonly text: string
  /** Ids of the unit's quotations that the answer rests on, best first. */
  readonly quoteIds: readonly string[]
  /** Those of `quoteIds` that are shown together with the one before. */
  readonly continued?: readonly string[]
  /** From 0 to 1, where the manager can tell how sure it is that the quotations answer. */
  readonly confidence?: number
}

/** Answers from the last communication unit (Chain of Agents, section 3.3). */
export type Manager = Agent<ManagerInput, ManagerOutput> & {
  /** Most tokens of a unit that it sees whole; of a longer one it leaves quotations out. Absent where nothing bounds it. */
  room?(question: string | undefined): number
}

/** One path's result, for the judge and the vote. */
export interface PathResult {
  readonly path: string
  readonly unit: CommunicationUnit
  readonly output: ManagerOutput
}

export interface JudgeInput {
  readonly question?: string
  readonly paths: readonly PathResult[]
}

export interface JudgeOutput extends ManagerOutput {
  /** Index into `paths` of the path that was judged the most reliable. */
  readonly chosen: number
}

/** Picks the most reliable path and answers from it (Chain of Agents, section 5.6). */
export type Judge = Agent<JudgeInput, JudgeOutput>
