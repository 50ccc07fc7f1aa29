import { placeTurns } from '../append-turns.ts'
import { changeRecord } from '../change-record.ts'
import { checkChange, checkCount, checkQuery, checkRange, checkRecords, checkTime } from '../check-input.ts'
import type { ErasureFinding, ErasureTarget } from '../erasable.ts'
import { describeErasure, erasedContent } from '../erasure-finding.ts'
import type { MemoryRecord, RecordChange, RecordUse } from '../memory-record.ts'
import type {
  CoRecall,
  DocumentSummary,
  MemoryHit,
  MemoryQuery,
  MemoryStore,
  MemoryStoreOptions,
  NewTurn,
  RangeOptions,
} from '../memory-store.ts'
import { PostgresAccess, type PostgresStoreParts } from './postgres-access.ts'
import type { SqlClient } from './postgres-client.ts'
import { clearMarks, deleteRecords, expiredKeys, keysWithDerived, targetedKeys, vacuum } from './postgres-deletes.ts'
import { findScope, type SqlScope } from './postgres-meta.ts'
import { findRows, listRows, loadRows, type SqlRecordRow, toMemoryRecord, toRecordUse, unembeddedRows } from './postgres-records.ts'
import { searchPostgres } from './postgres-search.ts'
import { completedVersion, coRecallsOf, countRecall, listDocuments, listScopes, markCompleted } from './postgres-uses.ts'
import { beginChange, ensureScopes, putRecords, updateRecord } from './postgres-writes.ts'

/** The store over an open database with a schema that is up to date. */
export class PostgresStore implements MemoryStore {
  readonly #access: PostgresAccess

  constructor(parts: PostgresStoreParts, options: MemoryStoreOptions) {
    this.#access = new PostgresAccess(parts, options)
  }

  get embedderId(): string | undefined {
    return this.#access.embedderId
  }

  put(records: readonly MemoryRecord[]): Promise<void> {
    return this.#access.write('put records', (client) => this.#put(client, records))
  }

  append(scope: string, documentId: string, turns: readonly NewTurn[]): Promise<MemoryRecord[]> {
    return this.#access.write('append turns', async (client) => {
      const change = await beginChange(client, turns.length)
      const known = await findScope(client, scope)
      const ids = turns.map(({ id }) => id)
      const held = known ? (await findRows(client, known.id, ids)).map((row) => toMemoryRecord(row, scope)) : []
      const [last] = known ? await listRows(client, known.id, documentId, { limit: 1, newest: true }) : []
      const next = last ? last.place + 1 : 0
      const { records, added } = placeTurns(
        { scope, documentId },
        turns,
        new Map(held.map((record) => [record.id, record])),
        next,
        this.#access.label,
      )
      await this.#putAfter(client, added, change)
      return records.map((record) => changeRecord(record, {}))
    })
  }

  update(scope: string, id: string, change: RecordChange): Promise<boolean> {
    return this.#access.write('change a record', async (client) => {
      const number = change.vector === undefined ? undefined : (await beginChange(client, 1)) + 1
      await this.#access.readIdentity(client)
      const dimensions = checkChange(change, id, this.#access.dimensions, this.#access.label)
      const row = await this.#row(client, scope, id, 'FOR UPDATE')
      if (!row) return false
      if (change.vector) await this.#access.recordIdentity(client, dimensions)
      await updateRecord(client, row.seq, changeRecord(toMemoryRecord(row, scope), change), number)
      return true
    })
  }

  get(scope: string, id: string): Promise<MemoryRecord | undefined> {
    return this.#access.read('get a record', async (client) => {
      const row = await this.#row(client, scope, id)
      return row && toMemoryRecord(row, scope)
    })
  }

  list(scope: string, documentId: string, range: RangeOptions = {}): Promise<MemoryRecord[]> {
    return this.#access.inScope('list records', scope, [], async (client, { id }) => {
      checkRange(range)
      return (await listRows(client, id, documentId, range)).map((row) => toMemoryRecord(row, scope))
    })
  }

  search(query: MemoryQuery): Promise<MemoryHit[]> {
    return this.#access.read('search', async (client) => {
      if (query.vector && this.#access.dimensions === undefined) await this.#access.readIdentity(client)
      checkQuery(query, this.#access.dimensions, this.#access.label)
      const scope = query.k === 0 ? undefined : await findScope(client, query.scope)
      return scope ? searchPostgres(client, this.#access.vectors, scope, query) : []
    })
  }

  async touch(scope: string, ids: readonly string[], at: number): Promise<void> {
    checkTime('time', at)
    await this.#access.write('count a recall', async (client) => {
      const known = await findScope(client, scope)
      if (known) await countRecall(client, known.id, ids, at)
    })
  }

  use(scope: string, id: string): Promise<RecordUse | undefined> {
    return this.#access.read('read uses', async (client) => {
      const row = await this.#row(client, scope, id)
      const [used] = row ? await loadRows(client, [row.seq]) : []
      return used && toRecordUse(used)
    })
  }

  coRecalled(scope: string, id: string, limit: number): Promise<CoRecall[]> {
    return this.#access.read('read uses', async (client) => {
      checkCount('limit', limit)
      const row = await this.#row(client, scope, id)
      return row ? coRecallsOf(client, row.seq, limit) : []
    })
  }

  withoutVector(scope: string, limit: number): Promise<MemoryRecord[]> {
    return this.#access.inScope('list records', scope, [], async (client, { id }) => {
      checkCount('limit', limit)
      return (await unembeddedRows(client, id, limit)).map((row) => toMemoryRecord(row, scope))
    })
  }

  async isComplete(scope: string, documentId: string, version: string): Promise<boolean> {
    const read = (client: SqlClient, { id }: SqlScope): Promise<string | undefined> => completedVersion(client, id, documentId)
    return (await this.#access.inScope('read a mark', scope, undefined, read)) === version
  }

  markComplete(scope: string, documentId: string, version: string): Promise<void> {
    return this.#access.write('mark a document', async (client) => {
      await beginChange(client, 0)
      const scopes = await ensureScopes(client, [scope])
      await markCompleted(client, scopes.get(scope) as number, documentId, version)
    })
  }

  delete(scope: string, ids: readonly string[]): Promise<number> {
    return this.#access.write('delete records', (client) => this.#delete(client, { scope, ids }))
  }

  deleteDocument(scope: string, documentId: string): Promise<number> {
    return this.#access.write('delete a document', (client) => this.#delete(client, { scope, documentIds: [documentId] }))
  }

  async deleteExpired(now: number): Promise<number> {
    checkTime('time', now)
    return this.#access.write('delete records', async (client) => {
      await beginChange(client, 1)
      let deleted = 0
      for (const [scope, keys] of await expiredKeys(client, now)) {
        const gone = await keysWithDerived(client, scope, keys)
        await deleteRecords(client, gone)
        deleted += gone.length
      }
      return deleted
    })
  }

  count(scope: string): Promise<number> {
    return this.#access.inScope('count records', scope, 0, async (_, { records }) => records)
  }

  scopes(limit: number, after?: string): Promise<string[]> {
    return this.#access.read('list scopes', (client) => {
      checkCount('limit', limit)
      return listScopes(client, limit, after)
    })
  }

  documents(scope: string, limit: number, after?: string): Promise<DocumentSummary[]> {
    return this.#access.inScope('list documents', scope, [], (client, { id }) => {
      checkCount('limit', limit)
      return listDocuments(client, id, limit, after)
    })
  }

  async findErasable(target: ErasureTarget): Promise<ErasureFinding> {
    return describeErasure(await this.#access.read('look for records', (client) => this.#targeted(client, target)))
  }

  async erase(target: ErasureTarget): Promise<ErasureFinding> {
    const records = await this.#access.write('erase records', async (client) => {
      await beginChange(client, 1)
      const found = await this.#targeted(client, target)
      await this.#delete(client, target)
      return found
    })
    await this.#access.read('erase records', async (client) => {
      await this.#access.vectors.discard()
      await vacuum(client)
    })
    return describeErasure(records)
  }

  async *erasableContent(target: ErasureTarget): AsyncGenerator<string | Uint8Array> {
    yield* erasedContent(await this.#access.read('look for records', (client) => this.#targeted(client, target)))
  }

  erasableFiles(): readonly string[] {
    return this.#access.vectors.files()
  }

  close(): Promise<void> {
    return this.#access.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @throws StoreError `mismatch` when the store holds another embedder's vectors than was said */
  async checkIdentity(): Promise<void> {
    await this.#access.read('open the memory store', (client) => this.#access.readIdentity(client))
  }

  async #put(client: SqlClient, records: readonly MemoryRecord[]): Promise<void> {
    const change = await beginChange(client, records.length)
    await this.#putAfter(client, records, change)
  }

  async #putAfter(client: SqlClient, records: readonly MemoryRecord[], change: number): Promise<void> {
    await this.#access.readIdentity(client)
    const dimensions = checkRecords(records, this.#access.dimensions, this.#access.label)
    if (records.some(({ vector }) => vector)) await this.#access.recordIdentity(client, dimensions)
    await putRecords(client, records, change)
  }

  /** Deletes what a target means and what was drawn from it; gives how many went. */
  async #delete(client: SqlClient, target: ErasureTarget): Promise<number> {
    await beginChange(client, 1)
    const scope = await findScope(client, target.scope)
    if (!scope) return 0
    const keys = await this.#keys(client, scope, target)
    await deleteRecords(client, keys)
    await clearMarks(client, scope.id, target)
    return keys.length
  }

  async #targeted(client: SqlClient, target: ErasureTarget): Promise<MemoryRecord[]> {
    const scope = await findScope(client, target.scope)
    const rows = scope ? await loadRows(client, await this.#keys(client, scope, target)) : []
    return rows.map((row) => toMemoryRecord(row, target.scope))
  }

  async #keys(client: SqlClient, { id }: SqlScope, target: ErasureTarget): Promise<number[]> {
    return keysWithDerived(client, id, await targetedKeys(client, id, target))
  }

  async #row(client: SqlClient, scope: string, id: string, lock: '' | 'FOR UPDATE' = ''): Promise<SqlRecordRow | undefined> {
    const known = await findScope(client, scope)
    return known && (await findRows(client, known.id, [id], lock))[0]
  }
}
