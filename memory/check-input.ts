import type { MemoryQuery, MemoryRecord } from './memory-store.ts'
import { checkVector } from './vectors.ts'

const fusions: ReadonlySet<unknown> = new Set(['min-max', 'rank', 'words', 'vectors', undefined])

/**
 * Refuses records that no store can hold: the same checks for every store.
 *
 * @param dimensions length of the store's vectors, where it is known
 * @returns the length of the store's vectors after these records
 */
export function checkRecords(records: readonly MemoryRecord[], dimensions: number | undefined, store: string): number | undefined {
  let known = dimensions
  for (const record of records) {
    checkText({ scope: record.scope, id: record.id, documentId: record.documentId, text: record.text })
    checkCount('start', record.start)
    checkCount('index', record.index)
    if (!(record.end >= record.start))
      throw new RangeError(`Cannot put a record as its end lies before its start ${record.start}: ${record.end}`)
    if (!record.vector) continue
    known ??= record.vector.length
    checkVector(record.vector, known, `record ${record.id}`, store)
  }
  return known
}

/** Refuses a query that has no meaning. */
export function checkQuery(query: MemoryQuery, dimensions: number | undefined, store: string): void {
  query.signal?.throwIfAborted()
  checkText({ scope: query.scope, text: query.text })
  checkCount('k', query.k)
  checkCount('neighbours', query.neighbours ?? 0)
  if (!fusions.has(query.fusion)) throw new RangeError(`Cannot search as the fusion is unknown: ${query.fusion}`)
  if (query.vector) checkVector(query.vector, dimensions ?? query.vector.length, 'the query', store)
}

function checkText(values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'string') throw new TypeError(`Cannot use a record or query as its ${name} is not a string: ${String(value)}`)
  }
}

function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot use a record or query as its ${name} is not a whole number from 0: ${value}`)
  }
}
