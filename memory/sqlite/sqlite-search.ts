import type { Candidate, RankedCandidate, RankedTraits } from '../candidate.ts'
import type { MemoryHit, MemoryQuery } from '../memory-store.ts'
import { searchCandidates } from '../rank-candidates.ts'
import { createRecordTest } from '../record-filter.ts'
import { cosineSimilarity, vectorNorm } from '../vectors.ts'
import { indexTerms } from '../words.ts'
import type { RecordTables } from './sqlite-records.ts'
import { type CandidateRow, type RecordRow, toRankedTraits, toRecord } from './sqlite-rows.ts'
import type { UseTable } from './sqlite-uses.ts'
import type { VectorSearch } from './sqlite-vectors.ts'
import type { ScopeViews } from './sqlite-views.ts'

/** What a search reads. */
export interface SearchTables {
  readonly tables: RecordTables
  readonly uses: UseTable
  readonly views: ScopeViews
  readonly vectors: Pick<VectorSearch, 'read'>
}

/**
 * A search among words, and among the records that a search by vector has found. To be called inside a transaction, so that another process's
 * write cannot come between the candidates and their rows.
 */
export function searchRecords(
  { tables, uses, views, vectors }: SearchTables,
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
  const found = rows(filter ? nearest.filter(filter) : nearest)
  const present = found.filter(({ vector }) => vector !== null).map(({ key }) => key)
  const words = tables.words.find(scope, indexTerms(query.text), filter, present)
  const norm = query.vector && vectorNorm(query.vector)
  const similarityOf = ({ key, vector: change }: CandidateRow): number | undefined => {
    const measured = query.vector && change !== null ? vectors.read(key, change) : undefined
    return query.vector && measured && cosineSimilarity(query.vector, measured.vector, norm, measured.norm)
  }
  const load = (keys: readonly number[]): Candidate<RankedTraits>[] =>
    rows(keys).map((row) => ({
      key: row.key,
      record: toRankedTraits(row),
      use: query.weights && uses.get(row.key),
      words: words.scores.get(row.key) ?? 0,
      similarity: similarityOf(row),
    }))
  const neighbours = (records: readonly RankedTraits[], reach: number): number[] => {
    const around = records.flatMap(({ documentId, index }) => tables.neighbours(scope, documentId, index - reach, index + reach))
    const keys = filter ? around.filter(filter) : around
    words.extend(keys)
    return keys
  }
  const complete = (candidates: readonly RankedCandidate<RankedTraits>[]): RankedCandidate[] =>
    candidates.map((candidate) => ({ ...candidate, record: toRecord(tables.byKey(candidate.key) as RecordRow, query.scope) }))
  return searchCandidates({ words: words.scores, nearest: present, load, neighbours, complete }, query)
}

/** Rows of the keys that are there, in their order; none is read twice. */
function createRowCache(tables: RecordTables): (keys: readonly number[]) => CandidateRow[] {
  const rows = new Map<number, CandidateRow>()
  return (keys) => {
    for (const row of tables.candidates(keys.filter((key) => !rows.has(key)))) rows.set(row.key, row)
    return keys.map((key) => rows.get(key)).filter((row) => row !== undefined)
  }
}
