import type { StoreErrorReason } from './store-error.ts'

/** By SQLite's result codes and the file system's. */
const REASONS: readonly (readonly [RegExp, StoreErrorReason])[] = [
  [/^(SQLITE_READONLY|SQLITE_PERM|EACCES|EPERM|EROFS|SQLITE_CANTOPEN)/, 'read-only'],
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)/, 'full'],
  [/^(SQLITE_CORRUPT|SQLITE_NOTADB)/, 'corrupt'],
  [/^(SQLITE_BUSY|SQLITE_LOCKED)/, 'busy'],
  [/^(ENOENT|ENOTDIR|EEXIST|ENAMETOOLONG)/, 'missing'],
  [/^SQLITE_/, 'unknown'],
]

/** The code of an error of SQLite or the file system; empty for any other. */
export function errorCode(cause: Error): string {
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
}

/** Why SQLite or the file system failed; undefined for an error that is not theirs. */
export function storeReason(cause: Error): StoreErrorReason | undefined {
  const code = errorCode(cause)
  return REASONS.find(([pattern]) => pattern.test(code))?.[1]
}
