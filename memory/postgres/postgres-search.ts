import type { Candidate, RankedCandidate, RankedTraits } from '../candidate.ts'
import type { MemoryHit, MemoryQuery } from '../memory-store.ts'
import { candidateKeys, candidateLimit, chooseHits, rankCandidates } from '../rank-candidates.ts'
import { cosineSimilarity, vectorNorm } from '../vectors.ts'
import { indexTerms } from '../words.ts'
import type { SqlClient } from './postgres-client.ts'
import { filterConditions, SqlValues } from './postgres-filter.ts'
import type { SqlScope } from './postgres-meta.ts'
import { candidateRows, loadRows, toMemoryRecord, toRankedTraits, toRecordUse } from './postgres-records.ts'
import { encodeSqlText } from './postgres-values.ts'
import type { SqlVectorSearch } from './postgres-vectors.ts'
import { searchWords, type WordSearch } from './postgres-words.ts'

/** What a search reads. */
interface SearchParts {
  readonly client: SqlClient
  readonly vectors: SqlVectorSearch
  readonly words: WordSearch
  readonly query: MemoryQuery
}

type RankedKey = RankedCandidate<RankedTraits>

/** Searches a scope: candidates of both lists with their true scores, then the neighbours of the best, then the rows of those that are chosen. */
export async function searchPostgres(
  client: SqlClient,
  vectors: SqlVectorSearch,
  scope: SqlScope,
  query: MemoryQuery,
): Promise<MemoryHit[]> {
  const { k, vector, neighbours = 0, fusion = 'min-max', relevance = 1, signal } = query
  const limit = candidateLimit(k)
  const nearest = vector && fusion !== 'words' ? await vectors.nearest(scope, { ...query, vector }, limit) : []
  signal?.throwIfAborted()
  const words = await searchWords(client, { scope: scope.id, records: scope.records, terms: scope.terms }, indexTerms(query.text))
  const best = fusion === 'vectors' ? new Map<number, number>() : await words.best(limit, (values) => filterConditions(query, values))
  const parts = { client, vectors, words, query }
  const keys = Array.from(candidateKeys(best, nearest, query))
  const found = await loadCandidates(parts, keys)
  signal?.throwIfAborted()
  let ranked = rankCandidates(found, query)
  if (neighbours > 0 && ranked.length > 0) {
    const held = new Set(keys)
    const beside = await neighbourKeys(client, scope, ranked.slice(0, k), query)
    const added = await loadCandidates(
      parts,
      beside.filter((key) => !held.has(key)),
    )
    signal?.throwIfAborted()
    ranked = rankCandidates([...found, ...added], query)
  }
  return chooseHits(await complete(client, relevance < 1 ? ranked : ranked.slice(0, k), query), query)
}

/** The records with these numbers that are still there, with their true scores. */
async function loadCandidates({ client, vectors, words, query }: SearchParts, keys: readonly number[]): Promise<Candidate<RankedTraits>[]> {
  if (keys.length === 0) return []
  const [rows, scores] = await Promise.all([candidateRows(client, keys), words.scores(keys)])
  const changes = new Map<number, number>()
  if (query.vector) for (const { seq, vector_change: change } of rows) if (change !== null) changes.set(seq, change)
  const measured = await vectors.read(changes, changes.keys())
  const norm = query.vector && vectorNorm(query.vector)
  return rows.map((row) => {
    const own = measured.get(row.seq)
    const similarity = query.vector && own && cosineSimilarity(query.vector, own.vector, norm, own.norm)
    return { key: row.seq, record: toRankedTraits(row), use: toRecordUse(row), words: scores.get(row.seq) ?? 0, similarity }
  })
}

/** The same with their whole records, without those that have gone meanwhile. */
async function complete(client: SqlClient, ranked: readonly RankedKey[], { scope }: MemoryQuery): Promise<RankedCandidate[]> {
  const rows = await loadRows(
    client,
    ranked.map(({ key }) => key),
  )
  const records = new Map(rows.map((row) => [row.seq, toMemoryRecord(row, scope)]))
  return ranked.flatMap((candidate) => {
    const record = records.get(candidate.key)
    return record ? [{ ...candidate, record }] : []
  })
}

/** Numbers of the records of the same document whose place is near a hit's, inside the filter. */
async function neighbourKeys(client: SqlClient, scope: SqlScope, hits: readonly RankedKey[], query: MemoryQuery): Promise<number[]> {
  const values = new SqlValues()
  const inScope = values.add(scope.id, 'bigint')
  const reach = query.neighbours ?? 0
  const places = hits.map(({ record: { documentId, index } }) => ({
    document: encodeSqlText(documentId),
    first: index - reach,
    last: index + reach,
  }))
  const list = values.add(JSON.stringify(places), 'text')
  const conditions = filterConditions(query, values).map((condition) => `AND ${condition}`)
  // The inner offset keeps the server to one short look into the index of places for each hit.
  const rows = await client.query<{ seq: number }>(
    `SELECT DISTINCT r.seq::float8 AS seq FROM json_to_recordset(${list}::json) AS h (document text, first bigint, last bigint),
      LATERAL (SELECT r.seq FROM ${client.schema}.records r WHERE r.scope = ${inScope} AND r.document = h.document COLLATE "C"
        AND r.place BETWEEN h.first AND h.last ${conditions.join(' ')} OFFSET 0) AS r`,
    values.list,
  )
  return rows.map(({ seq }) => seq)
}
