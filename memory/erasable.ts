/** The contract of whatever holds text of others and must be able to forget it: stores, journals, caches of keys and values. */

/** What is to be forgotten: a whole scope, or documents or conversations of it and single records. */
export interface ErasureTarget {
  readonly scope: string
  readonly documentIds?: readonly string[]
  /** Ids of records; what was derived from them alone goes too. */
  readonly ids?: readonly string[]
}

/** What one holder has of a target. */
export interface ErasureFinding {
  /** Name of the holder, such as `memory` or `journal`. */
  readonly holder: string
  /** How many of each kind: rows, facts, vectors, steps, files. */
  readonly counts: Readonly<Record<string, number>>
  /** SHA-256, in hexadecimal, over the sorted ids and texts found: what a receipt shows in place of the texts. */
  readonly hash: string
}

export interface Erasable {
  /** What would go. */
  findErasable(target: ErasureTarget): Promise<ErasureFinding>
  /** Deletes it for good: when it resolves, the holder's files no longer hold the bytes. Doing it again finds nothing. */
  erase(target: ErasureTarget): Promise<ErasureFinding>
  /**
   * What `erase` must take out of the files: texts, summaries, contexts, and bytes such as vectors, in any order. It is what a scan looks for
   * afterwards, and is neither kept nor logged.
   */
  erasableContent(target: ErasureTarget): AsyncIterable<string | Uint8Array>
  /** Files of the holder, for a scan of their bytes; empty where it has none. */
  erasableFiles(): readonly string[]
}
