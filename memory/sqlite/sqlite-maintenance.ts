import { statSync } from 'node:fs'
import { StoreError } from '../../errors/index.ts'
import type { StoreStatistics } from '../file-memory-store.ts'
import { loadSqlite } from './load-sqlite.ts'
import type { RecordKind } from '../memory-record.ts'
import type { SqliteFile } from './sqlite-file.ts'
import { writeMeta } from './sqlite-meta.ts'
import { buildWords } from './sqlite-words.ts'

/**
 * Empties the file of what was deleted: its unused pages and its log.
 *
 * @throws StoreError `busy` when another process still reads an older state, which keeps it in the log
 */
export function vacuum(file: SqliteFile): void {
  const { database, path } = file
  database.exec('VACUUM')
  if (truncateLog(file)) return
  throw new StoreError(
    `Cannot empty the log of the memory store as another process reads it: ${path}-wal. What was deleted is no longer found, but its bytes remain; do it again`,
    { reason: 'busy', store: path },
  )
}

/** Moves the log into the file and empties it; gives whether no other process kept it. */
export function truncateLog({ database }: SqliteFile): boolean {
  const [result] = database.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
  return result?.busy !== 1
}

export function compactDatabase(file: SqliteFile): void {
  const { database } = file
  // Views and indexes look at the records anew, so no removal needs to be remembered.
  database.transaction(() => database.exec('DELETE FROM removals; UPDATE changes SET epoch = epoch + 1')).immediate()
  database.exec(`INSERT INTO words (words) VALUES ('optimize')`)
  database.pragma('optimize')
  vacuum(file)
}

export async function backupDatabase({ database }: SqliteFile, path: string): Promise<void> {
  await database.backup(path)
  const constructor = await loadSqlite('back up a SQLite store')
  const copy = new constructor(path)
  try {
    const identity = copy.prepare<[], string>('SELECT lower(hex(randomblob(16)))').pluck().get()
    writeMeta(copy, 'identity', identity as string)
  } finally {
    copy.close()
  }
}

/** Counts that must be 0, with what it means when they are not. */
const faults: readonly (readonly [string, string])[] = [
  ['records without their words', 'SELECT count(*) FROM records WHERE key NOT IN (SELECT id FROM words_docsize)'],
  ['words without a record', 'SELECT count(*) FROM words_docsize WHERE id NOT IN (SELECT key FROM records)'],
  [
    'records whose vector is missing or another',
    'SELECT count(*) FROM records LEFT JOIN vectors USING (key) WHERE records.vector IS NOT vectors.change',
  ],
  ['vectors without a record', 'SELECT count(*) FROM vectors WHERE key NOT IN (SELECT key FROM records)'],
  ['records of no scope', 'SELECT count(*) FROM records WHERE scope NOT IN (SELECT id FROM scopes)'],
]

export function verifyDatabase({ database }: SqliteFile): string[] {
  const pages = database.pragma('integrity_check') as { integrity_check: string }[]
  const problems = pages.map((row) => row.integrity_check).filter((line) => line !== 'ok')
  try {
    database.exec(`INSERT INTO words (words) VALUES ('integrity-check')`)
  } catch (error) {
    problems.push(`the word index is damaged: ${error instanceof Error ? error.message : String(error)}`)
  }
  for (const [what, sql] of faults) {
    const count = database.prepare<[], number>(sql).pluck().get() ?? 0
    if (count > 0) problems.push(`${what}: ${count}`)
  }
  return problems
}

export function rebuildDerived({ database, vectors }: SqliteFile): void {
  database.transaction(() => buildWords(database)).immediate()
  vectors.discard()
}

export function measureStore({ database, path, vectors }: SqliteFile): StoreStatistics {
  const count = (sql: string): number => database.prepare<[], number>(sql).pluck().get() ?? 0
  const ofKind = (kind: RecordKind): number => count(`SELECT count(*) FROM records WHERE coalesce(kind, 'passage') = '${kind}'`)
  return {
    scopes: count('SELECT count(*) FROM scopes'),
    records: { passage: ofKind('passage'), turn: ofKind('turn'), fact: ofKind('fact') },
    vectors: count('SELECT count(*) FROM vectors'),
    summaries: count('SELECT count(*) FROM records WHERE summary IS NOT NULL'),
    recalls: count('SELECT count(*) FROM recalls'),
    bytes: {
      database: count('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size'),
      log: fileBytes(`${path}-wal`),
      indexes: vectors.files().reduce((sum, file) => sum + fileBytes(file), 0),
    },
  }
}

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
