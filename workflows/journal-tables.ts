/** The tables of a journal in SQLite. Records lie as JSON, beside the columns that are searched. */
import type BetterSqlite3 from 'better-sqlite3'
import { StoreError } from '../errors/index.ts'
import type { ErasureTarget } from '../memory/index.ts'
import type { JournalRecords } from './journal-erasure.ts'
import type { JournalRun, JournalStep } from './journal.ts'
import { parseRun } from './memory-journal.ts'

/** Marks the file as a journal ("ScrJ"), so that another program's database is not written into. */
const applicationId = 0x5363724a
const schemaVersion = 1

/** Text that may hold lone surrogates (scope, question, names) lies as JSON, which escapes them: UTF-8 cannot hold them. */
const schema = `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    documents TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    record TEXT NOT NULL
  );
  CREATE INDEX runs_by_time ON runs (created_at);
  CREATE TABLE steps (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    path TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    documents TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (run, path)
  );
  CREATE INDEX steps_by_key ON steps (scope, key, seq);
`

export interface JournalTables {
  putRun(run: JournalRun): void
  getRun(id: string): JournalRun | undefined
  listRuns(scope: string | undefined, limit: number): JournalRun[]
  putStep(step: JournalStep): void
  getStep(runId: string, path: string): JournalStep | undefined
  findStep(scope: string, key: string): JournalStep | undefined
  listSteps(runId: string): JournalStep[]
  /** What an erasure takes. */
  targeted(target: ErasureTarget): JournalRecords
  /** Deletes it and gives what went. Within a transaction. */
  erase(target: ErasureTarget): JournalRecords
}

/** Makes the schema of a new file and refuses a file that is not of this schema. Within a transaction. */
export function migrateJournal(database: BetterSqlite3.Database, path: string): void {
  const isEmpty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined
  if (isEmpty) {
    database.exec(schema)
    database.pragma(`application_id = ${applicationId}`)
    database.pragma(`user_version = ${schemaVersion}`)
    return
  }
  const isOurs = database.pragma('application_id', { simple: true }) === applicationId
  const version = Number(database.pragma('user_version', { simple: true }))
  if (isOurs && version === schemaVersion) return
  const why = isOurs ? `its schema version is ${version} and not ${schemaVersion}` : 'it is the database of another program'
  throw new StoreError(`Cannot open the journal as ${why}: ${path}. Choose another path`, { reason: 'mismatch', store: path })
}

export function createJournalTables(database: BetterSqlite3.Database): JournalTables {
  const text = <Parameters extends unknown[]>(sql: string): BetterSqlite3.Statement<Parameters, string> =>
    database.prepare<Parameters, string>(sql).pluck()
  const putRun = database.prepare<[string, string, string, number, string]>(`
    INSERT INTO runs VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET scope = excluded.scope, documents = excluded.documents, created_at = excluded.created_at, record = excluded.record`)
  const getRun = text<[string]>('SELECT record FROM runs WHERE id = ?')
  const listRuns = text<[{ scope: string | null; limit: number }]>(
    'SELECT record FROM runs WHERE @scope IS NULL OR scope = @scope ORDER BY created_at DESC, rowid DESC LIMIT @limit',
  )
  const putStep = database.prepare<string[]>(
    'INSERT INTO steps (run, path, scope, key, documents, record) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (run, path) DO NOTHING',
  )
  const getStep = text<[string, string]>('SELECT record FROM steps WHERE run = ? AND path = ?')
  const findStep = text<[string, string]>('SELECT record FROM steps WHERE scope = ? AND key = ? ORDER BY seq DESC LIMIT 1')
  const listSteps = text<[string]>('SELECT record FROM steps WHERE run = ? ORDER BY seq')
  return {
    putRun: (run) => void putRun.run(run.id, column(run.scope), column(run.documentIds), run.createdAt, JSON.stringify(run)),
    getRun: (id) => optional(getRun.get(id), parseRun),
    listRuns(scope, limit) {
      const query = { scope: scope === undefined ? null : column(scope), limit: Number.isFinite(limit) ? limit : -1 }
      return listRuns.all(query).map((json) => parseRun(json))
    },
    putStep(step) {
      putStep.run(step.runId, step.path, column(step.scope), step.key, column(step.documentIds), JSON.stringify(step))
    },
    getStep: (runId, path) => optional(getStep.get(runId, path), parseStep),
    findStep: (scope, key) => optional(findStep.get(column(scope), key), parseStep),
    listSteps: (runId) => listSteps.all(runId).map((json) => parseStep(json)),
    ...createEraser(database),
  }
}

/** The runs that read the documents, all their steps, and the steps of the scope that name them or none: what `isErasable` means. */
function createEraser(database: BetterSqlite3.Database): Pick<JournalTables, 'targeted' | 'erase'> {
  const named = 'EXISTS (SELECT 1 FROM json_each(documents) WHERE value IN (SELECT value FROM json_each(@documents)))'
  const runs = `scope = @scope AND (@whole OR ${named})`
  const steps = `(scope = @scope AND (@whole OR documents = '[]' OR ${named})) OR run IN (SELECT id FROM runs WHERE ${runs})`
  const read = (sql: string): BetterSqlite3.Statement<[object], string> => database.prepare<[object], string>(sql).pluck()
  const findRuns = read(`SELECT record FROM runs WHERE ${runs} ORDER BY id`)
  const findSteps = read(`SELECT record FROM steps WHERE ${steps} ORDER BY seq`)
  const deleteSteps = database.prepare(`DELETE FROM steps WHERE ${steps}`)
  const deleteRuns = database.prepare(`DELETE FROM runs WHERE ${runs}`)

  function valuesOf({ scope, documentIds, ids }: ErasureTarget): object {
    return { scope: column(scope), whole: documentIds || ids ? 0 : 1, documents: column(documentIds ?? []) }
  }

  function targeted(target: ErasureTarget): JournalRecords {
    const values = valuesOf(target)
    return { runs: findRuns.all(values).map((json) => parseRun(json)), steps: findSteps.all(values).map((json) => parseStep(json)) }
  }

  return {
    targeted,
    erase(target) {
      const found = targeted(target)
      deleteSteps.run(valuesOf(target))
      deleteRuns.run(valuesOf(target))
      return found
    },
  }
}

function column(value: string | readonly string[]): string {
  return JSON.stringify(value)
}

function parseStep(json: string): JournalStep {
  return JSON.parse(json) as JournalStep
}

function optional<T>(json: string | undefined, parse: (json: string) => T): T | undefined {
  return json === undefined ? undefined : parse(json)
}
