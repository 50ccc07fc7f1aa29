/** The contract of every store. SQL is the truth; a vector index is derived from it and can be rebuilt. */
import type { Erasable } from './erasable.ts'
import type { JsonValue, MemoryRecord, RecordChange, RecordKind, RecordUse, TurnRole } from './memory-record.ts'

/** Which records of a scope are meant. Filters are applied inside a search, not to its results. */
export interface RecordFilter {
  readonly scope: string
  /** Only records of these documents or conversations. */
  readonly documentIds?: readonly string[]
  readonly kinds?: readonly RecordKind[]
  readonly roles?: readonly TurnRole[]
  /** Written at or after, and before; milliseconds since 1970. Records without a time are outside any span. */
  readonly from?: number
  readonly until?: number
  /** Facts that were true at this time; by default superseded ones and those that ceased to be true are found too. */
  readonly validAt?: number
  /** Fields of `metadata` with the values they must have. */
  readonly metadata?: Readonly<Record<string, JsonValue>>
  /** The current time, which decides what has expired; pinned records never do. Expired records are found when it is left out. */
  readonly now?: number
}

/** What besides likeness counts. A weight is added to the fused score times a share from 0 to 1. */
export interface RankingWeights {
  /** Share: 0.5 ^ (age / halfLife); the age runs from the last recall, or else from `createdAt`, to `now`. Both in milliseconds. */
  readonly recency?: { readonly weight: number; readonly halfLife: number; readonly now: number }
  /** Share: `importance`. */
  readonly importance?: number
  /** Share: 1 - 1 / (1 + accesses). */
  readonly accesses?: number
}

/** A search over one scope. */
export interface MemoryQuery extends RecordFilter {
  /** Words for BM25. */
  readonly text: string
  /** Query vector for cosine similarity; without it, words alone decide. */
  readonly vector?: Float32Array
  /** Most results. */
  readonly k: number
  /** Records on each side of a hit that become candidates too; 0 by default. */
  readonly neighbours?: number
  /** Share of its best neighbour's score that a candidate takes over, from 0 to 1; 0 by default. Neighbours are as far away as `neighbours`, or one. */
  readonly spread?: number
  /** How the two lists are joined. `min-max` is the default (measured best); the others are for comparison. */
  readonly fusion?: 'min-max' | 'rank' | 'words' | 'vectors'
  readonly weights?: RankingWeights
  /**
   * Maximal marginal relevance (Carbonell and Goldstein, 1998): the share of relevance, from 0 to 1, against likeness to what was already chosen; 1 by
   * default, which is no diversity.
   */
  readonly relevance?: number
  readonly signal?: AbortSignal
}

/** A result: best first, ties in order of document and index; where `relevance` asks for diversity, in the order in which they were chosen. */
export interface MemoryHit {
  readonly record: MemoryRecord
  /** Fused score, from 0 to 1 for `min-max` without weights and spread. */
  readonly score: number
  /** BM25 score, positive, 0 when no word matched. */
  readonly words: number
  /** Cosine similarity, from -1 to 1; undefined without vectors. */
  readonly similarity: number | undefined
}

/** A record to append: its place and span are the store's to give. */
export type NewTurn = Omit<MemoryRecord, 'scope' | 'documentId' | 'index' | 'start' | 'end'>

/** Where to read a conversation or document from. */
export interface RangeOptions {
  /** Only records with an index from here on; 0 by default. */
  readonly from?: number
  /** Only records with a lower index. */
  readonly until?: number
  /** Most records; those with the greatest index when `newest`. */
  readonly limit?: number
  readonly newest?: boolean
}

/** A conversation or document with what it holds. */
export interface DocumentSummary {
  readonly documentId: string
  readonly records: number
  readonly lastAt: number | undefined
}

/** Records co-recalled with another, and how often. */
export interface CoRecall {
  readonly id: string
  readonly count: number
}

/** A store of records with search. One conformance suite holds for all. */
export interface MemoryStore extends Erasable {
  /** Identity of the embedder whose vectors the store holds, where it is known. */
  readonly embedderId?: string | undefined
  /** Adds or replaces records, all or none. Refuses vectors of another model or dimension by name (StoreError `mismatch`). */
  put(records: readonly MemoryRecord[]): Promise<void>
  /**
   * Adds turns at the end of a conversation, all or none, durable when it resolves; gives them with their places. A turn whose id is there already with the same
   * text is given as it is and not added again, so that a repeated write is harmless.
   *
   * A turn without a kind is one of kind `turn`.
   *
   * @throws StoreError `conflict` when the id is there with another text or in another conversation
   */
  append(scope: string, documentId: string, turns: readonly NewTurn[]): Promise<MemoryRecord[]>
  /** Changes what is derived; gives whether the record is there. */
  update(scope: string, id: string, change: RecordChange): Promise<boolean>
  get(scope: string, id: string): Promise<MemoryRecord | undefined>
  /** Records of a document or conversation in order of index. */
  list(scope: string, documentId: string, range?: RangeOptions): Promise<MemoryRecord[]>
  search(query: MemoryQuery): Promise<MemoryHit[]>
  /** Counts a recall of each record at `at` (milliseconds since 1970), and of each pair of them; unknown ids are left out. */
  touch(scope: string, ids: readonly string[], at: number): Promise<void>
  use(scope: string, id: string): Promise<RecordUse | undefined>
  /** What was recalled together with a record, most often first. */
  coRecalled(scope: string, id: string, limit: number): Promise<CoRecall[]>
  /** Records of a kind that lack a vector, in order of arrival: what a background job still has to embed. */
  withoutVector(scope: string, limit: number): Promise<MemoryRecord[]>
  /** Whether `markComplete` was called for this document and version: a half-built index is not used. */
  isComplete(scope: string, documentId: string, version: string): Promise<boolean>
  markComplete(scope: string, documentId: string, version: string): Promise<void>
  /** Deletes records everywhere: rows, words, vectors, counts. Facts whose sources are all gone go with them. Gives how many went. */
  delete(scope: string, ids: readonly string[]): Promise<number>
  /** Deletes a document's or conversation's records, as `delete` does, and its mark. */
  deleteDocument(scope: string, documentId: string): Promise<number>
  /** Deletes what has expired, is not pinned; gives how many. */
  deleteExpired(now: number): Promise<number>
  count(scope: string): Promise<number>
  /** Scopes with records, in order of name, after `after`. */
  scopes(limit: number, after?: string): Promise<string[]>
  /** Documents and conversations of a scope, in order of id, after `after`. */
  documents(scope: string, limit: number, after?: string): Promise<DocumentSummary[]>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface MemoryStoreOptions {
  /** Identity of the embedder whose vectors the store holds; recorded at the first vector and checked from then on. */
  readonly embedderId?: string
  readonly dimensions?: number
}
