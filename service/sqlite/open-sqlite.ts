import type BetterSqlite3 from 'better-sqlite3'
import { MissingPackageError, StoreError, type StoreErrorReason, storeReason } from '../../errors/index.ts'
import { loadSqlite } from '../../memory/index.ts'

export type Database = BetterSqlite3.Database

export interface SqliteSchema {
  /** What the file is, in the words that follow "Cannot open". */
  readonly what: string
  /** Marks the file, so that another program's database is not written into. */
  readonly applicationId: number
  /** One step a version, in order: the first makes the tables of version 1, each further one leads from the version before. Never changed once released. */
  readonly migrations: readonly string[]
  /** Keeps other processes out for as long as it is open. */
  readonly exclusive?: boolean
  /** `FULL`, the default: what is written survives a power cut. `NORMAL`: it survives the end of the process. */
  readonly synchronous?: 'FULL' | 'NORMAL'
}

/** Milliseconds to wait for another process: one that is just closing the file, or writing to it. */
const BUSY_TIMEOUT = 5_000

/**
 * Opens a database file of the service, makes it where it is missing, and brings its schema up to date, all or nothing.
 *
 * @param path of the file, whose folder must exist; `:memory:` keeps everything in memory
 * @throws MissingPackageError without better-sqlite3; StoreError `busy` where another process keeps it, `mismatch` for another program's file or one of a
 *   newer version, and `read-only`, `full`, `corrupt` or `missing` as the file system has it
 */
export async function openSqlite(path: string, schema: SqliteSchema): Promise<Database> {
  const { what, exclusive = false, synchronous = 'FULL' } = schema
  try {
    const constructor = await loadSqlite(`open ${what}`)
    const database = new constructor(path, { timeout: BUSY_TIMEOUT })
    try {
      if (exclusive) database.pragma('locking_mode = EXCLUSIVE')
      database.pragma('journal_mode = WAL')
      database.pragma(`synchronous = ${synchronous}`)
      database.pragma('secure_delete = ON')
      database.transaction(() => migrate(database, schema, path)).immediate()
      return database
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw toStoreError(error, `open ${what}`, path)
  }
}

function migrate(database: Database, { what, applicationId, migrations }: SqliteSchema, path: string): void {
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (isEmpty) database.pragma(`application_id = ${applicationId}`)
  const isOurs = database.pragma('application_id', { simple: true }) === applicationId
  const version = Number(database.pragma('user_version', { simple: true }))
  if (!isOurs || version > migrations.length) {
    const why = isOurs ? `it was written by a newer version, with schema ${version}` : 'it is the database of another program'
    throw new StoreError(`Cannot open ${what} as ${why}: ${path}. Choose another path`, { reason: 'mismatch', store: path })
  }
  for (const migration of migrations.slice(version)) database.exec(migration)
  database.pragma(`user_version = ${migrations.length}`)
}

const HINTS: Partial<Record<StoreErrorReason, string>> = {
  'read-only': 'Make the file and its folder writable, or choose another folder',
  full: 'Free space on the disk',
  corrupt: 'Restore a copy',
  busy: 'Stop the other server that uses this folder, or choose another',
  missing: 'Create the folder first, or choose another',
}

/** Turns what SQLite and the file system throw into a StoreError that names the path; other errors pass as they are. */
export function toStoreError(cause: unknown, action: string, store: string): unknown {
  if (cause instanceof StoreError || cause instanceof MissingPackageError || !(cause instanceof Error)) return cause
  const reason = /directory does not exist/.test(cause.message) ? 'missing' : storeReason(cause)
  if (reason === undefined) return cause
  return new StoreError(`Cannot ${action} as ${cause.message}: ${store}. ${HINTS[reason] ?? 'The cause says more'}`, {
    reason,
    store,
    cause,
  })
}
