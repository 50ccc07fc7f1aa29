import type { Chunk } from '../chunkers/index.ts'
import type { Agent } from './agent.ts'
import type { CommunicationUnit, Quote } from './communication-unit.ts'

/** What a worker reads. */
export interface WorkerInput {
  readonly chunk: Chunk
  /** Absent: the task is to summarise. */
  readonly question?: string
  /** What the workers before it handed on; empty by default. */
  readonly unit?: CommunicationUnit
  /** What stood before the chunk, for understanding only; only workers that say so read it. */
  readonly background?: string
}

/** What a worker made of it. */
export interface WorkerOutput {
  /** Whether the chunk held something for the question. */
  readonly found: boolean
  /** The notes after this chunk. */
  readonly text: string
  /** New quotations from this chunk, set in the document. */
  readonly quotes: readonly Quote[]
  /** The unit to hand on. */
  readonly unit: CommunicationUnit
  /**
   * Guards that fired (section 1.5 of the paper's appendix F.4, chain collapse): `empty`, `refusal`, `repeated`, `shrunk`,
   * `unverified-quote` …
   */
  readonly flags: readonly string[]
}

/** A quotation as it is recorded: offsets count from the start of the chunk. */
export interface RecordedQuote {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly how: Quote['how']
  readonly score?: number
  readonly signals?: Readonly<Record<string, number>>
}

/** What a worker's step records: nothing in it depends on where the chunk stands. */
export interface RecordedReading {
  readonly found: boolean
  readonly notes: string
  readonly quotes: readonly RecordedQuote[]
  /** Ids of the incoming unit's quotations that had to leave to keep the unit in its budget. */
  readonly dropped: readonly string[]
  readonly flags: readonly string[]
}

/** Reads one chunk. The writing worker and the quoting worker are both of this kind. */
export type Worker = Agent<WorkerInput, WorkerOutput, RecordedReading> & {
  /**
   * Most tokens a chunk may have so that every call fits, for this question (absent: summary). Throws ContextOverflowError naming each
   * part.
   */
  chunkBudget(question: string | undefined): number
  /** Counts tokens as the worker's model does. */
  count(text: string): number
  /** Counts for cutting chunks, where the budget need not be exact and a whole book is counted; `count` by default. */
  readonly chunkCount?: (text: string) => number
}
