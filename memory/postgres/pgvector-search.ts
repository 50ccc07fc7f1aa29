/** Search by vector within PostgreSQL, by the extension pgvector (0.8 or later). */
import { StoreError } from '../../errors/index.ts'
import type { MemoryQuery } from '../memory-store.ts'
import type { SqlClient, SqlDatabase } from './postgres-client.ts'
import { filterConditions, SqlValues } from './postgres-filter.ts'
import { readMeta, type SqlScope } from './postgres-meta.ts'
import type { SqlVectorSearch } from './postgres-vectors.ts'
import { createVectorReader } from './postgres-vector-reader.ts'
import { decodeVector } from '../vector-bytes.ts'

/** Vectors that one statement takes over. */
const pageSize = 500
/** Most dimensions that its index takes; longer vectors are scanned. */
const mostIndexed = 2_000
/** Candidates that the index looks at: its least here and its greatest. */
const leastCandidates = 200
const mostCandidates = 1_000

/**
 * A table beside the records, derived from them and caught up by their changes before a search. It is made with the first search.
 *
 * @throws StoreError `missing` where the server does not have the extension
 */
export async function createPgvectorSearch(database: SqlDatabase, label: string): Promise<SqlVectorSearch> {
  await ensureExtension(database, label)
  const { read, clear } = createVectorReader(database)
  /** Number of the last change that was taken over of each scope. */
  const seen = new Map<number, number>()

  async function catchUp({ id, change }: SqlScope): Promise<void> {
    if ((seen.get(id) ?? -1) >= change) return
    await database.transaction(async (client) => {
      await ensureTables(client)
      await client.query(`INSERT INTO ${client.schema}.nearest_seen VALUES ($1::bigint, 0) ON CONFLICT (scope) DO NOTHING`, [id])
      const [row] = await client.query<{ last: number }>(
        `SELECT last::float8 AS last FROM ${client.schema}.nearest_seen WHERE scope = $1::bigint FOR UPDATE`,
        [id],
      )
      const last = await takeOver(client, id, row?.last ?? 0)
      await client.query(`UPDATE ${client.schema}.nearest_seen SET last = $2::bigint WHERE scope = $1::bigint`, [id, last])
    })
    seen.set(id, change)
  }

  return {
    async nearest(scope, query, limit) {
      await catchUp(scope)
      query.signal?.throwIfAborted()
      return database.transaction((client) => findNearest(client, scope, query, limit))
    },
    read,
    async discard() {
      clear()
      const [row] = await database.query<{ held: string | null }>('SELECT to_regclass($1::text)::text AS held', [
        `${database.schema}.nearest`,
      ])
      if (row?.held != null) await database.query(`VACUUM (FULL, ANALYZE) ${database.schema}.nearest`)
    },
    files: () => [],
    close: async () => {},
  }
}

async function ensureExtension(client: SqlClient, label: string): Promise<void> {
  try {
    await client.query('CREATE EXTENSION IF NOT EXISTS vector')
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new StoreError(
      `Cannot search by pgvector as ${message}: ${label}. Install the extension on the server, or leave vectors to local`,
      {
        reason: 'missing',
        store: label,
        cause,
      },
    )
  }
}

async function ensureTables(client: SqlClient): Promise<void> {
  const dimensions = Number((await readMeta(client)).dimensions)
  await client.query('SELECT pg_advisory_xact_lock(hashtext($1::text))', [client.schema])
  await client.query(`CREATE TABLE IF NOT EXISTS ${client.schema}.nearest_seen (
    scope bigint PRIMARY KEY REFERENCES ${client.schema}.scopes (id) ON DELETE CASCADE, last bigint NOT NULL)`)
  await client.query(`CREATE TABLE IF NOT EXISTS ${client.schema}.nearest (
    seq bigint PRIMARY KEY REFERENCES ${client.schema}.records (seq) ON DELETE CASCADE, change bigint NOT NULL, embedding vector(${dimensions}) NOT NULL)`)
  if (dimensions > mostIndexed) return
  await client.query(`CREATE INDEX IF NOT EXISTS nearest_by_angle ON ${client.schema}.nearest USING hnsw (embedding vector_cosine_ops)`)
}

/** Takes over the vectors of a scope that came after a change; gives the number of the last one. */
async function takeOver(client: SqlClient, scope: number, after: number): Promise<number> {
  let last = after
  for (;;) {
    const rows = await client.query<{ seq: number; change: number; vector: Uint8Array }>(
      `SELECT seq::float8 AS seq, vector_change::float8 AS change, vector FROM ${client.schema}.records
        WHERE scope = $1::bigint AND vector_change > $2::bigint ORDER BY vector_change LIMIT $3::bigint`,
      [scope, last, pageSize],
    )
    const page = rows.map(({ seq, change, vector }) => ({ seq, change, embedding: toText(decodeVector(vector)) }))
    await client.query(
      `INSERT INTO ${client.schema}.nearest (seq, change, embedding)
        SELECT r.seq, n.change, n.embedding::vector FROM json_to_recordset($1::text::json) AS n (seq bigint, change bigint, embedding text)
        JOIN ${client.schema}.records r ON r.seq = n.seq FOR KEY SHARE OF r
        ON CONFLICT (seq) DO UPDATE SET change = excluded.change, embedding = excluded.embedding`,
      [JSON.stringify(page)],
    )
    last = rows.at(-1)?.change ?? last
    if (rows.length < pageSize) return last
  }
}

async function findNearest(
  client: SqlClient,
  scope: SqlScope,
  query: MemoryQuery & { readonly vector: Float32Array },
  limit: number,
): Promise<number[]> {
  const candidates = Math.min(mostCandidates, Math.max(leastCandidates, 2 * limit))
  await client.query(`SET LOCAL hnsw.ef_search = ${candidates}`)
  // The index goes on until the filter has let enough through.
  await client.query('SET LOCAL hnsw.iterative_scan = strict_order')
  const values = new SqlValues()
  const inScope = `r.scope = ${values.add(scope.id, 'bigint')}`
  const near = `n.embedding <=> ${values.add(toText(query.vector), 'text')}::vector`
  const conditions = [inScope, 'r.vector_change = n.change', ...filterConditions(query, values)].join(' AND ')
  const rows = await client.query<{ seq: number }>(
    `SELECT r.seq::float8 AS seq FROM ${client.schema}.nearest n JOIN ${client.schema}.records r ON r.seq = n.seq
      WHERE ${conditions} ORDER BY ${near} LIMIT ${values.add(limit, 'bigint')}`,
    values.list,
  )
  return rows.map(({ seq }) => seq)
}

function toText(vector: Float32Array): string {
  return `[${vector.join(',')}]`
}
