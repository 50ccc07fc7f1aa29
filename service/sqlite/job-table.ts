import type { Job, JobListOptions, JobState, NewJob } from '../../workflows/index.ts'
import type { Database, SqliteSchema } from './open-sqlite.ts'

/** `again`: where the next run begins, of a job that was added while it ran. */
const VERSION_1 = `
  CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    begins INTEGER NOT NULL,
    state TEXT NOT NULL,
    again INTEGER,
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,
    error TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (scope, key)
  );
  CREATE INDEX jobs_by_due ON jobs (due, seq) WHERE state = 'waiting';
`

/**
 * Marks the file ("ScrQ"). One process has a queue for itself: what it left running when it was killed is known to run no more. A job survives the end
 * of the process; a power cut may cost the last ones, which are then found again as whatever a crash left without its job.
 */
export const jobSchema: SqliteSchema = {
  what: 'the queue of jobs',
  applicationId: 0x53637251,
  migrations: [VERSION_1],
  exclusive: true,
  synchronous: 'NORMAL',
}

export interface JobTable {
  /** @param due when they may run, where they do not wait already */
  add(jobs: readonly NewJob[], now: number, due: number): void
  get(scope: string, key: string): Job | undefined
  list(scope: string, options: JobListOptions): Job[]
  /** Jobs that wait. */
  waiting(): number
  forget(scope: string, keys: readonly string[] | undefined): number
  /** Takes the job that is due longest, of one of the names and of none of the scopes. */
  take(now: number, names: readonly string[], busy: readonly string[]): Job | undefined
  /** When the next job of these names is due. */
  nextDue(names: readonly string[]): number | undefined
  /** Whether a job of these names waits that has not failed, or is due. */
  isPending(now: number, names: readonly string[]): boolean
  finish(job: Job, now: number): void
  /** @param due when it is tried again; given up when undefined */
  fail(job: Job, error: string, now: number, due: number | undefined): void
  /** Lets jobs wait again that were under way: all of them, or one. */
  release(now: number, job?: Job): void
}

interface JobRow {
  readonly scope: string
  readonly key: string
  readonly name: string
  readonly begins: number
  readonly state: JobState
  readonly attempts: number
  readonly error: string | null
  readonly created_at: number
  readonly updated_at: number
}

const COLUMNS = 'scope, key, name, begins, state, attempts, error, created_at, updated_at'
const BEGINS_LEAST = 'min(begins, coalesce(again, begins))'

export function createJobTable(database: Database): JobTable {
  const insert = database.prepare<[{ scope: string; key: string; name: string; from: number; now: number; due: number }]>(`
    INSERT INTO jobs (scope, key, name, begins, state, attempts, due, created_at, updated_at)
    VALUES (@scope, @key, @name, @from, 'waiting', 0, @due, @now, @now)
    ON CONFLICT (scope, key) DO UPDATE SET
      name = excluded.name,
      begins = CASE state WHEN 'done' THEN excluded.begins WHEN 'running' THEN begins ELSE min(begins, excluded.begins) END,
      again = CASE state WHEN 'running' THEN min(coalesce(again, excluded.begins), excluded.begins) END,
      attempts = iif(state IN ('done', 'failed'), 0, attempts),
      due = iif(state IN ('done', 'failed'), excluded.due, due),
      error = iif(state = 'done', NULL, error),
      state = iif(state = 'running', 'running', 'waiting'),
      updated_at = excluded.updated_at`)
  const get = database.prepare<[string, string], JobRow>(`SELECT ${COLUMNS} FROM jobs WHERE scope = ? AND key = ?`)
  const list = database.prepare<[{ scope: string; after: string; states: string | null; limit: number }], JobRow>(`
    SELECT ${COLUMNS} FROM jobs
    WHERE scope = @scope AND key > @after AND (@states IS NULL OR state IN (SELECT value FROM json_each(@states)))
    ORDER BY key LIMIT @limit`)
  const waiting = database.prepare<[], number>(`SELECT count(*) FROM jobs WHERE state = 'waiting'`).pluck()
  const forget = database.prepare('DELETE FROM jobs WHERE scope = ? AND key = ?')
  const forgetAll = database.prepare('DELETE FROM jobs WHERE scope = ?')
  const take = database.prepare<[{ now: number; names: string; busy: string }], JobRow>(`
    UPDATE jobs SET state = 'running', again = NULL, updated_at = @now
    WHERE seq = (
      SELECT seq FROM jobs
      WHERE state = 'waiting' AND due <= @now
        AND name IN (SELECT value FROM json_each(@names)) AND scope NOT IN (SELECT value FROM json_each(@busy))
      ORDER BY due, seq LIMIT 1
    ) RETURNING ${COLUMNS}`)
  const nextDue = database
    .prepare<[string], number | null>(`SELECT min(due) FROM jobs WHERE state = 'waiting' AND name IN (SELECT value FROM json_each(?))`)
    .pluck()
  const pending = database.prepare<[{ now: number; names: string }]>(`
    SELECT 1 FROM jobs
    WHERE state = 'waiting' AND (attempts = 0 OR due <= @now) AND name IN (SELECT value FROM json_each(@names)) LIMIT 1`)
  const finish = database.prepare(`
    UPDATE jobs SET state = iif(again IS NULL, 'done', 'waiting'), begins = coalesce(again, begins), again = NULL,
      attempts = 0, error = NULL, due = @now, updated_at = @now
    WHERE scope = @scope AND key = @key AND state = 'running'`)
  const fail = database.prepare(`
    UPDATE jobs SET state = iif(@due IS NULL AND again IS NULL, 'failed', 'waiting'), begins = ${BEGINS_LEAST}, again = NULL,
      attempts = iif(@due IS NULL AND again IS NOT NULL, 0, attempts + 1), error = @error, due = coalesce(@due, @now), updated_at = @now
    WHERE scope = @scope AND key = @key AND state = 'running'`)
  const release = database.prepare(`
    UPDATE jobs SET state = 'waiting', begins = ${BEGINS_LEAST}, again = NULL, updated_at = @now
    WHERE state = 'running' AND (@scope IS NULL OR (scope = @scope AND key = @key))`)

  return {
    add: database.transaction((jobs: readonly NewJob[], now: number, due: number) => {
      for (const { scope, key, name, from = 0 } of jobs) insert.run({ scope, key, name, from, now, due })
    }),
    get: (scope, key) => toJob(get.get(scope, key)),
    list: (scope, { states, after = '', limit }) =>
      list.all({ scope, after, states: states ? JSON.stringify(states) : null, limit }).map((row) => toJob(row)),
    waiting: () => waiting.get() ?? 0,
    forget: database.transaction((scope: string, keys: readonly string[] | undefined) =>
      keys === undefined ? forgetAll.run(scope).changes : keys.reduce((sum, key) => sum + forget.run(scope, key).changes, 0),
    ),
    take: (now, names, busy) => toJob(take.get({ now, names: JSON.stringify(names), busy: JSON.stringify(busy) })),
    nextDue: (names) => nextDue.get(JSON.stringify(names)) ?? undefined,
    isPending: (now, names) => pending.get({ now, names: JSON.stringify(names) }) !== undefined,
    finish: ({ scope, key }, now) => void finish.run({ scope, key, now }),
    fail: ({ scope, key }, error, now, due) => void fail.run({ scope, key, error, now, due: due ?? null }),
    release: (now, job) => void release.run({ now, scope: job?.scope ?? null, key: job?.key ?? null }),
  }
}

function toJob(row: JobRow): Job
function toJob(row: JobRow | undefined): Job | undefined
function toJob(row: JobRow | undefined): Job | undefined {
  if (row === undefined) return undefined
  const { scope, key, name, begins, state, attempts, error, created_at, updated_at } = row
  return { scope, key, name, from: begins, state, attempts, error: error ?? undefined, createdAt: created_at, updatedAt: updated_at }
}
