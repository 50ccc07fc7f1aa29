import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode, MissingPackageError, StoreError, type StoreErrorReason, storeReason } from '../../errors/index.ts'

const hints: Readonly<Record<StoreErrorReason, string>> = {
  'read-only': 'Make the file and its folder writable, or choose another path',
  full: 'Free space on the disk',
  corrupt: 'Delete the file to build it anew, or restore a copy',
  mismatch: 'Choose another path',
  conflict: 'Use another id',
  busy: 'Wait for the other process, or raise busyTimeout',
  closed: 'Open the store again',
  missing: 'Create the folder first, or choose another path',
  unknown: 'The cause says more',
}

/** Turns what SQLite and the file system throw into a StoreError that names the path; other errors pass as they are. */
export function toStoreError(cause: unknown, action: string, store: string): unknown {
  if (cause instanceof StoreError || cause instanceof MissingPackageError || !(cause instanceof Error)) return cause
  const reason = reasonOf(cause, store)
  if (!reason) return cause
  return new StoreError(`Cannot ${action} as ${cause.message}: ${store}. ${hints[reason]}`, { reason, store, cause })
}

function reasonOf(cause: Error, store: string): StoreErrorReason | undefined {
  if (errorCode(cause).startsWith('SQLITE_CANTOPEN')) return isWritable(dirname(store)) ? 'missing' : 'read-only'
  if (/directory does not exist/.test(cause.message)) return 'missing'
  if (/connection is not open/.test(cause.message)) return 'closed'
  return storeReason(cause)
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}
