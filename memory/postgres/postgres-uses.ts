/** What a PostgreSQL store knows besides records: recalls, what scopes and documents hold, and which documents are complete. */
import type { CoRecall, DocumentSummary } from '../memory-store.ts'
import type { SqlClient } from './postgres-client.ts'
import { SqlValues } from './postgres-filter.ts'
import { decodeSqlText, encodeSqlText } from './postgres-values.ts'

/** Counts a recall of each record and of each pair. The rows are locked in one order, so that two recalls never wait for each other. */
export async function countRecall(client: SqlClient, scope: number, ids: readonly string[], at: number): Promise<void> {
  const values = new SqlValues()
  const inScope = values.add(scope, 'bigint')
  const list = values.texts(ids)
  const found = await client.query<{ seq: number }>(
    `SELECT seq::float8 AS seq FROM ${client.schema}.records WHERE scope = ${inScope} AND id = ANY (${list}) ORDER BY seq FOR KEY SHARE`,
    values.list,
  )
  if (found.length === 0) return
  const recalled = new SqlValues()
  const keys = recalled.numbers(found.map(({ seq }) => seq))
  await client.query(
    `INSERT INTO ${client.schema}.co_recalls AS c (first, second, count)
      SELECT a.seq, b.seq, 1 FROM unnest(${keys}) AS a (seq) JOIN unnest(${keys}) AS b (seq) ON a.seq < b.seq ORDER BY 1, 2
      ON CONFLICT (first, second) DO UPDATE SET count = c.count + 1`,
    recalled.list,
  )
  const time = recalled.add(at, 'float8')
  await client.query(
    `INSERT INTO ${client.schema}.uses AS u (seq, accesses, accessed_at) SELECT seq, 1, ${time} FROM unnest(${keys}) AS n (seq) ORDER BY 1
      ON CONFLICT (seq) DO UPDATE SET accesses = u.accesses + 1, accessed_at = greatest(u.accessed_at, excluded.accessed_at)`,
    recalled.list,
  )
}

/** Records recalled with another, most often first. */
export async function coRecallsOf(client: SqlClient, seq: number, limit: number): Promise<CoRecall[]> {
  const rows = await client.query<{ id: string; count: number }>(
    `SELECT r.id, c.count::float8 AS count
      FROM (SELECT second AS seq, count FROM ${client.schema}.co_recalls WHERE first = $1::bigint
        UNION ALL SELECT first, count FROM ${client.schema}.co_recalls WHERE second = $1::bigint) c
      JOIN ${client.schema}.records r ON r.seq = c.seq ORDER BY c.count DESC, r.id LIMIT $2::bigint`,
    [seq, limit],
  )
  return rows.map(({ id, count }) => ({ id: decodeSqlText(id), count }))
}

/** Names of scopes with records, in order. */
export async function listScopes(client: SqlClient, limit: number, after: string | undefined): Promise<string[]> {
  const values = new SqlValues()
  const later = after === undefined ? '' : `AND name > ${values.add(encodeSqlText(after), 'text')}`
  const rows = await client.query<{ name: string }>(
    `SELECT name FROM ${client.schema}.scopes WHERE records > 0 ${later} ORDER BY name LIMIT ${values.add(limit, 'bigint')}`,
    values.list,
  )
  return rows.map(({ name }) => decodeSqlText(name))
}

export async function listDocuments(
  client: SqlClient,
  scope: number,
  limit: number,
  after: string | undefined,
): Promise<DocumentSummary[]> {
  const values = new SqlValues()
  const inScope = `scope = ${values.add(scope, 'bigint')}`
  const later = after === undefined ? '' : `AND document > ${values.add(encodeSqlText(after), 'text')}`
  const rows = await client.query<{ document: string; records: number; last: number | null }>(
    `SELECT document, count(*)::float8 AS records, max(created_at) AS last FROM ${client.schema}.records
      WHERE ${inScope} ${later} GROUP BY document ORDER BY document LIMIT ${values.add(limit, 'bigint')}`,
    values.list,
  )
  return rows.map(({ document, records, last }) => ({ documentId: decodeSqlText(document), records, lastAt: last ?? undefined }))
}

/** The version that a document is complete for. */
export async function completedVersion(client: SqlClient, scope: number, document: string): Promise<string | undefined> {
  const [row] = await client.query<{ version: string }>(
    `SELECT version FROM ${client.schema}.completed WHERE scope = $1::bigint AND document = $2::text`,
    [scope, encodeSqlText(document)],
  )
  return row && decodeSqlText(row.version)
}

export async function markCompleted(client: SqlClient, scope: number, document: string, version: string): Promise<void> {
  await client.query(
    `INSERT INTO ${client.schema}.completed VALUES ($1::bigint, $2::text, $3::text) ON CONFLICT (scope, document) DO UPDATE SET version = excluded.version`,
    [scope, encodeSqlText(document), encodeSqlText(version)],
  )
}
