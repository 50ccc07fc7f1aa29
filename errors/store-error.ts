/** What went wrong with a store or a journal. */
export type StoreErrorReason = 'read-only' | 'full' | 'corrupt' | 'mismatch' | 'conflict' | 'busy' | 'closed' | 'missing' | 'unknown'

/** A store or journal could not be opened, read or written. The message names its path. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly reason: StoreErrorReason
  /** Path of the file, or a label. */
  readonly store: string

  constructor(message: string, options: { reason: StoreErrorReason; store: string; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.reason = options.reason
    this.store = options.store
  }
}
