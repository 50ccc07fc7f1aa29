import type { Usage } from '../agents/index.ts'
import type { AnswerTree } from './answer-tree.ts'

/** How a quotation was found again in the source before it was shown. */
export type Verification = 'exact' | 'normalised' | 'copied'

/** A quotation that is literally in the document: `document.slice(start, end) === quote`, always. */
export interface Citation {
  readonly documentId: string
  /** Name of the document, for people. */
  readonly document: string
  readonly chunkIndex: number
  /** Span in the document, UTF-16 code units. */
  readonly start: number
  readonly end: number
  readonly quote: string
  readonly how: Verification
  /** Titles of the sections that hold it, outermost first. */
  readonly sections: readonly string[]
  /** Line of `start`, from 1. */
  readonly line: number
  /** Page or slide of `start`, in a paged source. */
  readonly page?: number
  /** Where to look, in a source with pages or times: `p. 12`, `slide 3`, `00:12:31`. */
  readonly place?: string
  /** Relevance on the strategy's own scale, higher is better. */
  readonly score?: number
}

export type ChunkOutcome = 'read' | 'empty' | 'failed' | 'skipped'

/** A field of an extraction. */
export interface ExtractedField {
  /** By the field's rule. */
  readonly value: unknown
  /** Every different value that the text holds, with its citations, in the order of the text; also those that the rule passed over. */
  readonly evidence: readonly { readonly value: unknown; readonly citations: readonly Citation[] }[]
}

/** What became of one chunk. */
export interface ChunkReport {
  readonly documentId: string
  readonly index: number
  readonly start: number
  readonly end: number
  readonly outcome: ChunkOutcome
  /** Why it was skipped or failed, or which guard fired; absent when there is nothing to say. */
  readonly reason?: string
}

/** What became of every chunk. The counts add up to `total`; `chunks` lists those that were not simply read. */
export interface Coverage {
  readonly total: number
  readonly read: number
  readonly empty: number
  readonly failed: number
  readonly skipped: number
  readonly chunks: readonly ChunkReport[]
}

export interface RunUsage extends Usage {
  /** Steps answered by the journal, at no cost. */
  readonly reused: number
  /** Calls that were made again after a failure. */
  readonly retries: number
  readonly milliseconds: number
}

export type AnswerStatus = 'answered' | 'not-found' | 'partial' | 'stopped'

/** The result of a run. */
export interface Answer {
  /**
   * `answered`; `not-found`: everything was read and holds no answer; `partial`: answered although some chunks failed;
   * `stopped`: a limit or a cancellation ended the run, and this is what it had.
   */
  readonly status: AnswerStatus
  readonly text: string
  /** Best first. */
  readonly citations: readonly Citation[]
  /** From 0 to 1: how sure it is that the citations answer, where the strategy can tell; what is below its threshold is `not-found`. */
  readonly confidence?: number
  readonly coverage: Coverage
  readonly usage: RunUsage
  readonly runId: string
  readonly strategy: string
  /** Why the run stopped, where it did. */
  readonly reason?: string
  /** Every level of a hierarchical merge, where the strategy keeps it. */
  readonly tree?: AnswerTree
  /** Fields of an extraction by name; those of which the text does not tell are absent. */
  readonly fields?: Readonly<Record<string, ExtractedField>>
}
