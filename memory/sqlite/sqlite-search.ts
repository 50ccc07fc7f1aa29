import type { MemoryRecord } from '../memory-record.ts'
import type { MemoryHit, MemoryQuery } from '../memory-store.ts'
import type { Candidate } from '../candidate.ts'
import { searchCandidates } from '../rank-candidates.ts'
import { createRecordTest } from '../record-filter.ts'
import type { RecordTables } from './sqlite-records.ts'
import { type RecordRow, toRecord } from './sqlite-rows.ts'
import type { UseTable } from './sqlite-uses.ts'
import type { ScopeViews } from './sqlite-views.ts'
import { cosineSimilarity, vectorNorm } from '../vectors.ts'
import { indexTerms } from '../words.ts'

/** What a search reads. */
export interface SearchTables {
  readonly tables: RecordTables
  readonly uses: UseTable
  readonly views: ScopeViews
}

/**
 * A search among words, and among the records that a search by vector has found. To be called inside a transaction, so that another process's
 * write cannot come between the candidates and their rows.
 */
export function searchRecords(
  { tables, uses, views }: SearchTables,
  scope: number,
  query: MemoryQuery,
  nearest: readonly number[],
): MemoryHit[] {
  const test = createRecordTest(query)
  const view = test && views.get(scope)
  const isMeant = (key: number): boolean => {
    const record = view?.get(key)
    return record !== undefined && (!test || test(record))
  }
  const filter = test ? isMeant : undefined
  const rows = createRowCache(tables)
  // A record may have gone or changed since its vector was found.
  const present = nearest.filter((key) => (!filter || filter(key)) && rows(key)?.bytes)
  const words = tables.words.find(scope, indexTerms(query.text), filter, present)
  const norm = query.vector && vectorNorm(query.vector)
  const load = (key: number): Candidate => {
    const record = toRecord(rows(key) as RecordRow, query.scope)
    const similarity = query.vector && record.vector ? cosineSimilarity(query.vector, record.vector, norm) : undefined
    return { key, record, use: query.weights && uses.get(key), words: words.scores.get(key) ?? 0, similarity }
  }
  const neighbours = (records: readonly MemoryRecord[], reach: number): number[] => {
    const around = records.flatMap(({ documentId, index }) => tables.neighbours(scope, documentId, index - reach, index + reach))
    const keys = filter ? around.filter(filter) : around
    words.extend(keys)
    return keys
  }
  return searchCandidates({ words: words.scores, nearest: present, load, neighbours }, query)
}

function createRowCache(tables: RecordTables): (key: number) => RecordRow | undefined {
  const rows = new Map<number, RecordRow>()
  return (key) => {
    const row = rows.get(key) ?? tables.byKey(key)
    if (row) rows.set(key, row)
    return row
  }
}
