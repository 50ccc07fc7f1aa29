import type { MemoryRecord, RecordUse } from './memory-record.ts'

/** A record that a search looks at, with its true scores, whichever list found it. */
export interface Candidate {
  /** The store's own number of the record, in order of arrival. */
  readonly key: number
  readonly record: MemoryRecord
  /** Needed where the query has weights. */
  readonly use?: RecordUse | undefined
  /** BM25 score, 0 when no word matched. */
  readonly words: number
  /** Cosine similarity; undefined without vectors. */
  readonly similarity: number | undefined
}

export interface RankedCandidate extends Candidate {
  readonly score: number
}
