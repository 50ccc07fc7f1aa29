import type { MemoryRecord, RecordChange } from './memory-record.ts'
import type { MemoryQuery, RangeOptions } from './memory-store.ts'
import { checkVector } from './vectors.ts'

const fusions: ReadonlySet<unknown> = new Set(['min-max', 'rank', 'words', 'vectors', undefined])
const kinds: ReadonlySet<unknown> = new Set(['passage', 'turn', 'fact', undefined])
const roles: ReadonlySet<unknown> = new Set(['system', 'user', 'assistant', 'tool', undefined])

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
    if (!kinds.has(record.kind)) throw new RangeError(`Cannot put a record as its kind is unknown: ${record.kind}`)
    if (!roles.has(record.role)) throw new RangeError(`Cannot put a record as its role is unknown: ${record.role}`)
    for (const source of record.sources ?? []) checkText({ source })
    if (record.context !== undefined) checkText({ context: record.context })
    checkTime('createdAt', record.createdAt)
    checkTime('validFrom', record.validFrom)
    known = checkDerived(record, record.id, known, store)
  }
  return known
}

/** Refuses a change that no store can make; the parameters and the result are those of `checkRecords`. */
export function checkChange(change: RecordChange, id: string, dimensions: number | undefined, store: string): number | undefined {
  return checkDerived(change, id, dimensions, store)
}

function checkDerived(values: RecordChange, id: string, dimensions: number | undefined, store: string): number | undefined {
  const { importance, metadata, vector } = values
  checkText({ summary: values.summary ?? '', supersededBy: values.supersededBy ?? '' })
  checkCount('tokens', values.tokens ?? 0)
  checkCount('summaryTokens', values.summaryTokens ?? 0)
  checkTime('expiresAt', values.expiresAt)
  checkTime('validTo', values.validTo)
  if (importance !== undefined && importance !== null && !(importance >= 0 && importance <= 1))
    throw new RangeError(`Cannot use a record as its importance is not from 0 to 1: ${importance}`)
  if (metadata !== undefined && metadata !== null && (typeof metadata !== 'object' || Array.isArray(metadata)))
    throw new TypeError(`Cannot use a record as its metadata is not an object: ${JSON.stringify(metadata)}`)
  if (vector) checkVector(vector, dimensions ?? vector.length, `record ${id}`, store)
  return vector ? vector.length : dimensions
}

/** Refuses a query that has no meaning. */
export function checkQuery(query: MemoryQuery, dimensions: number | undefined, store: string): void {
  query.signal?.throwIfAborted()
  checkText({ scope: query.scope, text: query.text })
  checkCount('k', query.k)
  checkCount('neighbours', query.neighbours ?? 0)
  if (!fusions.has(query.fusion)) throw new RangeError(`Cannot search as the fusion is unknown: ${query.fusion}`)
  const { relevance = 1, spread = 0, weights } = query
  if (!(spread >= 0 && spread <= 1)) throw new RangeError(`Cannot search as the spread is not from 0 to 1: ${spread}`)
  if (!(relevance >= 0 && relevance <= 1)) throw new RangeError(`Cannot search as the relevance is not from 0 to 1: ${relevance}`)
  const halfLife = weights?.recency?.halfLife ?? 1
  if (!(halfLife > 0)) throw new RangeError(`Cannot search as the half-life is not above 0: ${halfLife}`)
  if (query.vector) checkVector(query.vector, dimensions ?? query.vector.length, 'the query', store)
}

/** Refuses a range that has no meaning. */
export function checkRange({ limit, from, until }: RangeOptions): void {
  checkCount('limit', limit ?? 0)
  if (Number.isNaN(from) || Number.isNaN(until)) throw new RangeError('Cannot list records as a bound of the range is not a number: NaN')
}

/** Refuses what is no whole number from 0. */
export function checkCount(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot use a record or query as its ${name} is not a whole number from 0: ${value}`)
  }
}

/** Refuses what is no time in milliseconds. */
export function checkTime(name: string, value: number | null | undefined): void {
  if (value !== undefined && value !== null && !Number.isFinite(value))
    throw new RangeError(`Cannot use a record or query as its ${name} is not a time in milliseconds: ${value}`)
}

function checkText(values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'string') throw new TypeError(`Cannot use a record or query as its ${name} is not a string: ${String(value)}`)
  }
}
