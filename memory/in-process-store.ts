import { StoreError } from '../errors/index.ts'
import { placeTurns } from './append-turns.ts'
import { checkChange, checkCount, checkQuery, checkRange, checkRecords, checkTime } from './check-input.ts'
import type { ErasureFinding, ErasureTarget } from './erasable.ts'
import { describeErasure, erasedContent, isTarget } from './erasure-finding.ts'
import { InProcessScope } from './in-process-scope.ts'
import type { MemoryRecord, RecordChange, RecordUse } from './memory-record.ts'
import type {
  CoRecall,
  DocumentSummary,
  MemoryHit,
  MemoryQuery,
  MemoryStore,
  MemoryStoreOptions,
  NewTurn,
  RangeOptions,
} from './memory-store.ts'
import { compareText } from './rank-candidates.ts'
import { isExpired } from './record-filter.ts'

const label = 'in-process memory'

/**
 * A store in this process's memory: exact vector scan and BM25, no package needed, gone when the process ends. It is the measure of the
 * others: what they return is compared with it.
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new InProcessStore(options)
}

class InProcessStore implements MemoryStore {
  readonly embedderId: string | undefined
  #dimensions: number | undefined
  #closed = false
  #nextKey = 1
  readonly #scopes = new Map<string, InProcessScope>()

  constructor(options: MemoryStoreOptions) {
    this.embedderId = options.embedderId
    this.#dimensions = options.dimensions
  }

  async put(records: readonly MemoryRecord[]): Promise<void> {
    this.#checkOpen('put records')
    this.#put(records)
  }

  async append(scope: string, documentId: string, turns: readonly NewTurn[]): Promise<MemoryRecord[]> {
    this.#checkOpen('append turns')
    const known = this.#scopes.get(scope)
    const held = new Map(turns.map(({ id }) => [id, known?.get(id)?.record] as const).filter((entry) => entry[1] !== undefined))
    const next = known?.document(documentId)?.next() ?? 0
    const { records, added } = placeTurns({ scope, documentId }, turns, held as Map<string, MemoryRecord>, next, label)
    this.#put(added)
    return records.map(({ id }) => this.#scopes.get(scope)?.get(id)?.record as MemoryRecord)
  }

  async update(scope: string, id: string, change: RecordChange): Promise<boolean> {
    this.#checkOpen('change a record')
    const dimensions = checkChange(change, id, this.#dimensions, label)
    const changed = this.#scopes.get(scope)?.update(id, change) ?? false
    if (changed) this.#dimensions = dimensions
    return changed
  }

  async get(scope: string, id: string): Promise<MemoryRecord | undefined> {
    this.#checkOpen('get a record')
    return this.#scopes.get(scope)?.get(id)?.record
  }

  async list(scope: string, documentId: string, range: RangeOptions = {}): Promise<MemoryRecord[]> {
    this.#checkOpen('list records')
    checkRange(range)
    return (this.#scopes.get(scope)?.document(documentId)?.range(range) ?? []).map(({ record }) => record)
  }

  async search(query: MemoryQuery): Promise<MemoryHit[]> {
    this.#checkOpen('search')
    checkQuery(query, this.#dimensions, label)
    const scope = this.#scopes.get(query.scope)
    return scope && query.k > 0 ? scope.search(query) : []
  }

  async touch(scope: string, ids: readonly string[], at: number): Promise<void> {
    this.#checkOpen('count a recall')
    checkTime('time', at)
    this.#scopes.get(scope)?.touch(ids, at)
  }

  async use(scope: string, id: string): Promise<RecordUse | undefined> {
    this.#checkOpen('read uses')
    const entry = this.#scopes.get(scope)?.get(id)
    return entry && { accesses: entry.accesses, accessedAt: entry.accessedAt }
  }

  async coRecalled(scope: string, id: string, limit: number): Promise<CoRecall[]> {
    this.#checkOpen('read uses')
    checkCount('limit', limit)
    return this.#scopes.get(scope)?.coRecalled(id, limit) ?? []
  }

  async withoutVector(scope: string, limit: number): Promise<MemoryRecord[]> {
    this.#checkOpen('list records')
    checkCount('limit', limit)
    const found: MemoryRecord[] = []
    for (const { record } of this.#scopes.get(scope)?.entries() ?? []) {
      if (found.length >= limit) break
      if (!record.vector) found.push(record)
    }
    return found
  }

  async isComplete(scope: string, documentId: string, version: string): Promise<boolean> {
    this.#checkOpen('read a mark')
    return this.#scopes.get(scope)?.completed.get(documentId) === version
  }

  async markComplete(scope: string, documentId: string, version: string): Promise<void> {
    this.#checkOpen('mark a document')
    this.#ensure(scope).completed.set(documentId, version)
  }

  async delete(scope: string, ids: readonly string[]): Promise<number> {
    this.#checkOpen('delete records')
    return this.#change(scope, (known) => known.delete(ids))
  }

  async deleteDocument(scope: string, documentId: string): Promise<number> {
    this.#checkOpen('delete a document')
    return this.#change(scope, (known) => {
      known.completed.delete(documentId)
      return known.delete((known.document(documentId)?.range() ?? []).map(({ record }) => record.id))
    })
  }

  async deleteExpired(now: number): Promise<number> {
    this.#checkOpen('delete records')
    checkTime('time', now)
    let deleted = 0
    for (const name of Array.from(this.#scopes.keys())) {
      deleted += this.#change(name, (scope) => {
        const expired = Array.from(scope.entries()).filter(({ record }) => isExpired(record, now))
        return scope.delete(expired.map(({ record }) => record.id))
      })
    }
    return deleted
  }

  async count(scope: string): Promise<number> {
    this.#checkOpen('count records')
    return this.#scopes.get(scope)?.size ?? 0
  }

  async scopes(limit: number, after?: string): Promise<string[]> {
    this.#checkOpen('list scopes')
    checkCount('limit', limit)
    const names = Array.from(this.#scopes).filter(([name, scope]) => scope.size > 0 && (after === undefined || name > after))
    return names
      .map(([name]) => name)
      .toSorted(compareText)
      .slice(0, limit)
  }

  async documents(scope: string, limit: number, after?: string): Promise<DocumentSummary[]> {
    this.#checkOpen('list documents')
    checkCount('limit', limit)
    const documents = this.#scopes.get(scope)?.documents() ?? []
    return documents.filter(({ documentId }) => after === undefined || documentId > after).slice(0, limit)
  }

  async findErasable(target: ErasureTarget): Promise<ErasureFinding> {
    this.#checkOpen('look for records')
    return describeErasure(this.#targeted(target))
  }

  async erase(target: ErasureTarget): Promise<ErasureFinding> {
    this.#checkOpen('erase records')
    const records = this.#targeted(target)
    const { scope, documentIds, ids } = target
    this.#change(scope, (known) => {
      if (!documentIds && !ids) known.completed.clear()
      for (const documentId of documentIds ?? []) known.completed.delete(documentId)
      return known.delete(records.map(({ id }) => id))
    })
    return describeErasure(records)
  }

  async *erasableContent(target: ErasureTarget): AsyncGenerator<string | Uint8Array> {
    this.#checkOpen('look for records')
    yield* erasedContent(this.#targeted(target))
  }

  erasableFiles(): readonly string[] {
    return []
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#scopes.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #put(records: readonly MemoryRecord[]): void {
    this.#dimensions = checkRecords(records, this.#dimensions, label)
    for (const record of records) this.#ensure(record.scope).put(record, this.#nextKey++)
  }

  #targeted(target: ErasureTarget): MemoryRecord[] {
    const scope = this.#scopes.get(target.scope)
    if (!scope) return []
    const meant = Array.from(scope.entries()).filter(({ record }) => isTarget(record, target))
    return scope.withDerived(meant.map(({ record }) => record.id)).map(({ record }) => record)
  }

  #ensure(name: string): InProcessScope {
    const scope = this.#scopes.get(name) ?? new InProcessScope()
    this.#scopes.set(name, scope)
    return scope
  }

  /** Deletes what is asked for, and the scope with it when nothing of it is left. */
  #change(name: string, deleteFrom: (scope: InProcessScope) => number): number {
    const scope = this.#scopes.get(name)
    if (!scope) return 0
    const deleted = deleteFrom(scope)
    if (scope.size === 0 && scope.completed.size === 0) this.#scopes.delete(name)
    return deleted
  }

  #checkOpen(action: string): void {
    if (this.#closed) throw new StoreError(`Cannot ${action} as the store is closed: ${label}`, { reason: 'closed', store: label })
  }
}
