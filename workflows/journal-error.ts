import { MissingPackageError, StoreError, type StoreErrorReason, storeReason } from '../errors/index.ts'

const hints: Readonly<Record<StoreErrorReason, string>> = {
  'read-only': 'Make the file and its folder writable, or choose another path',
  full: 'Free space on the disk, then resume the run',
  corrupt: 'Move the file away and start anew, or restore a copy',
  mismatch: 'Choose another path',
  conflict: 'Use another id',
  busy: 'Wait for the other process, or raise busyTimeout',
  closed: 'Open the journal again',
  missing: 'Choose another path',
  unknown: 'The cause says more',
}

/** Turns what SQLite and the file system throw into a StoreError that names the path; other errors pass as they are. */
export function toJournalError(cause: unknown, action: string, store: string): unknown {
  if (cause instanceof StoreError || cause instanceof MissingPackageError || !(cause instanceof Error)) return cause
  const reason = storeReason(cause)
  if (!reason) return cause
  return new StoreError(`Cannot ${action} in the journal as ${cause.message}: ${store}. ${hints[reason]}`, { reason, store, cause })
}
