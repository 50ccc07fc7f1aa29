import { access, constants, mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type BetterSqlite3 from 'better-sqlite3'
import { StoreError } from '../errors/index.ts'
import { type ErasureFinding, type ErasureTarget, loadSqlite } from '../memory/index.ts'
import { toJournalError } from './journal-error.ts'
import { describeErasable, erasableTexts } from './journal-erasure.ts'
import type { Journal, JournalRun, JournalStep } from './journal.ts'
import { createJournalTables, type JournalTables, migrateJournal } from './journal-tables.ts'
import { checkLimit } from './memory-journal.ts'

export interface SqliteJournalOptions {
  /** Milliseconds to wait for another process's write; 5,000 by default. */
  readonly busyTimeout?: number
}

/**
 * A journal in a SQLite file, opened when first used; its folder is made. Several processes may use one file. A step that was recorded stays
 * when the process is killed; a power cut may cost the last of them, never the file.
 *
 * Every call rejects with MissingPackageError without better-sqlite3, and with StoreError `read-only`, `full`, `corrupt`, `busy`, `missing`
 * (the folder cannot be made), `mismatch` (a directory, another program's file, another schema) or `closed`.
 *
 * @param path of the file; `:memory:` keeps everything in memory
 * @example
 * ```ts
 * await using journal = sqliteJournal('runs.db')
 * const answer = await ask('book.txt', 'Who is Ahab?', { journal }).result
 * ```
 */
export function sqliteJournal(path: string, options: SqliteJournalOptions = {}): Journal {
  if (typeof path !== 'string' || path === '')
    throw new TypeError(`Cannot open a journal as its path must be a text: ${JSON.stringify(path)}`)
  return new SqliteJournal(path, options.busyTimeout ?? 5_000)
}

interface OpenJournal {
  readonly database: BetterSqlite3.Database
  readonly tables: JournalTables
}

class SqliteJournal implements Journal {
  readonly #path: string
  readonly #busyTimeout: number
  #opening: Promise<OpenJournal> | undefined
  #closing: Promise<void> | undefined

  constructor(path: string, busyTimeout: number) {
    this.#path = path
    this.#busyTimeout = busyTimeout
  }

  putRun(run: JournalRun): Promise<void> {
    return this.#use('record a run', ({ tables }) => tables.putRun(run))
  }

  getRun(id: string): Promise<JournalRun | undefined> {
    return this.#use('get a run', ({ tables }) => tables.getRun(id))
  }

  async listRuns(options: { readonly limit?: number; readonly scope?: string } = {}): Promise<JournalRun[]> {
    const { scope, limit = Number.POSITIVE_INFINITY } = options
    checkLimit(limit)
    return this.#use('list runs', ({ tables }) => tables.listRuns(scope, limit))
  }

  putStep(step: JournalStep): Promise<void> {
    return this.#use('record a step', ({ tables }) => tables.putStep(step))
  }

  getStep(runId: string, path: string): Promise<JournalStep | undefined> {
    return this.#use('get a step', ({ tables }) => tables.getStep(runId, path))
  }

  findStep(scope: string, key: string): Promise<JournalStep | undefined> {
    return this.#use('find a step', ({ tables }) => tables.findStep(scope, key))
  }

  listSteps(runId: string): Promise<JournalStep[]> {
    return this.#use('list steps', ({ tables }) => tables.listSteps(runId))
  }

  findErasable(target: ErasureTarget): Promise<ErasureFinding> {
    return this.#use('look for records', ({ tables }) => describeErasable(tables.targeted(target)))
  }

  /** The file is emptied also when nothing is found: an earlier try may have been kept from that. */
  erase(target: ErasureTarget): Promise<ErasureFinding> {
    return this.#use('erase', ({ database, tables }) => {
      const erased = database.transaction(() => describeErasable(tables.erase(target))).immediate()
      this.#purge(database)
      return erased
    })
  }

  async *erasableContent(target: ErasureTarget): AsyncGenerator<string> {
    yield* await this.#use('look for records', ({ tables }) => erasableTexts(tables.targeted(target)))
  }

  erasableFiles(): readonly string[] {
    return this.#path === ':memory:' ? [] : ['', '-wal', '-shm'].map((end) => `${this.#path}${end}`)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const open = await this.#opening?.catch(() => undefined)
    open?.database.close()
  }

  async #use<T>(action: string, work: (open: OpenJournal) => T): Promise<T> {
    if (this.#closing) throw this.#closedError(action)
    try {
      const open = await (this.#opening ??= this.#open())
      if (!open.database.open) throw this.#closedError(action)
      return work(open)
    } catch (error) {
      throw toJournalError(error, action, this.#path)
    }
  }

  /** A failed opening is tried again by the next call: a full disk may have been freed. */
  async #open(): Promise<OpenJournal> {
    try {
      const constructor = await loadSqlite('open a SQLite journal')
      if (this.#path !== ':memory:') await preparePath(this.#path)
      return openJournal(new constructor(this.#path, { timeout: this.#busyTimeout }), this.#path)
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  /**
   * Deleted text is overwritten as it goes, but moved rows may leave copies in pages and in the log: the file is written anew and the log cut.
   */
  #purge(database: BetterSqlite3.Database): void {
    database.exec('VACUUM')
    const [result] = database.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
    if (result?.busy !== 1) return
    throw new StoreError(
      `Cannot clear what was erased from the log of the journal as another process reads it: ${this.#path}. Erase again when it is done`,
      { reason: 'busy', store: this.#path },
    )
  }

  #closedError(action: string): StoreError {
    return new StoreError(`Cannot ${action} as the journal is closed: ${this.#path}. Open it again`, {
      reason: 'closed',
      store: this.#path,
    })
  }
}

async function preparePath(path: string): Promise<void> {
  await makeFolder(dirname(resolve(path)))
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isDirectory)
    throw new StoreError(`Cannot open the journal as it is a directory: ${path}. Name a file`, { reason: 'mismatch', store: path })
}

/** Node reports a read-only disk as ENOENT here, so the nearest folder that is there is asked. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    await access(await nearestFolder(folder), constants.W_OK)
    throw error
  }
}

async function nearestFolder(folder: string): Promise<string> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  )
  return exists || dirname(folder) === folder ? folder : nearestFolder(dirname(folder))
}

function openJournal(database: BetterSqlite3.Database, path: string): OpenJournal {
  try {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    database.pragma('secure_delete = ON')
    database.transaction(() => migrateJournal(database, path)).immediate()
    return { database, tables: createJournalTables(database) }
  } catch (error) {
    database.close()
    throw error
  }
}
