/** What a PostgreSQL store says of itself. */
import type { SqlClient } from './postgres-client.ts'
import { decodeSqlText, encodeSqlText } from './postgres-values.ts'

interface SqlMeta {
  /** The store's own name, by which an index beside it is known to be its. */
  readonly identity?: string
  readonly embedder?: string
  readonly dimensions?: string
  /** Version of the terms that its word index holds. */
  readonly words?: string
}

/** A scope as the table of scopes has it. */
export interface SqlScope {
  readonly id: number
  /** Number of the last change of its records' words or vectors. */
  readonly change: number
  /** Vectors that have gone from it so far. */
  readonly removals: number
  readonly records: number
  /** Terms of all records together. */
  readonly terms: number
}

export async function readMeta(client: SqlClient): Promise<SqlMeta> {
  const rows = await client.query<{ key: string; value: string }>(`SELECT key, value FROM ${client.schema}.meta`)
  return Object.fromEntries(rows.map(({ key, value }) => [key, decodeSqlText(value)]))
}

/** Records what is not recorded yet. */
export async function writeMeta(client: SqlClient, values: SqlMeta): Promise<void> {
  for (const [key, value] of Object.entries(values)) {
    await client.query(`INSERT INTO ${client.schema}.meta VALUES ($1::text, $2::text) ON CONFLICT (key) DO NOTHING`, [
      key,
      encodeSqlText(value),
    ])
  }
}

export async function findScope(client: SqlClient, name: string): Promise<SqlScope | undefined> {
  const [row] = await client.query<SqlScope>(
    `SELECT id::float8 AS id, change::float8 AS change, removals::float8 AS removals, records::float8 AS records, terms::float8 AS terms
      FROM ${client.schema}.scopes WHERE name = $1::text`,
    [encodeSqlText(name)],
  )
  return row
}
