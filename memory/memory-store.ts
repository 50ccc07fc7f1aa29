/** The contract of every store. SQL is the truth; a vector index is derived from it and can be rebuilt. */

/** One thing remembered. Here: a passage of a document; other kinds share the table. */
export interface MemoryRecord {
  /** Unique within its scope. */
  readonly id: string
  /** Who or what it belongs to: scopes never see each other. */
  readonly scope: string
  readonly documentId: string
  /** Span in the document, UTF-16 code units. */
  readonly start: number
  readonly end: number
  /** Place in the document's order, from 0: neighbours differ by one. */
  readonly index: number
  readonly text: string
  /** Words for the full-text index besides the text, such as a title. */
  readonly context?: string
  /** Unit vector of the store's embedder; absent when only words are indexed. */
  readonly vector?: Float32Array
}

/** A search over one scope. */
export interface MemoryQuery {
  readonly scope: string
  /** Words for BM25. */
  readonly text: string
  /** Query vector for cosine similarity; without it, words alone decide. */
  readonly vector?: Float32Array
  /** Most results. */
  readonly k: number
  /** Only records of these documents, applied inside the search. */
  readonly documentIds?: readonly string[]
  /** Records on each side of a hit that become candidates too; 0 by default. */
  readonly neighbours?: number
  /** How the two lists are joined. `min-max` is the default (measured best); the others are for comparison. */
  readonly fusion?: 'min-max' | 'rank' | 'words' | 'vectors'
  readonly signal?: AbortSignal
}

/** A result: best first, ties in order of document and index. */
export interface MemoryHit {
  readonly record: MemoryRecord
  /** Fused score, from 0 to 1 for `min-max`. */
  readonly score: number
  /** BM25 score, positive, 0 when no word matched. */
  readonly words: number
  /** Cosine similarity, from -1 to 1; undefined without vectors. */
  readonly similarity: number | undefined
}

/** A store of records with search. One conformance suite holds for all. */
export interface MemoryStore {
  /** Identity of the embedder whose vectors the store holds, where it is known. */
  readonly embedderId?: string | undefined
  /** Adds or replaces records, all or none. Refuses vectors of another model or dimension by name (StoreError `mismatch`). */
  put(records: readonly MemoryRecord[]): Promise<void>
  get(scope: string, id: string): Promise<MemoryRecord | undefined>
  /** Records of a document in order of index. */
  list(scope: string, documentId: string): Promise<MemoryRecord[]>
  search(query: MemoryQuery): Promise<MemoryHit[]>
  /** Whether `markComplete` was called for this document and version: a half-built index is not used. */
  isComplete(scope: string, documentId: string, version: string): Promise<boolean>
  markComplete(scope: string, documentId: string, version: string): Promise<void>
  /** Deletes a document's records everywhere: rows, words, vectors. Returns how many. */
  deleteDocument(scope: string, documentId: string): Promise<number>
  count(scope: string): Promise<number>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface MemoryStoreOptions {
  /** Identity of the embedder whose vectors the store holds; recorded at the first vector and checked from then on. */
  readonly embedderId?: string
  readonly dimensions?: number
}
