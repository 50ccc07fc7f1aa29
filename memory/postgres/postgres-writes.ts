/** Adding and changing records in PostgreSQL. Each function runs inside the caller's transaction, which holds the lock of the changes. */
import type { MemoryRecord } from '../memory-record.ts'
import type { SqlClient } from './postgres-client.ts'
import { takeOut } from './postgres-deletes.ts'
import { SqlValues } from './postgres-filter.ts'
import { encodeSqlJson, encodeSqlText } from './postgres-values.ts'
import { encodeVector } from '../vector-bytes.ts'
import { insertTerms, termsOf } from './postgres-words.ts'

/** Records and characters that one statement takes. */
const pageRecords = 500
const pageCharacters = 4_000_000

/** Columns that a record fills, with their types in JSON and what turns them into the column's. */
const columns: readonly (readonly [name: string, type: string, value?: string])[] = [
  ['scope', 'bigint'],
  ['id', 'text'],
  ['document', 'text'],
  ['place', 'bigint'],
  ['span_start', 'bigint'],
  ['span_end', 'bigint'],
  ['text', 'text'],
  ['context', 'text'],
  ['vector', 'text', "decode(n.vector, 'base64')"],
  ['vector_change', 'bigint'],
  ['kind', 'text'],
  ['role', 'text'],
  ['created_at', 'float8'],
  ['tokens', 'float8'],
  ['summary', 'text'],
  ['summary_tokens', 'float8'],
  ['importance', 'float8'],
  ['pinned', 'boolean'],
  ['expires_at', 'float8'],
  ['valid_from', 'float8'],
  ['valid_to', 'float8'],
  ['superseded_by', 'text'],
  ['sources', 'text', 'n.sources::jsonb'],
  ['metadata', 'text', 'n.metadata::jsonb'],
  ['length', 'integer'],
]

/** Columns that may change, besides the vector's. */
const derivedColumns: ReadonlySet<string> = new Set([
  'summary',
  'summary_tokens',
  'tokens',
  'importance',
  'pinned',
  'expires_at',
  'valid_to',
  'superseded_by',
  'metadata',
])

/** Takes the lock that every write takes first, and raises the number of changes by `count`; gives the number before. */
export async function beginChange(client: SqlClient, count: number): Promise<number> {
  const [row] = await client.query<{ change: number }>(
    `UPDATE ${client.schema}.changes SET last = last + $1::bigint RETURNING (last - $1::bigint)::float8 AS change`,
    [count],
  )
  return (row as { change: number }).change
}

/** Adds or replaces records; a replaced one keeps its number and its uses. @param change number of changes before */
export async function putRecords(client: SqlClient, records: readonly MemoryRecord[], change: number): Promise<void> {
  // One statement cannot replace a row twice: of records with one id, the last one counts.
  const last = new Map(records.map((record) => [JSON.stringify([record.scope, record.id]), record]))
  let done = change
  for (const page of pages(Array.from(last.values()))) {
    await putPage(client, page, done)
    done += page.length
  }
}

/** Gives a scope its number, or makes it. */
export async function ensureScopes(client: SqlClient, names: readonly string[]): Promise<Map<string, number>> {
  const distinct = Array.from(new Set(names))
  const values = new SqlValues()
  const list = values.texts(distinct)
  await client.query(`INSERT INTO ${client.schema}.scopes (name) SELECT unnest(${list}) ON CONFLICT (name) DO NOTHING`, values.list)
  const rows = await client.query<{ id: number; at: number }>(
    `SELECT s.id::float8 AS id, n.at::float8 AS at FROM unnest(${list}) WITH ORDINALITY AS n (name, at) JOIN ${client.schema}.scopes s ON s.name = n.name`,
    values.list,
  )
  return new Map(rows.map(({ id, at }) => [distinct[at - 1] as string, id]))
}

async function putPage(client: SqlClient, records: readonly MemoryRecord[], change: number): Promise<void> {
  const scopes = await ensureScopes(
    client,
    records.map((record) => record.scope),
  )
  const terms = records.map((record) => termsOf(record))
  const rows = records.map((record, index) => ({
    ...toRow(record, scopes.get(record.scope) as number),
    length: terms[index]?.length ?? 0,
    ...(record.vector ? { vector: encodeVector(record.vector).toString('base64'), vector_change: change + index + 1 } : {}),
  }))
  const json = JSON.stringify(rows)
  await takeOutReplaced(client, json)
  const names = columns.map(([name]) => name)
  const inserted = await client.query<{ seq: number; scope: number; id: string }>(
    `INSERT INTO ${client.schema}.records (${names.join(', ')})
      SELECT ${columns.map(([name, , value]) => value ?? `n.${name}`).join(', ')}
      FROM json_to_recordset($1::text::json) AS n (${columns.map(([name, type]) => `${name} ${type}`).join(', ')})
      ON CONFLICT (scope, id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}
      RETURNING seq::float8 AS seq, scope::float8 AS scope, id`,
    [json],
  )
  const numbers = new Map(inserted.map(({ seq, scope, id }) => [`${scope} ${id}`, seq]))
  await insertTerms(
    client,
    rows.map(({ scope, id, length }, index) => ({
      scope,
      seq: numbers.get(`${scope} ${id}`) as number,
      length,
      counts: terms[index]?.counts ?? {},
    })),
  )
  await client.query(
    `UPDATE ${client.schema}.scopes s SET records = s.records + n.records, terms = s.terms + n.terms, change = $2::bigint
      FROM (SELECT scope, count(*) AS records, sum(length) AS terms FROM json_to_recordset($1::text::json) AS n (scope bigint, length integer) GROUP BY scope) n
      WHERE s.id = n.scope`,
    [json, change + records.length],
  )
}

/** Takes the terms of the records that are about to be replaced out of the index, and them out of the counts. */
async function takeOutReplaced(client: SqlClient, json: string): Promise<void> {
  const replaced = await client.query<{ seq: number }>(
    `SELECT r.seq::float8 AS seq FROM json_to_recordset($1::text::json) AS n (scope bigint, id text) JOIN ${client.schema}.records r ON r.scope = n.scope AND r.id = n.id`,
    [json],
  )
  if (replaced.length === 0) return
  await takeOut(
    client,
    replaced.map(({ seq }) => seq),
  )
}

/** Writes the derived fields of a changed record. @param vectorChange number of the change where it has another vector */
export async function updateRecord(client: SqlClient, seq: number, record: MemoryRecord, vectorChange: number | undefined): Promise<void> {
  const changed = columns.filter(([name]) => derivedColumns.has(name) || (vectorChange !== undefined && name.startsWith('vector')))
  const vector =
    record.vector && vectorChange !== undefined
      ? { vector: encodeVector(record.vector).toString('base64'), vector_change: vectorChange }
      : {}
  await client.query(
    `UPDATE ${client.schema}.records r SET ${changed.map(([name, , value]) => `${name} = ${value ?? `n.${name}`}`).join(', ')}
      FROM json_to_recordset($1::text::json) AS n (${changed.map(([name, type]) => `${name} ${type}`).join(', ')}) WHERE r.seq = $2::bigint`,
    [JSON.stringify([{ ...toRow(record, 0), ...vector }]), seq],
  )
  if (vectorChange === undefined) return
  await client.query(
    `UPDATE ${client.schema}.scopes SET change = $1::bigint, removals = removals + $2::bigint
      WHERE id = (SELECT scope FROM ${client.schema}.records WHERE seq = $3::bigint)`,
    [vectorChange, record.vector ? 0 : 1, seq],
  )
}

function* pages(records: readonly MemoryRecord[]): Generator<MemoryRecord[]> {
  let page: MemoryRecord[] = []
  let characters = 0
  for (const record of records) {
    if (page.length >= pageRecords || (page.length > 0 && characters + record.text.length > pageCharacters)) {
      yield page
      page = []
      characters = 0
    }
    page.push(record)
    characters += record.text.length
  }
  if (page.length > 0) yield page
}

type JsonRow = { readonly scope: number; readonly id: string } & Readonly<Record<string, string | number | boolean | null | undefined>>

function toRow(record: MemoryRecord, scope: number): JsonRow {
  const encoded = (text: string | undefined): string | undefined => (text === undefined ? undefined : encodeSqlText(text))
  return {
    scope,
    id: encodeSqlText(record.id),
    document: encodeSqlText(record.documentId),
    place: record.index,
    span_start: record.start,
    span_end: record.end,
    text: encodeSqlText(record.text),
    context: encoded(record.context),
    kind: record.kind,
    role: record.role,
    created_at: record.createdAt,
    tokens: record.tokens,
    summary: encoded(record.summary),
    summary_tokens: record.summaryTokens,
    importance: record.importance,
    pinned: record.pinned,
    expires_at: record.expiresAt,
    valid_from: record.validFrom,
    valid_to: record.validTo,
    superseded_by: encoded(record.supersededBy),
    sources: record.sources && encodeSqlJson(record.sources),
    metadata: record.metadata && encodeSqlJson(record.metadata),
  }
}
