import type BetterSqlite3 from 'better-sqlite3'
import { StoreError } from '../errors/index.ts'
import { loadSqlite } from './load-sqlite.ts'
import { decodeText } from './sqlite-values.ts'
import { recordTerms, wordsVersion } from './words.ts'

export type Database = BetterSqlite3.Database

/** Marks the file as this store's ("Scri"), so that another program's database is not written into. */
const applicationId = 0x53637269
const schemaVersion = 1

/**
 * Records are the truth; the word index and the vector index beside the file are derived. A record's `seq` is never used twice: a replaced
 * record gets a new one, which is how a derived index knows what it lacks. The word index holds terms that `words.ts` made, each led by
 * its scope's number, so that no search can match another scope's record.
 */
const schema = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE scopes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    scope INTEGER NOT NULL REFERENCES scopes (id),
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    place INTEGER NOT NULL,
    span_start INTEGER NOT NULL,
    span_end INTEGER NOT NULL,
    text NOT NULL,
    context,
    vector BLOB,
    UNIQUE (scope, id)
  );
  CREATE INDEX records_by_place ON records (scope, document, place);
  CREATE INDEX records_with_vector ON records (scope, document) WHERE vector IS NOT NULL;
  CREATE TABLE completed (scope INTEGER NOT NULL, document TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (scope, document)) WITHOUT ROWID;
  INSERT INTO meta VALUES ('identity', lower(hex(randomblob(16))));
`

/** Secure deletion takes a deleted record's terms out of the file at once and not at some later merge. */
const wordsSchema = `
  DROP TABLE IF EXISTS words;
  CREATE VIRTUAL TABLE words USING fts5 (terms, content = '', tokenize = 'ascii');
  INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
`

/** Opens or creates the database file and brings its schema and word index up to date. */
export async function openDatabase(path: string, busyTimeout: number): Promise<Database> {
  const constructor = await loadSqlite('open a SQLite store')
  const database = new constructor(path, { timeout: busyTimeout })
  try {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    database.pragma('secure_delete = ON')
    database.transaction(() => migrate(database, path)).immediate()
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

function migrate(database: Database, path: string): void {
  const version = Number(database.pragma('user_version', { simple: true }))
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  const isOurs = database.pragma('application_id', { simple: true }) === applicationId
  if (!isEmpty && (!isOurs || version !== schemaVersion)) {
    const why = isOurs ? `its schema version is not ${schemaVersion}` : 'it is the database of another program'
    throw new StoreError(`Cannot open the memory store as ${why}: ${path}. Choose another path`, { reason: 'mismatch', store: path })
  }
  if (isEmpty) {
    database.exec(schema)
    database.pragma(`application_id = ${applicationId}`)
    database.pragma(`user_version = ${schemaVersion}`)
  }
  if (readMeta(database, 'words') !== String(wordsVersion)) rebuildWords(database)
}

function rebuildWords(database: Database): void {
  database.exec(wordsSchema)
  const insert = database.prepare('INSERT INTO words (rowid, terms) VALUES (?, ?)')
  const rows = database.prepare<[], { seq: number; scope: number; text: string | Buffer; context: string | Buffer | null }>(
    'SELECT seq, scope, text, context FROM records ORDER BY seq',
  )
  for (const { seq, scope, text, context } of rows.all()) {
    insert.run(seq, rowTerms(scope, text, context))
  }
  writeMeta(database, 'words', String(wordsVersion))
}

/** The words of a row as the word index holds them. Taking a row out of that index needs the very same. */
export function rowTerms(scope: number, text: string | Buffer, context: string | Buffer | null): string {
  const record = { text: decodeText(text), ...(context === null ? {} : { context: decodeText(context) }) }
  return scopeTerms(scope, recordTerms(record)).join(' ')
}

/** Terms as the word index holds them: led by the scope's number and an x. */
export function scopeTerms(scope: number, terms: readonly string[]): string[] {
  return terms.map((term) => `${scope}x${term}`)
}

export function readMeta(database: Database, key: string): string | undefined {
  return database.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck().get(key)
}

export function writeMeta(database: Database, key: string, value: string): void {
  database.prepare('INSERT OR REPLACE INTO meta VALUES (?, ?)').run(key, value)
}
