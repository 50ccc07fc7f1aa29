/** The contract of a strategy: who reads what, in which order. A strategy is a value; `ask` runs it, `plan` prices it. */
import type { Agent, Quote } from '../agents/index.ts'
import type { Chunk, Document } from '../chunkers/index.ts'
import type { NamedEmbedder } from '../models/index.ts'
import type { MemoryStore } from '../memory/index.ts'
import type { ChunkReport } from './answer.ts'
import type { AnswerTree } from './answer-tree.ts'
import type { MergedField } from './merge-fields.ts'
import type { Plan } from './plan.ts'
import type { RunEvent } from './run-event.ts'
import type { StateMachine } from './control.ts'

/** What a strategy returns. */
export interface StrategyResult {
  /** `answered` by default when there is a text. */
  readonly status?: 'answered' | 'not-found'
  readonly text?: string
  /** Quotations, best first. Those not found in the document are left out of the answer. */
  readonly quotes?: readonly Quote[]
  /** From 0 to 1: how sure it is that the quotations answer, where it can tell. */
  readonly confidence?: number
  /** What became of the chunks; by default from the steps that read a chunk. */
  readonly coverage?: readonly ChunkReport[]
  /** Every level of a merge. */
  readonly tree?: AnswerTree
  /** Fields of an extraction. */
  readonly fields?: Readonly<Record<string, MergedField>>
}

export interface StepOptions {
  /** Place in the plan, such as `chain/forward/3`; by default the agent's name and a counter. */
  readonly path?: string
  /** Number of the sample where several are wanted of one input; 0 by default. */
  readonly sample?: number
}

/** Runs an agent on an input with budget, journal, retry, limits, events and abort. */
export type Step = <Input, Output, Recorded>(agent: Agent<Input, Output, Recorded>, input: Input, options?: StepOptions) => Promise<Output>

/** The read-only half of a strategy's context, for planning too. */
export interface SourceContext {
  readonly documents: readonly Document[]
  readonly question: string | undefined
  readonly signal: AbortSignal
  /** The chunks of all documents in order, at most `maxTokens` each (default: the run's `chunkTokens`). Asked for again in the same way, they are not cut again. */
  chunk(options?: { readonly maxTokens?: number; readonly count?: (text: string) => number }): Promise<readonly Chunk[]>
  /** Most tokens a chunk, when the caller of `ask` set it. */
  readonly chunkTokens: number | undefined
}

export interface StrategyContext extends SourceContext {
  /** The chunks of all documents in order, cut when first asked for. */
  readonly chunks: AsyncIterable<Chunk>
  readonly step: Step
  /** Tells the run what it has so far: this is what a stopped run answers with. */
  hold(result: StrategyResult): void
  emit(event: RunEvent): void
  /** Tells the run machine which phase the strategy is in. */
  phase(name: 'reading' | 'joining' | 'answering'): void
  /** Runs a state machine of the strategy under the run's control: its snapshot is kept with the run's. */
  host(name: string, machine: StateMachine, input: unknown): Promise<void>
  /** Where indexes are kept: in memory unless the caller gave a store. */
  readonly memory: MemoryStore
  /** Identity of whoever owns the data; part of every record. */
  readonly scope: string
  readonly embedder: NamedEmbedder | undefined
}

/** Who reads what, in which order. */
export interface Strategy {
  readonly name: string
  /** Raised when its plan or its joining changes. */
  readonly version: number
  /** US dollars, calls and tokens before anything is spent. */
  plan(context: SourceContext): Plan | Promise<Plan>
  run(context: StrategyContext): Promise<StrategyResult>
}
