import { StoreError } from '../../errors/index.ts'
import { type Logger, silent } from '../../log/index.ts'
import type { MemoryStoreOptions } from '../memory-store.ts'
import { toStoreError } from './sqlite-error.ts'
import type { Database } from './sqlite-meta.ts'
import { createRecordTables, type RecordTables } from './sqlite-records.ts'
import { createUseTable, type UseTable } from './sqlite-uses.ts'
import { createVectorSearch, type VectorSearch } from './sqlite-vectors.ts'
import { createScopeViews, type ScopeViews } from './sqlite-views.ts'
import { checkEmbedder } from '../vectors.ts'

export interface OpenMemoryOptions extends MemoryStoreOptions {
  /** Milliseconds to wait for another process's write; 5,000 by default. */
  readonly busyTimeout?: number
  /** Searches among more vectors than this use the approximate index of their scope; 20,000 by default, where a scan is as fast. */
  readonly exactBelow?: number
  /** Told when a derived index could not be saved. */
  readonly logger?: Logger
}

/** An open file: its tables, what is derived from them, and the ways in: every failure leaves as a StoreError that names the path. */
export class SqliteFile {
  readonly path: string
  readonly database: Database
  readonly tables: RecordTables
  readonly uses: UseTable
  readonly views: ScopeViews
  readonly vectors: VectorSearch
  readonly #givenEmbedder: string | undefined
  readonly #givenDimensions: number | undefined
  #closing: Promise<void> | undefined

  /** @throws StoreError `mismatch` when the vectors are another embedder's */
  constructor(path: string, database: Database, options: OpenMemoryOptions) {
    const { exactBelow = 20_000, logger = silent, embedderId, dimensions } = options
    this.path = path
    this.database = database
    this.#givenEmbedder = embedderId
    this.#givenDimensions = dimensions
    this.tables = createRecordTables(database)
    this.uses = createUseTable(database)
    this.views = createScopeViews(database)
    const file = path === ':memory:' || path === '' ? undefined : path
    this.vectors = createVectorSearch({ database, views: this.views, path: file, exactBelow, logger })
    this.checkIdentity()
  }

  get embedderId(): string | undefined {
    return this.#closing ? this.#givenEmbedder : (this.tables.meta('embedder') ?? this.#givenEmbedder)
  }

  /** Length of the vectors, where it is known. */
  get dimensions(): number | undefined {
    const recorded = this.tables.meta('dimensions')
    return recorded === undefined ? this.#givenDimensions : Number(recorded)
  }

  checkIdentity(): void {
    checkEmbedder(this.tables.meta('embedder'), this.#givenEmbedder, this.path)
    if (this.#givenDimensions === undefined || this.#givenDimensions === this.dimensions) return
    throw new StoreError(
      `Cannot use the store ${this.path} for vectors of ${this.#givenDimensions} dimensions as it holds vectors of others: ${this.dimensions}`,
      { reason: 'mismatch', store: this.path },
    )
  }

  /** To be called inside the transaction that writes the first vector. */
  recordIdentity(dimensions: number | undefined): void {
    if (dimensions === undefined || this.tables.meta('dimensions') !== undefined) return
    this.tables.setMeta('dimensions', String(dimensions))
    if (this.#givenEmbedder !== undefined) this.tables.setMeta('embedder', this.#givenEmbedder)
  }

  checkOpen(action: string): void {
    if (!this.#closing) return
    throw new StoreError(`Cannot ${action} as the store is closed: ${this.path}`, { reason: 'closed', store: this.path })
  }

  run<T>(action: string, body: () => T): T {
    this.checkOpen(action)
    try {
      return body()
    } catch (error) {
      throw toStoreError(error, action, this.path)
    }
  }

  /** All or nothing, and on the disk when it returns. */
  write<T>(action: string, change: () => T): T {
    return this.run(action, () => this.database.transaction(change).immediate())
  }

  /** Undefined when there is no such scope. */
  read<T>(action: string, scope: string, read: (scopeId: number) => T): T | undefined {
    return this.run(action, () => {
      const scopeId = this.tables.scopeId(scope)
      return scopeId === undefined ? undefined : read(scopeId)
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.vectors.save().finally(() => this.database.close())
    return this.#closing
  }
}
