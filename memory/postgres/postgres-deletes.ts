/** Deleting records in PostgreSQL. Each function but `vacuum` runs inside the caller's transaction, which holds the lock of the changes. */
import type { ErasureTarget } from '../erasable.ts'
import type { SqlClient } from './postgres-client.ts'
import { expired, SqlValues } from './postgres-filter.ts'

/** Takes the terms of records out of the index, and the records out of the counts of their scopes. */
export async function takeOut(client: SqlClient, keys: readonly number[]): Promise<void> {
  const values = new SqlValues()
  const list = values.numbers(keys)
  await client.query(`DELETE FROM ${client.schema}.terms WHERE seq = ANY (${list})`, values.list)
  await client.query(
    `UPDATE ${client.schema}.scopes s SET records = s.records - g.records, terms = s.terms - g.terms, removals = s.removals + g.vectors,
        change = (SELECT last FROM ${client.schema}.changes)
      FROM (SELECT scope, count(*) AS records, sum(length) AS terms, count(vector_change) AS vectors
        FROM ${client.schema}.records WHERE seq = ANY (${list}) GROUP BY scope) g
      WHERE s.id = g.scope`,
    values.list,
  )
}

/** Deletes records with their words, uses and co-recalls. */
export async function deleteRecords(client: SqlClient, keys: readonly number[]): Promise<void> {
  if (keys.length === 0) return
  await takeOut(client, keys)
  const values = new SqlValues()
  await client.query(`DELETE FROM ${client.schema}.records WHERE seq = ANY (${values.numbers(keys)})`, values.list)
}

/** Takes away the marks of documents that a target means, and the scope itself when nothing is left of it: its name may tell of somebody. */
export async function clearMarks(client: SqlClient, scope: number, { documentIds, ids }: Omit<ErasureTarget, 'scope'>): Promise<void> {
  const values = new SqlValues()
  const inScope = `scope = ${values.add(scope, 'bigint')}`
  const meant = documentIds ? `AND document = ANY (${values.texts(documentIds)})` : ''
  if (documentIds || !ids) await client.query(`DELETE FROM ${client.schema}.completed WHERE ${inScope} ${meant}`, values.list)
  await client.query(
    `DELETE FROM ${client.schema}.scopes WHERE id = $1::bigint AND records = 0
      AND NOT EXISTS (SELECT 1 FROM ${client.schema}.completed WHERE scope = $1::bigint)`,
    [scope],
  )
}

/**
 * Writes the tables anew, so that the server's files hold nothing of deleted rows. What its log of writes, its copies and its replicas still hold
 * is in the hands of who runs it. Not inside a transaction.
 */
export async function vacuum(client: SqlClient): Promise<void> {
  for (const table of ['records', 'terms', 'uses', 'co_recalls', 'completed', 'scopes']) {
    await client.query(`VACUUM (FULL, ANALYZE) ${client.schema}.${table}`)
  }
}

/** Numbers of the records of a scope that a target means, without what was drawn from them. */
export async function targetedKeys(
  client: SqlClient,
  scope: number,
  { documentIds, ids }: Omit<ErasureTarget, 'scope'>,
): Promise<number[]> {
  const values = new SqlValues()
  const inScope = `r.scope = ${values.add(scope, 'bigint')}`
  const either = [
    ...(documentIds ? [`r.document = ANY (${values.texts(documentIds)})`] : []),
    ...(ids ? [`r.id = ANY (${values.texts(ids)})`] : []),
  ]
  const meant = either.length === 0 ? '' : `AND (${either.join(' OR ')})`
  const rows = await client.query<{ seq: number }>(
    `SELECT r.seq::float8 AS seq FROM ${client.schema}.records r WHERE ${inScope} ${meant} ORDER BY r.seq`,
    values.list,
  )
  return rows.map(({ seq }) => seq)
}

/** Numbers of the records of a scope that have ceased to be found. */
export async function expiredKeys(client: SqlClient, now: number): Promise<Map<number, number[]>> {
  const rows = await client.query<{ scope: number; seq: number }>(
    `SELECT r.scope::float8 AS scope, r.seq::float8 AS seq FROM ${client.schema}.records r WHERE ${expired('$1::float8')}`,
    [now],
  )
  const byScope = new Map<number, number[]>()
  for (const { scope, seq } of rows) byScope.set(scope, [...(byScope.get(scope) ?? []), seq])
  return byScope
}

/** The given records of a scope, and those whose sources would then all be gone, and so on. */
export async function keysWithDerived(client: SqlClient, scope: number, keys: readonly number[]): Promise<number[]> {
  const gone = new Set(keys)
  let fresh = keys
  while (fresh.length > 0) {
    const values = new SqlValues()
    const inScope = values.add(scope, 'bigint')
    const newest = values.numbers(fresh)
    const rows = await client.query<{ seq: number }>(
      `WITH gone AS MATERIALIZED (SELECT unnest(${values.numbers(Array.from(gone))}) AS seq)
      SELECT r.seq::float8 AS seq FROM ${client.schema}.records r
        WHERE r.scope = ${inScope} AND r.seq NOT IN (SELECT seq FROM gone)
          AND r.sources ?| ARRAY(SELECT id FROM ${client.schema}.records WHERE seq = ANY (${newest}))
          AND NOT EXISTS (
            SELECT 1 FROM jsonb_array_elements_text(r.sources) AS named (id)
            JOIN ${client.schema}.records s ON s.scope = r.scope AND s.id = named.id WHERE s.seq <> r.seq AND s.seq NOT IN (SELECT seq FROM gone))`,
      values.list,
    )
    fresh = rows.map(({ seq }) => seq)
    for (const seq of fresh) gone.add(seq)
  }
  return Array.from(gone)
}
