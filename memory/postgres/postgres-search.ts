import type { MemoryHit, MemoryQuery } from '../memory-store.ts'
import type { SqlClient } from './postgres-client.ts'
import { filterConditions, SqlValues } from './postgres-filter.ts'
import type { SqlScope } from './postgres-meta.ts'
import { loadRows, toMemoryRecord, toRecordUse } from './postgres-records.ts'
import type { SqlVectorSearch } from './postgres-vectors.ts'
import { searchWords, type WordSearch } from './postgres-words.ts'
import type { Candidate } from '../candidate.ts'
import { candidateKeys, candidateLimit, chooseHits, rankCandidates } from '../rank-candidates.ts'
import { cosineSimilarity } from '../vectors.ts'
import { indexTerms } from '../words.ts'

/** Searches a scope: candidates of both lists, their rows and true scores, then the neighbours of the best. */
export async function searchPostgres(
  client: SqlClient,
  vectors: SqlVectorSearch,
  scope: SqlScope,
  query: MemoryQuery,
): Promise<MemoryHit[]> {
  const { k, vector, neighbours = 0, fusion = 'min-max', signal } = query
  const limit = candidateLimit(k)
  const nearest = vector && fusion !== 'words' ? await vectors.nearest(scope, { ...query, vector }, limit) : []
  signal?.throwIfAborted()
  const words = await searchWords(client, { scope: scope.id, records: scope.records, terms: scope.terms }, indexTerms(query.text))
  const best = fusion === 'vectors' ? new Map<number, number>() : await words.best(limit, (values) => filterConditions(query, values))
  const keys = Array.from(candidateKeys(best, nearest, query))
  const found = await loadCandidates(client, words, keys, query)
  signal?.throwIfAborted()
  const ranked = rankCandidates(found, query)
  if (neighbours === 0 || ranked.length === 0) return chooseHits(ranked, query)
  const beside = await neighbourKeys(client, scope, ranked.slice(0, k), query)
  const held = new Set(keys)
  const added = await loadCandidates(
    client,
    words,
    beside.filter((key) => !held.has(key)),
    query,
  )
  signal?.throwIfAborted()
  return chooseHits(rankCandidates([...found, ...added], query), query)
}

/** The records with these numbers that are still there, with their true scores. */
async function loadCandidates(
  client: SqlClient,
  words: WordSearch,
  keys: readonly number[],
  { scope, vector: queryVector }: MemoryQuery,
): Promise<Candidate[]> {
  if (keys.length === 0) return []
  const [rows, scores] = await Promise.all([loadRows(client, keys), words.scores(keys)])
  return rows.map((row) => {
    const record = toMemoryRecord(row, scope)
    const similarity = queryVector && record.vector ? cosineSimilarity(queryVector, record.vector) : undefined
    return { key: row.seq, record, use: toRecordUse(row), words: scores.get(row.seq) ?? 0, similarity }
  })
}

/** Numbers of the records of the same document whose place is near a hit's, inside the filter. */
async function neighbourKeys(client: SqlClient, scope: SqlScope, hits: readonly Candidate[], query: MemoryQuery): Promise<number[]> {
  const values = new SqlValues()
  const inScope = values.add(scope.id, 'bigint')
  const reach = values.add(query.neighbours ?? 0, 'bigint')
  const list = values.numbers(hits.map(({ key }) => key))
  const conditions = filterConditions(query, values).map((condition) => `AND ${condition}`)
  const rows = await client.query<{ seq: number }>(
    `SELECT DISTINCT r.seq::float8 AS seq FROM ${client.schema}.records h
      JOIN ${client.schema}.records r ON r.scope = ${inScope} AND r.document = h.document AND r.place BETWEEN h.place - ${reach} AND h.place + ${reach}
      WHERE h.seq = ANY (${list}) ${conditions.join(' ')}`,
    values.list,
  )
  return rows.map(({ seq }) => seq)
}
