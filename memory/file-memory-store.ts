import type { RecordKind } from './memory-record.ts'
import type { MemoryStore } from './memory-store.ts'

/** How large a store has grown. */
export interface StoreStatistics {
  readonly scopes: number
  readonly records: Readonly<Record<RecordKind, number>>
  readonly vectors: number
  readonly summaries: number
  /** Pairs of records that were recalled together, counted from both sides. */
  readonly recalls: number
  /** Bytes of the files. */
  readonly bytes: { readonly database: number; readonly log: number; readonly indexes: number }
}

/** A store in a file that can be looked after. */
export interface FileMemoryStore extends MemoryStore {
  /** Gives unused space back to the disk and tidies the word index; gives the bytes of all files before and after. Needs as much free space as the file takes. */
  compact(): Promise<{ readonly before: number; readonly after: number }>
  /**
   * Copies the store as it is at one moment to another file, while it is in use. To restore, open the copy, or put it in the place of the closed
   * file. The copy has an identity of its own, so that it never takes an index that was derived from the original.
   *
   * @throws StoreError `missing`, `full` or `read-only` when it cannot be written
   */
  backup(path: string): Promise<void>
  /** What is wrong with the file, in words: empty when it is whole and what is derived agrees with the records. */
  verify(): Promise<string[]>
  /** Builds what is derived from the records anew: words at once, vectors' indexes when they are next needed. */
  rebuild(): Promise<void>
  statistics(): Promise<StoreStatistics>
}
