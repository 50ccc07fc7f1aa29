import { existsSync } from 'node:fs'
import { placeTurns } from '../append-turns.ts'
import { changeRecord } from '../change-record.ts'
import { checkChange, checkCount, checkQuery, checkRange, checkRecords, checkTime } from '../check-input.ts'
import type { ErasureFinding, ErasureTarget } from '../erasable.ts'
import { describeErasure, erasedContent } from '../erasure-finding.ts'
import type { FileMemoryStore, StoreStatistics } from '../file-memory-store.ts'
import type { MemoryRecord, RecordChange, RecordUse } from '../memory-record.ts'
import type { CoRecall, DocumentSummary, MemoryHit, MemoryQuery, NewTurn, RangeOptions } from '../memory-store.ts'
import { openDatabase } from './sqlite-database.ts'
import { deleteExpired, deleteRecords, eraseRecords, targetRecords } from './sqlite-erasure.ts'
import { toStoreError } from './sqlite-error.ts'
import { type OpenMemoryOptions, SqliteFile } from './sqlite-file.ts'
import { backupDatabase, compactDatabase, measureStore, rebuildDerived, verifyDatabase } from './sqlite-maintenance.ts'
import { type RecordRow, toRecord } from './sqlite-rows.ts'
import { searchRecords } from './sqlite-search.ts'

/**
 * Opens a store in a SQLite file, made when it is not there. The file is the truth: records, words (FTS5) and vectors. What is written is on the
 * disk when its promise resolves. Several processes may use one file. The approximate indexes of large scopes lie beside it (`path` +
 * `.hnsw-` + number), are made when first needed, and are built anew when they are missing, damaged or another's.
 *
 * @param path of the file; its folder must exist. `:memory:` keeps everything in memory
 * @throws MissingPackageError without better-sqlite3; StoreError `read-only`, `full`, `corrupt`, `busy`, `missing`, or `mismatch` for
 *   another embedder, another program's file or one of a newer version
 */
export async function openMemory(path: string, options: OpenMemoryOptions = {}): Promise<FileMemoryStore> {
  try {
    const database = await openDatabase(path, options.busyTimeout ?? 5_000)
    try {
      return new SqliteStore(new SqliteFile(path, database, options))
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw toStoreError(error, 'open the memory store', path)
  }
}

class SqliteStore implements FileMemoryStore {
  readonly #file: SqliteFile

  constructor(file: SqliteFile) {
    this.#file = file
  }

  get embedderId(): string | undefined {
    return this.#file.embedderId
  }

  async put(records: readonly MemoryRecord[]): Promise<void> {
    this.#file.write('put records', () => this.#put(records))
  }

  async append(scope: string, documentId: string, turns: readonly NewTurn[]): Promise<MemoryRecord[]> {
    const { tables, path } = this.#file
    return this.#file.write('append turns', () => {
      const scopeId = tables.ensureScope(scope)
      const rows = turns.map(({ id }) => tables.byId(scopeId, id)).filter((row) => row !== undefined)
      const held = new Map(rows.map((row) => toRecord(row, scope)).map((record) => [record.id, record]))
      const { records, added } = placeTurns({ scope, documentId }, turns, held, tables.nextPlace(scopeId, documentId), path)
      this.#put(added)
      return records.map(({ id }) => toRecord(tables.byId(scopeId, id) as RecordRow, scope))
    })
  }

  async update(scope: string, id: string, change: RecordChange): Promise<boolean> {
    const { tables, path } = this.#file
    return this.#file.write('change a record', () => {
      const dimensions = checkChange(change, id, this.#file.dimensions, path)
      const scopeId = tables.scopeId(scope)
      const row = scopeId === undefined ? undefined : tables.byId(scopeId, id)
      if (!row) return false
      if (change.vector) this.#file.recordIdentity(dimensions)
      tables.change(row, changeRecord(toRecord(row, scope), change))
      return true
    })
  }

  async get(scope: string, id: string): Promise<MemoryRecord | undefined> {
    const read = (scopeId: number): MemoryRecord[] => toRecords([this.#file.tables.byId(scopeId, id)], scope)
    return this.#file.read('get a record', scope, read)?.[0]
  }

  async list(scope: string, documentId: string, range: RangeOptions = {}): Promise<MemoryRecord[]> {
    checkRange(range)
    const list = (scopeId: number): MemoryRecord[] => toRecords(this.#file.tables.ofDocument(scopeId, documentId, range), scope)
    return this.#file.read('list records', scope, list) ?? []
  }

  async search(query: MemoryQuery): Promise<MemoryHit[]> {
    const { tables, vectors, database, path } = this.#file
    this.#file.checkOpen('search')
    checkQuery(query, this.#file.dimensions, path)
    const { vector } = query
    try {
      const scope = tables.scopeId(query.scope)
      if (scope === undefined || query.k === 0) return []
      const nearest = vector && query.fusion !== 'words' ? await vectors.nearest(scope, { ...query, vector }) : []
      query.signal?.throwIfAborted()
      this.#file.checkOpen('search')
      return database.transaction(() => searchRecords(this.#file, scope, query, nearest))()
    } catch (error) {
      throw toStoreError(error, 'search', path)
    }
  }

  async touch(scope: string, ids: readonly string[], at: number): Promise<void> {
    const { tables, uses } = this.#file
    checkTime('time', at)
    this.#file.write('count a recall', () => {
      const scopeId = tables.scopeId(scope)
      if (scopeId === undefined) return
      uses.touch(
        Array.from(new Set(ids), (id) => tables.keyOf(scopeId, id)).filter((key) => key !== undefined),
        at,
      )
    })
  }

  async use(scope: string, id: string): Promise<RecordUse | undefined> {
    const { tables, uses } = this.#file
    return this.#file.read('read uses', scope, (scopeId) => {
      const key = tables.keyOf(scopeId, id)
      return key === undefined ? undefined : (uses.get(key) ?? { accesses: 0, accessedAt: undefined })
    })
  }

  async coRecalled(scope: string, id: string, limit: number): Promise<CoRecall[]> {
    const { tables, uses } = this.#file
    checkCount('limit', limit)
    const read = (scopeId: number): CoRecall[] => uses.coRecalled(tables.keyOf(scopeId, id) ?? 0, limit)
    return this.#file.read('read uses', scope, read) ?? []
  }

  async withoutVector(scope: string, limit: number): Promise<MemoryRecord[]> {
    checkCount('limit', limit)
    const list = (scopeId: number): MemoryRecord[] => toRecords(this.#file.tables.withoutVector(scopeId, limit), scope)
    return this.#file.read('list records', scope, list) ?? []
  }

  async isComplete(scope: string, documentId: string, version: string): Promise<boolean> {
    return this.#file.read('read a mark', scope, (scopeId) => this.#file.tables.completed(scopeId, documentId)) === version
  }

  async markComplete(scope: string, documentId: string, version: string): Promise<void> {
    const { tables } = this.#file
    this.#file.write('mark a document', () => tables.complete(tables.ensureScope(scope), documentId, version))
  }

  async delete(scope: string, ids: readonly string[]): Promise<number> {
    return deleteRecords(this.#file, 'delete records', scope, (scopeId) => this.#file.tables.delete(scopeId, ids))
  }

  async deleteDocument(scope: string, documentId: string): Promise<number> {
    const { tables } = this.#file
    return deleteRecords(this.#file, 'delete a document', scope, (scopeId) => {
      tables.uncomplete(scopeId, documentId)
      return tables.delete(scopeId, tables.ids(scopeId, documentId))
    })
  }

  async deleteExpired(now: number): Promise<number> {
    checkTime('time', now)
    return deleteExpired(this.#file, now)
  }

  async count(scope: string): Promise<number> {
    return this.#file.read('count records', scope, (scopeId) => this.#file.tables.count(scopeId)) ?? 0
  }

  async scopes(limit: number, after?: string): Promise<string[]> {
    checkCount('limit', limit)
    return this.#file.run('list scopes', () => this.#file.tables.scopes(limit, after))
  }

  async documents(scope: string, limit: number, after?: string): Promise<DocumentSummary[]> {
    checkCount('limit', limit)
    return this.#file.read('list documents', scope, (scopeId) => this.#file.tables.documents(scopeId, limit, after)) ?? []
  }

  async findErasable(target: ErasureTarget): Promise<ErasureFinding> {
    return this.#file.run('look for records', () => describeErasure(targetRecords(this.#file, target)))
  }

  async erase(target: ErasureTarget): Promise<ErasureFinding> {
    return eraseRecords(this.#file, target)
  }

  async *erasableContent(target: ErasureTarget): AsyncGenerator<string | Uint8Array> {
    this.#file.checkOpen('look for records')
    yield* erasedContent(targetRecords(this.#file, target))
  }

  erasableFiles(): readonly string[] {
    const { path, vectors } = this.#file
    return [path, `${path}-wal`, `${path}-shm`, ...vectors.files()].filter((file) => existsSync(file))
  }

  async compact(): Promise<{ before: number; after: number }> {
    return this.#file.run('compact the store', () => {
      const before = totalBytes(measureStore(this.#file))
      compactDatabase(this.#file)
      return { before, after: totalBytes(measureStore(this.#file)) }
    })
  }

  async backup(path: string): Promise<void> {
    this.#file.checkOpen('back up the store')
    await backupDatabase(this.#file, path).catch((error: unknown) => {
      throw toStoreError(error, 'back up the store', path)
    })
  }

  async verify(): Promise<string[]> {
    return this.#file.run('verify the store', () => verifyDatabase(this.#file))
  }

  async rebuild(): Promise<void> {
    this.#file.run('rebuild the indexes', () => rebuildDerived(this.#file))
  }

  async statistics(): Promise<StoreStatistics> {
    return this.#file.run('measure the store', () => measureStore(this.#file))
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** To be called inside a transaction. */
  #put(records: readonly MemoryRecord[]): void {
    const { tables, path } = this.#file
    this.#file.checkIdentity()
    const dimensions = checkRecords(records, this.#file.dimensions, path)
    if (records.some((record) => record.vector)) this.#file.recordIdentity(dimensions)
    for (const record of records) tables.put(tables.ensureScope(record.scope), record)
  }
}

function toRecords(rows: readonly (RecordRow | undefined)[], scope: string): MemoryRecord[] {
  return rows.filter((row) => row !== undefined).map((row) => toRecord(row, scope))
}

function totalBytes({ bytes }: StoreStatistics): number {
  return bytes.database + bytes.log + bytes.indexes
}
