import { MissingPackageError, StoreError, type StoreErrorReason } from '../errors/index.ts'

const hints: Readonly<Record<StoreErrorReason, string>> = {
  'read-only': 'Make the file and its folder writable, or choose another path',
  full: 'Free space on the disk, then resume the run',
  corrupt: 'Move the file away and start anew, or restore a copy',
  mismatch: 'Choose another path',
  busy: 'Wait for the other process, or raise busyTimeout',
  closed: 'Open the journal again',
  missing: 'Choose another path',
  unknown: 'The cause says more',
}

/** By SQLite's result codes and the file system's. */
const reasons: readonly (readonly [RegExp, StoreErrorReason])[] = [
  [/^(SQLITE_READONLY|SQLITE_PERM|EACCES|EPERM|EROFS)/, 'read-only'],
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)/, 'full'],
  [/^(SQLITE_CORRUPT|SQLITE_NOTADB)/, 'corrupt'],
  [/^(SQLITE_BUSY|SQLITE_LOCKED)/, 'busy'],
  [/^SQLITE_CANTOPEN/, 'read-only'],
  [/^(ENOENT|ENOTDIR|EEXIST|ENAMETOOLONG)/, 'missing'],
  [/^SQLITE_/, 'unknown'],
]

/** Turns what SQLite and the file system throw into a StoreError that names the path; other errors pass as they are. */
export function toJournalError(cause: unknown, action: string, store: string): unknown {
  if (cause instanceof StoreError || cause instanceof MissingPackageError || !(cause instanceof Error)) return cause
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  const reason = reasons.find(([pattern]) => pattern.test(code))?.[1]
  if (!reason) return cause
  return new StoreError(`Cannot ${action} in the journal as ${cause.message}: ${store}. ${hints[reason]}`, { reason, store, cause })
}
