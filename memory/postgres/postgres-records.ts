/** Records as rows of PostgreSQL, and reading them. */
import type { RankedTraits } from '../candidate.ts'
import type { JsonValue, MemoryRecord, RecordKind, RecordUse, TurnRole } from '../memory-record.ts'
import type { RangeOptions } from '../memory-store.ts'
import type { SqlClient } from './postgres-client.ts'
import { SqlValues } from './postgres-filter.ts'
import { decodeSqlJson, decodeSqlText, encodeSqlText } from './postgres-values.ts'
import { decodeVector } from '../vector-bytes.ts'

/** A record as the driver gives it. */
export interface SqlRecordRow {
  readonly seq: number
  readonly id: string
  readonly document: string
  readonly place: number
  readonly span_start: number
  readonly span_end: number
  readonly text: string
  readonly context: string | null
  readonly vector: Uint8Array | null
  readonly kind: RecordKind | null
  readonly role: TurnRole | null
  readonly created_at: number | null
  readonly tokens: number | null
  readonly summary: string | null
  readonly summary_tokens: number | null
  readonly importance: number | null
  readonly pinned: boolean | null
  readonly expires_at: number | null
  readonly valid_from: number | null
  readonly valid_to: number | null
  readonly superseded_by: string | null
  readonly sources: string | null
  readonly metadata: string | null
}

/** What ranking looks at of a record, as the driver gives it. */
export interface SqlCandidateRow {
  readonly seq: number
  readonly id: string
  readonly document: string
  readonly place: number
  readonly created_at: number | null
  readonly importance: number | null
  /** Number of the change that gave it its vector. */
  readonly vector_change: number | null
  readonly accesses: number | null
  readonly accessed_at: number | null
}

/** A row with how the record was used. */
interface SqlUsedRow extends SqlRecordRow {
  readonly accesses: number | null
  readonly accessed_at: number | null
}

/** Columns of a record `r`. */
const recordColumns = `r.seq::float8 AS seq, r.id, r.document, r.place::float8 AS place, r.span_start::float8 AS span_start,
  r.span_end::float8 AS span_end, r.text, r.context, r.vector, r.kind, r.role, r.created_at, r.tokens, r.summary, r.summary_tokens, r.importance,
  r.pinned, r.expires_at, r.valid_from, r.valid_to, r.superseded_by, r.sources::text AS sources, r.metadata::text AS metadata`

export function toMemoryRecord(row: SqlRecordRow, scope: string): MemoryRecord {
  return {
    id: decodeSqlText(row.id),
    scope,
    documentId: decodeSqlText(row.document),
    start: row.span_start,
    end: row.span_end,
    index: row.place,
    text: decodeSqlText(row.text),
    ...given('context', row.context, decodeSqlText),
    ...given('vector', row.vector, decodeVector),
    ...given('kind', row.kind, itself),
    ...given('role', row.role, itself),
    ...given('createdAt', row.created_at, itself),
    ...given('tokens', row.tokens, itself),
    ...given('summary', row.summary, decodeSqlText),
    ...given('summaryTokens', row.summary_tokens, itself),
    ...given('importance', row.importance, itself),
    ...given('pinned', row.pinned, itself),
    ...given('expiresAt', row.expires_at, itself),
    ...given('validFrom', row.valid_from, itself),
    ...given('validTo', row.valid_to, itself),
    ...given('supersededBy', row.superseded_by, decodeSqlText),
    ...given('sources', row.sources, (json) => decodeSqlJson(json) as readonly string[]),
    ...given('metadata', row.metadata, (json) => decodeSqlJson(json) as Readonly<Record<string, JsonValue>>),
  }
}

export function toRecordUse(row: Pick<SqlUsedRow, 'accesses' | 'accessed_at'>): RecordUse {
  return { accesses: row.accesses ?? 0, accessedAt: row.accessed_at ?? undefined }
}

/** Records of a scope by id. @param lock keeps them as they are until the transaction ends */
export function findRows(client: SqlClient, scope: number, ids: readonly string[], lock: '' | 'FOR UPDATE' = ''): Promise<SqlRecordRow[]> {
  const values = new SqlValues()
  const where = `r.scope = ${values.add(scope, 'bigint')} AND r.id = ANY (${values.texts(ids)})`
  return client.query<SqlRecordRow>(
    `SELECT ${recordColumns} FROM ${client.schema}.records r WHERE ${where} ORDER BY r.seq ${lock}`,
    values.list,
  )
}

/** Records of a scope without a vector, in order of arrival. */
export function unembeddedRows(client: SqlClient, scope: number, limit: number): Promise<SqlRecordRow[]> {
  return client.query<SqlRecordRow>(
    `SELECT ${recordColumns} FROM ${client.schema}.records r WHERE r.scope = $1::bigint AND r.vector IS NULL ORDER BY r.seq LIMIT $2::bigint`,
    [scope, limit],
  )
}

/** Records of a document in order of place. */
export async function listRows(
  client: SqlClient,
  scope: number,
  document: string,
  { from, until, limit, newest = false }: RangeOptions,
): Promise<SqlRecordRow[]> {
  const values = new SqlValues()
  const conditions = [`r.scope = ${values.add(scope, 'bigint')}`, `r.document = ${values.add(encodeSqlText(document), 'text')}`]
  if (from !== undefined) conditions.push(`r.place >= ${values.add(from, 'float8')}`)
  if (until !== undefined) conditions.push(`r.place < ${values.add(until, 'float8')}`)
  const order = newest ? 'r.place DESC, r.id DESC' : 'r.place, r.id'
  const most = limit === undefined ? '' : `LIMIT ${values.add(limit, 'bigint')}`
  const sql = `SELECT ${recordColumns} FROM ${client.schema}.records r WHERE ${conditions.join(' AND ')} ORDER BY ${order} ${most}`
  const rows = await client.query<SqlRecordRow>(sql, values.list)
  return newest ? rows.reverse() : rows
}

/** Records with how they were used, by number. */
export function loadRows(client: SqlClient, keys: readonly number[]): Promise<SqlUsedRow[]> {
  const values = new SqlValues()
  const sql = `SELECT ${recordColumns}, u.accesses::float8 AS accesses, u.accessed_at
    FROM ${client.schema}.records r LEFT JOIN ${client.schema}.uses u ON u.seq = r.seq WHERE r.seq = ANY (${values.numbers(keys)})`
  return client.query<SqlUsedRow>(sql, values.list)
}

/** What ranking looks at of records, by number. */
export function candidateRows(client: SqlClient, keys: readonly number[]): Promise<SqlCandidateRow[]> {
  const values = new SqlValues()
  const sql = `SELECT r.seq::float8 AS seq, r.id, r.document, r.place::float8 AS place, r.created_at, r.importance,
      r.vector_change::float8 AS vector_change, u.accesses::float8 AS accesses, u.accessed_at
    FROM ${client.schema}.records r LEFT JOIN ${client.schema}.uses u ON u.seq = r.seq WHERE r.seq = ANY (${values.numbers(keys)})`
  return client.query<SqlCandidateRow>(sql, values.list)
}

export function toRankedTraits(row: SqlCandidateRow): RankedTraits {
  return {
    id: decodeSqlText(row.id),
    documentId: decodeSqlText(row.document),
    index: row.place,
    ...given('createdAt', row.created_at, itself),
    ...given('importance', row.importance, itself),
  }
}

function itself<T>(value: T): T {
  return value
}

/** A field where the column holds a value. */
function given<Name extends string, T, U>(name: Name, value: T | null, decode: (value: T) => U): { [Key in Name]?: U } {
  return (value === null ? {} : { [name]: decode(value) }) as { [Key in Name]?: U }
}
