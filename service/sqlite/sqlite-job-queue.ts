import { type Logger, silent } from '../../log/index.ts'
import { type Clock, systemClock } from '../../models/index.ts'
import type { Job, JobHandler, JobListOptions, JobQueue, NewJob } from '../../workflows/index.ts'
import { createJobTable, jobSchema, type JobTable } from './job-table.ts'
import { type Database, openSqlite, toStoreError } from './open-sqlite.ts'

export interface SqliteJobQueueOptions {
  /** Jobs under way at one time, each of another scope; 4 by default. */
  readonly concurrency?: number
  /** Milliseconds that a job waits for others to become one with it; 0 by default. */
  readonly delay?: number
  /** Attempts before a job is given up; 8 by default, the last some two minutes after the one before. */
  readonly attempts?: number
  readonly clock?: Clock
  readonly logger?: Logger
}

/** Milliseconds before the second attempt; it doubles with each further one. */
const FIRST_WAIT = 1_000

/**
 * A queue in a SQLite file, for one process: another that opens the file is refused (`busy`). What was under way when the
 * process was killed waits again.
 *
 * @param path of the file; `:memory:` keeps everything in memory
 * @throws as `openSqlite`
 */
export async function sqliteJobQueue(path: string, options: SqliteJobQueueOptions = {}): Promise<JobQueue> {
  const { clock = systemClock } = options
  const database = await openSqlite(path, jobSchema)
  const table = createJobTable(database)
  table.release(clock.now())
  return new SqliteJobQueue(path, database, table, { ...options, clock })
}

class SqliteJobQueue implements JobQueue {
  readonly #path: string
  readonly #database: Database
  readonly #table: JobTable
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #concurrency: number
  readonly #attempts: number
  readonly #delay: number
  readonly #abort = new AbortController()
  /** Scopes in which something runs, or is paused for. */
  readonly #lanes = new Map<string, Promise<void>>()
  /** How many wait to pause a scope: no job may overtake them. */
  readonly #pausing = new Map<string, number>()
  #running = 0
  #handlers: Readonly<Record<string, JobHandler>> = {}
  #wake = new AbortController()
  #idlers: (() => void)[] = []
  #closing: Promise<void> | undefined

  constructor(path: string, database: Database, table: JobTable, options: SqliteJobQueueOptions & { readonly clock: Clock }) {
    const { concurrency = 4, attempts = 8, delay = 0, logger = silent, clock } = options
    this.#path = path
    this.#database = database
    this.#table = table
    this.#clock = clock
    this.#logger = logger
    this.#concurrency = concurrency
    this.#attempts = attempts
    this.#delay = delay
  }

  async add(jobs: readonly NewJob[]): Promise<void> {
    this.#use('add jobs', (table) => {
      const isThere = ({ scope, key, from = 0 }: NewJob): boolean => {
        const known = table.get(scope, key)
        return known?.state === 'waiting' && known.from <= from
      }
      const added = jobs.filter((job) => !isThere(job))
      const now = this.#clock.now()
      if (added.length > 0) table.add(added, now, now + this.#delay)
    })
    this.#pump()
  }

  async get(scope: string, key: string): Promise<Job | undefined> {
    return this.#use('get a job', (table) => table.get(scope, key))
  }

  async list(scope: string, options: JobListOptions): Promise<Job[]> {
    return this.#use('list jobs', (table) => table.list(scope, options))
  }

  async backlog(): Promise<number> {
    return this.#use('count jobs', (table) => table.waiting() + this.#running)
  }

  async forget(scope: string, keys?: readonly string[]): Promise<number> {
    return this.#use('forget jobs', (table) => table.forget(scope, keys))
  }

  start(handlers: Readonly<Record<string, JobHandler>>): void {
    this.#handlers = handlers
    this.#pump()
  }

  async pause<T>(scope: string, work: () => Promise<T>): Promise<T> {
    this.#pausing.set(scope, (this.#pausing.get(scope) ?? 0) + 1)
    while (this.#lanes.has(scope)) await this.#lanes.get(scope)
    return this.#occupy(scope, async () => {
      const left = (this.#pausing.get(scope) ?? 1) - 1
      if (left === 0) this.#pausing.delete(scope)
      else this.#pausing.set(scope, left)
      return work()
    })
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idlers.push(resolve)
      this.#tellIdlers()
    })
  }

  close({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.addEventListener('abort', () => this.#abort.abort(signal.reason), { once: true })
    if (signal?.aborted) this.#abort.abort(signal.reason)
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#wake.abort()
    while (this.#lanes.size > 0) await Promise.allSettled(this.#lanes.values())
    this.#database.close()
    this.#tellIdlers()
  }

  /** Runs what is due, as far as there is room, and sets the clock for what is due later. */
  #pump(): void {
    if (this.#closing) return
    const names = Object.keys(this.#handlers)
    while (this.#running < this.#concurrency) {
      const job = this.#table.take(this.#clock.now(), names, [...this.#lanes.keys(), ...this.#pausing.keys()])
      if (job === undefined) break
      this.#running++
      this.#occupy(job.scope, () => this.#run(job)).catch((error: unknown) =>
        this.#logger.error(
          { err: error, job: job.name, key: job.key },
          'the end of a job could not be recorded; it is done again at the next start',
        ),
      )
    }
    this.#sleep(names)
    this.#tellIdlers()
  }

  #sleep(names: readonly string[]): void {
    this.#wake.abort()
    this.#wake = new AbortController()
    const due = this.#table.nextDue(names)
    const wait = due === undefined ? undefined : due - this.#clock.now()
    // What is due already waits for room or for its scope, whose end wakes the queue.
    if (wait === undefined || wait <= 0) return
    this.#clock.sleep(wait, { signal: this.#wake.signal }).then(
      () => this.#pump(),
      () => undefined,
    )
  }

  /** Has the scope to itself for as long as `work` takes. */
  async #occupy<T>(scope: string, work: () => Promise<T>): Promise<T> {
    let free = (): void => undefined
    this.#lanes.set(scope, new Promise((resolve) => (free = resolve)))
    try {
      return await work()
    } finally {
      this.#lanes.delete(scope)
      free()
      this.#pump()
    }
  }

  async #run(job: Job): Promise<void> {
    const { signal } = this.#abort
    try {
      await this.#handlers[job.name]?.(job, { signal })
      this.#table.finish(job, this.#clock.now())
    } catch (error) {
      if (signal.aborted) this.#table.release(this.#clock.now(), job)
      else this.#fail(job, error)
    } finally {
      this.#running--
    }
  }

  #fail(job: Job, error: unknown): void {
    const now = this.#clock.now()
    const { name, key, attempts } = job
    const isLast = attempts + 1 >= this.#attempts
    this.#logger.warn({ err: error, job: name, key, attempts: attempts + 1, givenUp: isLast }, 'a job failed')
    this.#table.fail(job, codeOf(error), now, isLast ? undefined : now + FIRST_WAIT * 2 ** attempts)
  }

  #tellIdlers(): void {
    if (this.#running > 0) return
    if (this.#database.open && this.#table.isPending(this.#clock.now(), Object.keys(this.#handlers))) return
    for (const tell of this.#idlers.splice(0)) tell()
  }

  #use<T>(action: string, work: (table: JobTable) => T): T {
    try {
      return work(this.#table)
    } catch (error) {
      throw toStoreError(error, action, this.#path)
    }
  }
}

/** An error without its message, which may quote what was remembered. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Error'
  return 'reason' in error && typeof error.reason === 'string' ? `${error.name} ${error.reason}` : error.name
}
