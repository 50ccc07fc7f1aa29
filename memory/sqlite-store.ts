import { StoreError } from '../errors/index.ts'
import { type Logger, silent } from '../log/index.ts'
import { checkQuery, checkRecords } from './check-input.ts'
import { createVectorViews, scanVectors, type VectorViews } from './exact-vectors.ts'
import { createHnswIndex, type HnswIndex } from './hnsw-index.ts'
import type { MemoryHit, MemoryQuery, MemoryRecord, MemoryStore, MemoryStoreOptions } from './memory-store.ts'
import { bestKeys, type Candidate, candidateLimit, comparePlaces, searchCandidates } from './rank-candidates.ts'
import { type Database, openDatabase } from './sqlite-database.ts'
import { toStoreError } from './sqlite-error.ts'
import { createRecordTables, type RecordRow, type RecordTables, toRecord } from './sqlite-records.ts'
import { decodeVector } from './sqlite-values.ts'
import { checkEmbedder, cosineSimilarity } from './vectors.ts'
import { indexTerms } from './words.ts'

export interface OpenMemoryOptions extends MemoryStoreOptions {
  /** Milliseconds to wait for another process's write; 5,000 by default. */
  readonly busyTimeout?: number
  /** Searches among more vectors than this use the approximate index; 20,000 by default, where a scan is as fast. */
  readonly exactBelow?: number
  /** Told when the derived index could not be saved. */
  readonly logger?: Logger
}

/**
 * Opens a store in a SQLite file, made when it is not there. The file is the truth: rows, words (FTS5) and vectors. The approximate index
 * lies beside it (`path` + `.hnsw`), is made when first needed, and is built anew when it is missing, damaged or another's.
 *
 * @param path of the file; its folder must exist. `:memory:` keeps everything in memory
 * @throws MissingPackageError without better-sqlite3; StoreError `read-only`, `full`, `corrupt`, `busy`, `missing`, or `mismatch` for
 *   another embedder, another program's file or another schema
 */
export async function openMemory(path: string, options: OpenMemoryOptions = {}): Promise<MemoryStore> {
  try {
    const database = await openDatabase(path, options.busyTimeout ?? 5_000)
    try {
      return new SqliteStore(path, database, options)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw toStoreError(error, 'open the memory store', path)
  }
}

class SqliteStore implements MemoryStore {
  readonly #path: string
  readonly #database: Database
  readonly #tables: RecordTables
  readonly #views: VectorViews
  readonly #index: HnswIndex
  readonly #exactBelow: number
  readonly #givenEmbedder: string | undefined
  readonly #givenDimensions: number | undefined
  #writes = 0
  #closing: Promise<void> | undefined

  constructor(path: string, database: Database, options: OpenMemoryOptions) {
    const { exactBelow = 20_000, logger = silent, embedderId, dimensions } = options
    this.#path = path
    this.#database = database
    this.#exactBelow = exactBelow
    this.#givenEmbedder = embedderId
    this.#givenDimensions = dimensions
    this.#tables = createRecordTables(database)
    this.#checkIdentity()
    this.#views = createVectorViews(
      this.#tables.withVector,
      (seq) => this.#vectorOf(seq),
      (records) => records * (32 + (records > exactBelow ? 0 : 4 * (this.#dimensions ?? 0))),
    )
    const file = path === ':memory:' || path === '' ? undefined : `${path}.hnsw`
    this.#index = createHnswIndex(file, createHnswSource(database, this.#tables, path), logger)
  }

  get embedderId(): string | undefined {
    return this.#closing ? this.#givenEmbedder : (this.#tables.meta('embedder') ?? this.#givenEmbedder)
  }

  async put(records: readonly MemoryRecord[]): Promise<void> {
    this.#write('put records', () => {
      this.#checkIdentity()
      const dimensions = checkRecords(records, this.#dimensions, this.#path)
      if (records.some((record) => record.vector)) this.#recordIdentity(dimensions)
      for (const record of records) this.#tables.put(this.#tables.ensureScope(record.scope), record)
    })
  }

  async get(scope: string, id: string): Promise<MemoryRecord | undefined> {
    return this.#read('get a record', scope, (scopeId) => {
      const row = this.#tables.byId(scopeId, id)
      return row && toRecord(row, scope)
    })
  }

  async list(scope: string, documentId: string): Promise<MemoryRecord[]> {
    const list = (scopeId: number): MemoryRecord[] => this.#tables.ofDocument(scopeId, documentId).map((row) => toRecord(row, scope))
    return (this.#read('list records', scope, list) ?? []).toSorted(comparePlaces)
  }

  async search(query: MemoryQuery): Promise<MemoryHit[]> {
    this.#checkOpen('search')
    checkQuery(query, this.#dimensions, this.#path)
    try {
      const scopeId = this.#tables.scopeId(query.scope)
      if (scopeId === undefined || query.k === 0) return []
      const nearest = query.vector && query.fusion !== 'words' ? await this.#nearest(scopeId, query, query.vector) : []
      query.signal?.throwIfAborted()
      this.#checkOpen('search')
      // One transaction, so that another process's write cannot come between the candidates and their rows.
      return this.#database.transaction(() => searchRows(this.#tables, scopeId, query, nearest))()
    } catch (error) {
      throw toStoreError(error, 'search', this.#path)
    }
  }

  async isComplete(scope: string, documentId: string, version: string): Promise<boolean> {
    return this.#read('read a mark', scope, (scopeId) => this.#tables.completed(scopeId, documentId)) === version
  }

  async markComplete(scope: string, documentId: string, version: string): Promise<void> {
    this.#write('mark a document', () => this.#tables.complete(this.#tables.ensureScope(scope), documentId, version))
  }

  async deleteDocument(scope: string, documentId: string): Promise<number> {
    const deleted = this.#write('delete a document', () => {
      const scopeId = this.#tables.scopeId(scope)
      return scopeId === undefined ? 0 : this.#tables.deleteDocument(scopeId, documentId)
    })
    if (deleted > 0) this.#purge()
    return deleted
  }

  async count(scope: string): Promise<number> {
    return this.#read('count records', scope, (scopeId) => this.#tables.count(scopeId)) ?? 0
  }

  close(): Promise<void> {
    this.#closing ??= this.#index.save().finally(() => this.#database.close())
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #nearest(scopeId: number, query: MemoryQuery, vector: Float32Array): Promise<readonly number[]> {
    const stamp = this.#stamp()
    const view = this.#views.get(stamp, scopeId, query.documentIds)
    const limit = candidateLimit(query.k)
    if (view.keys.length <= this.#exactBelow) return bestKeys(scanVectors(view, vector), limit)
    return this.#index.nearest(vector, limit, view.keySet(), stamp, query.signal)
  }

  /** Changes with every write of this connection and of others. */
  #stamp(): string {
    return `${Number(this.#database.pragma('data_version', { simple: true }))}.${this.#writes}`
  }

  get #dimensions(): number | undefined {
    const recorded = this.#tables.meta('dimensions')
    return recorded === undefined ? this.#givenDimensions : Number(recorded)
  }

  #checkIdentity(): void {
    checkEmbedder(this.#tables.meta('embedder'), this.#givenEmbedder, this.#path)
    const dimensions = this.#dimensions
    if (this.#givenDimensions === undefined || this.#givenDimensions === dimensions) return
    throw new StoreError(
      `Cannot use the store ${this.#path} for vectors of ${this.#givenDimensions} dimensions as it holds vectors of others: ${dimensions}`,
      { reason: 'mismatch', store: this.#path },
    )
  }

  #recordIdentity(dimensions: number | undefined): void {
    if (dimensions === undefined || this.#tables.meta('dimensions') !== undefined) return
    this.#tables.setMeta('dimensions', String(dimensions))
    if (this.#givenEmbedder !== undefined) this.#tables.setMeta('embedder', this.#givenEmbedder)
  }

  #vectorOf(seq: number): Float32Array {
    const { vector } = this.#tables.bySeq(seq) ?? {}
    return vector ? decodeVector(vector) : new Float32Array(this.#dimensions ?? 0)
  }

  /** What SQL deletes must not live on in the index's files or in the log of writes. */
  #purge(): void {
    this.#views.clear()
    try {
      this.#index.discard()
      this.#database.pragma('wal_checkpoint(TRUNCATE)')
    } catch (error) {
      throw toStoreError(error, 'delete a document', this.#path)
    }
  }

  #write<T>(action: string, change: () => T): T {
    this.#checkOpen(action)
    try {
      const result = this.#database.transaction(change).immediate()
      this.#writes++
      return result
    } catch (error) {
      throw toStoreError(error, action, this.#path)
    }
  }

  #read<T>(action: string, scope: string, read: (scopeId: number) => T): T | undefined {
    this.#checkOpen(action)
    try {
      const scopeId = this.#tables.scopeId(scope)
      return scopeId === undefined ? undefined : read(scopeId)
    } catch (error) {
      throw toStoreError(error, action, this.#path)
    }
  }

  #checkOpen(action: string): void {
    if (!this.#closing) return
    throw new StoreError(`Cannot ${action} as the store is closed: ${this.#path}`, { reason: 'closed', store: this.#path })
  }
}

function searchRows(tables: RecordTables, scopeId: number, query: MemoryQuery, nearest: readonly number[]): MemoryHit[] {
  const words = tables.wordScores(scopeId, indexTerms(query.text), query.documentIds)
  const rows = new Map<number, RecordRow>()
  const rowOf = (seq: number): RecordRow | undefined => {
    const row = rows.get(seq) ?? tables.bySeq(seq)
    if (row) rows.set(seq, row)
    return row
  }
  const load = (seq: number): Candidate => {
    const record = toRecord(rowOf(seq) as RecordRow, query.scope)
    const similarity = query.vector && record.vector ? cosineSimilarity(query.vector, record.vector) : undefined
    return { key: seq, record, words: words.get(seq) ?? 0, similarity }
  }
  const neighbours = ({ documentId, index }: MemoryRecord, reach: number): number[] =>
    tables.neighbours(scopeId, documentId, index - reach, index + reach)
  // A record may have gone since its vector was found.
  return searchCandidates({ words, nearest: nearest.filter((seq) => rowOf(seq)), load, neighbours }, query)
}

function createHnswSource(database: Database, tables: RecordTables, path: string): Parameters<typeof createHnswIndex>[1] {
  const after = database.prepare<[number, number], { seq: number; vector: Buffer }>(
    'SELECT seq, vector FROM records WHERE seq > ? AND vector IS NOT NULL ORDER BY seq LIMIT ?',
  )
  const keys = database.prepare<[], number>('SELECT seq FROM records WHERE vector IS NOT NULL').pluck()
  return {
    describe: () => ({
      identity: tables.meta('identity') ?? path,
      embedder: tables.meta('embedder') ?? null,
      dimensions: Number(tables.meta('dimensions')),
    }),
    after: (last, limit) => after.all(last, limit).map(({ seq, vector }) => ({ key: seq, change: seq, vector: decodeVector(vector) })),
    keys: () => new Set(keys.all()),
  }
}
