/**
 * A store of which only one scope can be reached, or one thread of it: the one place that keeps owners apart. What the service does for a caller, it does
 * on such a view, so that a mistake elsewhere ends in an error and not in another's memory.
 */
import type {
  CoRecall,
  DocumentSummary,
  ErasureFinding,
  ErasureTarget,
  MemoryHit,
  MemoryQuery,
  MemoryRecord,
  MemoryStore,
  NewTurn,
  RangeOptions,
  RecordChange,
  RecordUse,
} from '../../memory/index.ts'

/** What was asked for lies outside of what the caller may reach. The message names no other scope. */
export class OutOfScopeError extends Error {
  override readonly name = 'OutOfScopeError'
}

/** @param documentId the only thread that can be reached; all of the scope when left out */
export function scopedStore(store: MemoryStore, scope: string, documentId?: string): MemoryStore {
  return new ScopedStore(store, scope, documentId)
}

function check(holds: boolean, action: string): void {
  if (!holds) throw new OutOfScopeError(`Cannot ${action} as it is outside of the scope that was opened`)
}

class ScopedStore implements MemoryStore {
  readonly #store: MemoryStore
  readonly #scope: string
  readonly #documentId: string | undefined

  constructor(store: MemoryStore, scope: string, documentId: string | undefined) {
    this.#store = store
    this.#scope = scope
    this.#documentId = documentId
  }

  get embedderId(): string | undefined {
    return this.#store.embedderId
  }

  async put(records: readonly MemoryRecord[]): Promise<void> {
    for (const { scope, documentId } of records) this.#check('put a record', scope, documentId)
    await this.#store.put(records)
  }

  async append(scope: string, documentId: string, turns: readonly NewTurn[]): Promise<MemoryRecord[]> {
    this.#check('append turns', scope, documentId)
    return this.#store.append(scope, documentId, turns)
  }

  async update(scope: string, id: string, change: RecordChange): Promise<boolean> {
    return (await this.#reaches('change a record', scope, id)) && this.#store.update(scope, id, change)
  }

  async get(scope: string, id: string): Promise<MemoryRecord | undefined> {
    this.#check('get a record', scope)
    const record = await this.#store.get(scope, id)
    return record !== undefined && this.#holds(record) ? record : undefined
  }

  async list(scope: string, documentId: string, range?: RangeOptions): Promise<MemoryRecord[]> {
    this.#check('list records', scope, documentId)
    return this.#store.list(scope, documentId, range)
  }

  async search(query: MemoryQuery): Promise<MemoryHit[]> {
    this.#check('search', query.scope)
    for (const documentId of query.documentIds ?? []) this.#check('search', query.scope, documentId)
    return this.#store.search(this.#documentId === undefined ? query : { ...query, documentIds: [this.#documentId] })
  }

  async touch(scope: string, ids: readonly string[], at: number): Promise<void> {
    const reached: string[] = []
    for (const id of ids) if (await this.#reaches('count a recall', scope, id)) reached.push(id)
    await this.#store.touch(scope, reached, at)
  }

  async use(scope: string, id: string): Promise<RecordUse | undefined> {
    return (await this.#reaches('read uses', scope, id)) ? this.#store.use(scope, id) : undefined
  }

  async coRecalled(scope: string, id: string, limit: number): Promise<CoRecall[]> {
    if (!(await this.#reaches('read uses', scope, id))) return []
    const found = await this.#store.coRecalled(scope, id, limit)
    const reached = await Promise.all(found.map((one) => this.#reaches('read uses', scope, one.id)))
    return found.filter((_, at) => reached[at])
  }

  async withoutVector(scope: string, limit: number): Promise<MemoryRecord[]> {
    this.#check('list records', scope)
    return (await this.#store.withoutVector(scope, limit)).filter((record) => this.#holds(record))
  }

  async isComplete(scope: string, documentId: string, version: string): Promise<boolean> {
    this.#check('read a mark', scope, documentId)
    return this.#store.isComplete(scope, documentId, version)
  }

  async markComplete(scope: string, documentId: string, version: string): Promise<void> {
    this.#check('mark a document', scope, documentId)
    await this.#store.markComplete(scope, documentId, version)
  }

  async delete(scope: string, ids: readonly string[]): Promise<number> {
    const reached: string[] = []
    for (const id of ids) if (await this.#reaches('delete records', scope, id)) reached.push(id)
    return this.#store.delete(scope, reached)
  }

  async deleteDocument(scope: string, documentId: string): Promise<number> {
    this.#check('delete a document', scope, documentId)
    return this.#store.deleteDocument(scope, documentId)
  }

  async deleteExpired(): Promise<number> {
    throw new OutOfScopeError('Cannot delete expired records as they are of all scopes')
  }

  async count(scope: string): Promise<number> {
    this.#check('count records', scope, this.#documentId === undefined ? undefined : '')
    return this.#store.count(scope)
  }

  async scopes(limit: number, after = ''): Promise<string[]> {
    return limit > 0 && this.#scope > after && (await this.#store.count(this.#scope)) > 0 ? [this.#scope] : []
  }

  async documents(scope: string, limit: number, after?: string): Promise<DocumentSummary[]> {
    this.#check('list documents', scope)
    if (this.#documentId === undefined) return this.#store.documents(scope, limit, after)
    if (limit < 1 || (after !== undefined && after >= this.#documentId)) return []
    const [last] = await this.#store.list(scope, this.#documentId, { limit: 1, newest: true })
    return last === undefined ? [] : [{ documentId: this.#documentId, records: last.index + 1, lastAt: last.createdAt }]
  }

  async findErasable(target: ErasureTarget): Promise<ErasureFinding> {
    return this.#store.findErasable(this.#checkTarget(target))
  }

  async erase(target: ErasureTarget): Promise<ErasureFinding> {
    return this.#store.erase(this.#checkTarget(target))
  }

  erasableContent(target: ErasureTarget): AsyncIterable<string | Uint8Array> {
    return this.#store.erasableContent(this.#checkTarget(target))
  }

  erasableFiles(): readonly string[] {
    return this.#store.erasableFiles()
  }

  /** The store is others' too. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Erasing is for the whole scope: what was drawn from a thread lies outside of it. */
  #checkTarget(target: ErasureTarget): ErasureTarget {
    this.#check('erase', target.scope, this.#documentId === undefined ? undefined : '')
    return target
  }

  #check(action: string, scope: string, documentId?: string): void {
    const isInside = documentId === undefined || this.#documentId === undefined || documentId === this.#documentId
    check(scope === this.#scope && isInside, action)
  }

  #holds({ scope, documentId }: MemoryRecord): boolean {
    return scope === this.#scope && (this.#documentId === undefined || documentId === this.#documentId)
  }

  async #reaches(action: string, scope: string, id: string): Promise<boolean> {
    this.#check(action, scope)
    return this.#documentId === undefined || (await this.get(scope, id)) !== undefined
  }
}
