import type { MemoryRecord, RecordUse } from './memory-record.ts'

/** What ranking looks at of a record: only those that come back are read whole. */
export type RankedTraits = Pick<MemoryRecord, 'id' | 'documentId' | 'index' | 'createdAt' | 'importance'>

/** A record that a search looks at, with its true scores, whichever list found it. */
export interface Candidate<Traits extends RankedTraits = MemoryRecord> {
  /** The store's own number of the record, in order of arrival. */
  readonly key: number
  readonly record: Traits
  /** Needed where the query has weights. */
  readonly use?: RecordUse | undefined
  /** BM25 score, 0 when no word matched. */
  readonly words: number
  /** Cosine similarity; undefined without vectors. */
  readonly similarity: number | undefined
}

export interface RankedCandidate<Traits extends RankedTraits = MemoryRecord> extends Candidate<Traits> {
  readonly score: number
}
