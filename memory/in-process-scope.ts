import { createWordIndex, type WordIndex } from './bm25.ts'
import { changeRecord, copyRecord } from './change-record.ts'
import { withDerived } from './derived-records.ts'
import type { MemoryRecord, RecordChange } from './memory-record.ts'
import type { CoRecall, DocumentSummary, MemoryHit, MemoryQuery } from './memory-store.ts'
import { createPlaceList, type PlaceList } from './place-list.ts'
import type { Candidate } from './candidate.ts'
import { bestKeys, candidateLimit, compareText, searchCandidates } from './rank-candidates.ts'
import { createRecordTest } from './record-filter.ts'
import { cosineSimilarity, vectorNorm } from './vectors.ts'
import { indexTerms, recordTerms } from './words.ts'

/** A record with how it was used. Replacing the record keeps its number and its uses. */
export interface Entry {
  readonly key: number
  record: MemoryRecord
  accesses: number
  accessedAt: number | undefined
  /** How often it was recalled with another, by the other's id. */
  readonly together: Map<string, number>
}

/** Everything of one scope in memory; nothing is shared between scopes. */
export class InProcessScope {
  readonly completed: Map<string, string> = new Map()
  readonly #byId = new Map<string, Entry>()
  readonly #byKey = new Map<number, Entry>()
  readonly #byDocument = new Map<string, PlaceList<Entry>>()
  readonly #drawnFrom = new Map<string, Set<Entry>>()
  readonly #words: WordIndex = createWordIndex()

  get size(): number {
    return this.#byId.size
  }

  /** In order of arrival. */
  entries(): IterableIterator<Entry> {
    return this.#byKey.values()
  }

  get(id: string): Entry | undefined {
    return this.#byId.get(id)
  }

  document(documentId: string): PlaceList<Entry> | undefined {
    return this.#byDocument.get(documentId)
  }

  documents(): DocumentSummary[] {
    return Array.from(this.#byDocument, ([documentId, list]) => ({ documentId, records: list.size, lastAt: lastTime(list) })).toSorted(
      (first, second) => compareText(first.documentId, second.documentId),
    )
  }

  /** @param key for a record that is new */
  put(record: MemoryRecord, key: number): void {
    const old = this.#byId.get(record.id)
    if (old) this.#unlink(old)
    const entry = old ?? { key, record, accesses: 0, accessedAt: undefined, together: new Map<string, number>() }
    entry.record = copyRecord(record)
    this.#byId.set(record.id, entry)
    this.#byKey.set(entry.key, entry)
    this.#link(entry)
  }

  update(id: string, change: RecordChange): boolean {
    const entry = this.#byId.get(id)
    if (entry) entry.record = changeRecord(entry.record, change)
    return entry !== undefined
  }

  touch(ids: readonly string[], at: number): void {
    const entries = Array.from(new Set(ids), (id) => this.#byId.get(id)).filter((entry) => entry !== undefined)
    for (const entry of entries) {
      entry.accesses++
      entry.accessedAt = Math.max(entry.accessedAt ?? at, at)
      for (const { record } of entries) {
        if (record.id !== entry.record.id) entry.together.set(record.id, (entry.together.get(record.id) ?? 0) + 1)
      }
    }
  }

  coRecalled(id: string, limit: number): CoRecall[] {
    return Array.from(this.#byId.get(id)?.together ?? [], ([other, count]) => ({ id: other, count }))
      .toSorted((first, second) => second.count - first.count || compareText(first.id, second.id))
      .slice(0, limit)
  }

  /** The entries with these ids and those that were drawn from them alone. */
  withDerived(ids: Iterable<string>): Entry[] {
    const gone = withDerived(ids, {
      has: (id) => this.#byId.has(id),
      drawnFrom: (id) => Array.from(this.#drawnFrom.get(id) ?? [], ({ record }) => record),
    })
    return Array.from(gone, (id) => this.#byId.get(id)).filter((entry) => entry !== undefined)
  }

  /** Deletes the records, and those that were drawn from them alone; gives how many. */
  delete(ids: Iterable<string>): number {
    const entries = this.withDerived(ids)
    for (const entry of entries) {
      this.#unlink(entry)
      this.#byId.delete(entry.record.id)
      this.#byKey.delete(entry.key)
      for (const other of entry.together.keys()) this.#byId.get(other)?.together.delete(entry.record.id)
    }
    return entries.length
  }

  search(query: MemoryQuery): MemoryHit[] {
    const test = createRecordTest(query)
    const inside = (entry: Entry): boolean => !test || test(entry.record)
    const words = new Map<number, number>()
    for (const [key, score] of this.#words.scores(indexTerms(query.text))) if (inside(this.#entry(key))) words.set(key, score)
    const similarities = this.#similarities(query, inside)
    const load = (keys: readonly number[]): Candidate[] =>
      keys.map((key) => {
        const { record, accesses, accessedAt } = this.#entry(key)
        return { key, record, use: { accesses, accessedAt }, words: words.get(key) ?? 0, similarity: similarities.get(key) }
      })
    const neighbours = (records: readonly MemoryRecord[], reach: number): number[] =>
      records
        .flatMap(
          ({ documentId, index }) => this.#byDocument.get(documentId)?.range({ from: index - reach, until: index + reach + 1 }) ?? [],
        )
        .filter(inside)
        .map((entry) => entry.key)
    const nearest = bestKeys(similarities, candidateLimit(query.k))
    return searchCandidates({ words, nearest, load, neighbours, complete: (candidates) => candidates }, query)
  }

  #similarities({ vector }: MemoryQuery, inside: (entry: Entry) => boolean): Map<number, number> {
    const similarities = new Map<number, number>()
    if (!vector) return similarities
    const norm = vectorNorm(vector)
    for (const entry of this.#byKey.values()) {
      if (entry.record.vector && inside(entry)) similarities.set(entry.key, cosineSimilarity(vector, entry.record.vector, norm))
    }
    return similarities
  }

  #entry(key: number): Entry {
    return this.#byKey.get(key) as Entry
  }

  #link(entry: Entry): void {
    const { record, key } = entry
    const list = this.#byDocument.get(record.documentId) ?? createPlaceList<Entry>()
    list.add(entry)
    this.#byDocument.set(record.documentId, list)
    for (const source of record.sources ?? []) this.#drawnFrom.set(source, (this.#drawnFrom.get(source) ?? new Set()).add(entry))
    this.#words.add(key, recordTerms(record))
  }

  #unlink(entry: Entry): void {
    const { record, key } = entry
    const list = this.#byDocument.get(record.documentId)
    list?.remove(entry)
    if (list?.size === 0) this.#byDocument.delete(record.documentId)
    for (const source of record.sources ?? []) {
      const drawn = this.#drawnFrom.get(source)
      drawn?.delete(entry)
      if (drawn?.size === 0) this.#drawnFrom.delete(source)
    }
    this.#words.remove(key)
  }
}

function lastTime(list: PlaceList<Entry>): number | undefined {
  let last: number | undefined
  for (const { record } of list.range()) if (record.createdAt !== undefined) last = Math.max(last ?? record.createdAt, record.createdAt)
  return last
}
