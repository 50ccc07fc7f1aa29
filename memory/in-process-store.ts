import { StoreError } from '../errors/index.ts'
import { createWordIndex, type WordIndex } from './bm25.ts'
import { checkQuery, checkRecords } from './check-input.ts'
import type { MemoryHit, MemoryQuery, MemoryRecord, MemoryStore, MemoryStoreOptions } from './memory-store.ts'
import { bestKeys, type Candidate, candidateLimit, comparePlaces, rankCandidates } from './rank-candidates.ts'
import { cosineSimilarity, vectorNorm } from './vectors.ts'
import { indexTerms, recordTerms } from './words.ts'

interface Entry {
  readonly key: number
  readonly record: MemoryRecord
}

/** Everything of one scope; nothing is shared between scopes. */
interface Scope {
  readonly byId: Map<string, Entry>
  readonly byKey: Map<number, Entry>
  readonly byDocument: Map<string, Set<Entry>>
  readonly completed: Map<string, string>
  readonly words: WordIndex
}

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
  readonly #scopes = new Map<string, Scope>()

  constructor(options: MemoryStoreOptions) {
    this.embedderId = options.embedderId
    this.#dimensions = options.dimensions
  }

  async put(records: readonly MemoryRecord[]): Promise<void> {
    this.#checkOpen('put records')
    this.#dimensions = checkRecords(records, this.#dimensions, label)
    for (const record of records) {
      const scope = this.#scopes.get(record.scope) ?? createScope()
      this.#scopes.set(record.scope, scope)
      removeEntry(scope, scope.byId.get(record.id))
      addEntry(scope, { key: this.#nextKey++, record: copyRecord(record) })
    }
  }

  async get(scope: string, id: string): Promise<MemoryRecord | undefined> {
    this.#checkOpen('get a record')
    return this.#scopes.get(scope)?.byId.get(id)?.record
  }

  async list(scope: string, documentId: string): Promise<MemoryRecord[]> {
    this.#checkOpen('list records')
    const entries = this.#scopes.get(scope)?.byDocument.get(documentId) ?? []
    return Array.from(entries, (entry) => entry.record).toSorted(comparePlaces)
  }

  async search(query: MemoryQuery): Promise<MemoryHit[]> {
    this.#checkOpen('search')
    checkQuery(query, this.#dimensions, label)
    const scope = this.#scopes.get(query.scope)
    return scope && query.k > 0 ? searchScope(scope, query) : []
  }

  async isComplete(scope: string, documentId: string, version: string): Promise<boolean> {
    this.#checkOpen('read a mark')
    return this.#scopes.get(scope)?.completed.get(documentId) === version
  }

  async markComplete(scope: string, documentId: string, version: string): Promise<void> {
    this.#checkOpen('mark a document')
    const known = this.#scopes.get(scope) ?? createScope()
    this.#scopes.set(scope, known)
    known.completed.set(documentId, version)
  }

  async deleteDocument(scope: string, documentId: string): Promise<number> {
    this.#checkOpen('delete a document')
    const known = this.#scopes.get(scope)
    if (!known) return 0
    known.completed.delete(documentId)
    const entries = Array.from(known.byDocument.get(documentId) ?? [])
    for (const entry of entries) removeEntry(known, entry)
    return entries.length
  }

  async count(scope: string): Promise<number> {
    this.#checkOpen('count records')
    return this.#scopes.get(scope)?.byId.size ?? 0
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#scopes.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #checkOpen(action: string): void {
    if (this.#closed) throw new StoreError(`Cannot ${action} as the store is closed: ${label}`, { reason: 'closed', store: label })
  }
}

function createScope(): Scope {
  return { byId: new Map(), byKey: new Map(), byDocument: new Map(), completed: new Map(), words: createWordIndex() }
}

function addEntry(scope: Scope, entry: Entry): void {
  const { record, key } = entry
  const ofDocument = scope.byDocument.get(record.documentId) ?? new Set()
  scope.byDocument.set(record.documentId, ofDocument.add(entry))
  scope.byId.set(record.id, entry)
  scope.byKey.set(key, entry)
  scope.words.add(key, recordTerms(record))
}

function removeEntry(scope: Scope, entry: Entry | undefined): void {
  if (!entry) return
  scope.byId.delete(entry.record.id)
  scope.byKey.delete(entry.key)
  scope.byDocument.get(entry.record.documentId)?.delete(entry)
  scope.words.remove(entry.key)
}

/** A copy, so that later changes by the caller do not reach the store. */
function copyRecord(record: MemoryRecord): MemoryRecord {
  return record.vector ? { ...record, vector: record.vector.slice() } : { ...record }
}

function searchScope(scope: Scope, query: MemoryQuery): MemoryHit[] {
  const documents = query.documentIds && new Set(query.documentIds)
  const inside = ({ record }: Entry): boolean => !documents || documents.has(record.documentId)
  const words = new Map<number, number>()
  for (const [key, score] of scope.words.scores(indexTerms(query.text))) {
    const entry = scope.byKey.get(key)
    if (entry && inside(entry)) words.set(key, score)
  }
  const similarities = new Map<number, number>()
  const queryNorm = query.vector && vectorNorm(query.vector)
  for (const entry of scope.byKey.values()) {
    if (query.vector && entry.record.vector && inside(entry)) {
      similarities.set(entry.key, cosineSimilarity(query.vector, entry.record.vector, queryNorm))
    }
  }
  const entryOf = (key: number): Entry => scope.byKey.get(key) as Entry
  const load = (key: number): Candidate => {
    const { id, documentId, index } = entryOf(key).record
    return { key, id, documentId, index, words: words.get(key) ?? 0, similarity: similarities.get(key) }
  }
  const neighbours = (hit: Candidate, reach: number): number[] =>
    Array.from(scope.byDocument.get(hit.documentId) ?? [])
      .filter((entry) => Math.abs(entry.record.index - hit.index) <= reach)
      .map((entry) => entry.key)
  const nearest = bestKeys(similarities, candidateLimit(query.k))
  return rankCandidates({ words, nearest, load, neighbours }, query).map(({ key, score, words: wordScore, similarity }) => ({
    record: entryOf(key).record,
    score,
    words: wordScore,
    similarity,
  }))
}
