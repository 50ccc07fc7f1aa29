import { StoreError } from '../../errors/index.ts'
import { deleteHnswFile } from '../hnsw-file.ts'
import { loadSqlite } from './load-sqlite.ts'
import { type Database, readMeta } from './sqlite-meta.ts'
import { fromVersion1, identitySql, schema } from './sqlite-schema.ts'
import { buildWords } from './sqlite-words.ts'
import { wordsVersion } from '../words.ts'

/** Marks the file as this store's ("Scri"), so that another program's database is not written into. */
const applicationId = 0x53637269
const schemaVersion = 2

/**
 * Opens or creates the database file and brings its schema and word index up to date, all or nothing. Every commit is on the disk before it
 * resolves (`synchronous = FULL`): in WAL mode a lesser setting could lose the last ones when the power fails.
 */
export async function openDatabase(path: string, busyTimeout: number): Promise<Database> {
  const constructor = await loadSqlite('open a SQLite store')
  const database = new constructor(path, { timeout: busyTimeout })
  try {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    database.pragma('secure_delete = ON')
    // 64 MiB: the words of a large scope do not fit in the 2 MB that are the default.
    database.pragma('cache_size = -65536')
    if (database.transaction(() => migrate(database, path)).immediate()) leaveVersion1(database, path)
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

/** Gives whether the file was of version 1. */
function migrate(database: Database, path: string): boolean {
  const version = Number(database.pragma('user_version', { simple: true }))
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (isEmpty) {
    database.exec(`${schema}; ${identitySql}`)
    database.pragma(`application_id = ${applicationId}`)
  } else {
    checkVersion(database, version, path)
    if (version === 1) database.exec(fromVersion1)
  }
  if (version !== schemaVersion) database.pragma(`user_version = ${schemaVersion}`)
  if (readMeta(database, 'words') !== String(wordsVersion)) buildWords(database)
  return version === 1
}

function checkVersion(database: Database, version: number, path: string): void {
  const isOurs = database.pragma('application_id', { simple: true }) === applicationId
  if (isOurs && version >= 1 && version <= schemaVersion) return
  const why = isOurs ? `it was written by a newer version, with schema ${version}` : 'it is the database of another program'
  const what = isOurs ? 'Update this package' : 'Choose another path'
  throw new StoreError(`Cannot open the memory store as ${why}: ${path}. ${what}`, { reason: 'mismatch', store: path })
}

/** The old file had one vector index for all scopes, and holds the space of the tables that were copied. */
function leaveVersion1(database: Database, path: string): void {
  deleteHnswFile(`${path}.hnsw`)
  database.exec('VACUUM')
}
