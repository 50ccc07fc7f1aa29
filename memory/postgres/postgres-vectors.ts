/** Search by vector in this process over a PostgreSQL store: exact among few, by an index of the scope's own among many. */
import { LRUCache } from 'lru-cache'
import type { Logger } from '../../log/index.ts'
import { createHnswIndex, type HnswIndex, type HnswSource } from '../hnsw-index.ts'
import type { MemoryQuery } from '../memory-store.ts'
import type { SqlClient } from './postgres-client.ts'
import { filterConditions, SqlValues } from './postgres-filter.ts'
import { readMeta, type SqlScope } from './postgres-meta.ts'
import { bestKeys } from '../rank-candidates.ts'
import { decodeVector } from '../vector-bytes.ts'
import { cosineSimilarity, vectorNorm } from '../vectors.ts'

/** How a PostgreSQL store finds the records that are nearest to a vector. */
export interface SqlVectorSearch {
  /** Numbers of the records nearest to the query vector, best first, at least `limit` where there are as many. */
  nearest(scope: SqlScope, query: MemoryQuery & { readonly vector: Float32Array }, limit: number): Promise<number[]>
  /** Forgets what it holds, its files included. */
  discard(): Promise<void>
  /** Files that it keeps. */
  files(): readonly string[]
  close(): Promise<void>
}

/** The records with vectors of a scope, as of a change and after so many removals. */
interface HeldScope {
  readonly change: number
  readonly removals: number
  /** Number of the change that gave each record its vector, by the record's number. */
  readonly changes: Map<number, number>
}

/** A vector with its length, as a change left it. */
interface MeasuredVector {
  readonly vector: Float32Array
  readonly norm: number
  readonly change: number
}

/** Vectors kept in memory between searches, in bytes, and records with vectors whose numbers are. */
const maxBytes = 256 * 1024 * 1024
const maxRecords = 2_000_000
/** Vectors that one statement brings. */
const pageSize = 1_000

interface LocalVectorsOptions {
  readonly client: SqlClient
  /** Searches among more vectors than this use an index. */
  readonly exactBelow: number
  /** Start of the names of the indexes' files; undefined keeps the indexes in memory alone. */
  readonly indexPath: string | undefined
  readonly logger: Logger
}

export function createLocalVectors({ client, exactBelow, indexPath, logger }: LocalVectorsOptions): SqlVectorSearch {
  const scopes = createHeldScopes(client)
  const vectors = new LRUCache<number, MeasuredVector>({ maxSize: maxBytes, sizeCalculation: ({ vector }) => 200 + vector.byteLength })
  const indexes = new Map<number, HnswIndex>()
  const fileOf = (scope: number): string | undefined => indexPath && `${indexPath}-${scope}`

  function indexOf(scope: number): HnswIndex {
    const index = indexes.get(scope) ?? createHnswIndex(fileOf(scope), createSource(client, scope), logger)
    indexes.set(scope, index)
    return index
  }

  async function scan(keys: readonly number[], { changes }: HeldScope, query: Float32Array): Promise<Map<number, number>> {
    const missing = keys.filter((key) => vectors.get(key)?.change !== changes.get(key))
    for (let start = 0; start < missing.length; start += pageSize) {
      for (const { key, change, vector } of await readVectors(client, missing.slice(start, start + pageSize))) {
        vectors.set(key, { vector, norm: vectorNorm(vector), change })
      }
    }
    const norm = vectorNorm(query)
    const similarities = new Map<number, number>()
    for (const key of keys) {
      const measured = vectors.get(key)
      if (measured) similarities.set(key, cosineSimilarity(query, measured.vector, norm, measured.norm))
    }
    return similarities
  }

  return {
    async nearest(scope, query, limit) {
      const held = await scopes.get(scope)
      const allowed = (await allowedKeys(client, scope, held, query)) ?? held.changes
      query.signal?.throwIfAborted()
      if (allowed.size > exactBelow) return indexOf(scope.id).nearest(query.vector, limit, allowed, String(scope.change), query.signal)
      return bestKeys(await scan(Array.from(allowed.keys()), held, query.vector), limit)
    },
    async discard() {
      scopes.clear()
      vectors.clear()
      for (const index of indexes.values()) index.discard()
      indexes.clear()
    },
    files: () => Array.from(indexes.keys(), (scope) => fileOf(scope)).flatMap((file) => (file === undefined ? [] : [file, `${file}.json`])),
    async close() {
      for (const index of indexes.values()) await index.save()
    },
  }
}

/** What is known of scopes, each brought up to date by what changed since, by one search at a time. */
function createHeldScopes(client: SqlClient): { get(scope: SqlScope): Promise<HeldScope>; clear(): void } {
  const scopes = new LRUCache<number, HeldScope>({ maxSize: maxRecords, sizeCalculation: ({ changes }) => 100 + changes.size })
  const turns = new Map<number, Promise<HeldScope>>()

  async function catchUp(scope: SqlScope): Promise<HeldScope> {
    const held = scopes.get(scope.id) ?? { change: 0, removals: scope.removals, changes: new Map<number, number>() }
    if (held.change >= scope.change && held.removals >= scope.removals) return held
    if (held.removals < scope.removals) await forgetRemoved(client, scope.id, held)
    const change = Math.max(scope.change, await addChanged(client, scope.id, held))
    const next = { change, removals: Math.max(held.removals, scope.removals), changes: held.changes }
    scopes.set(scope.id, next)
    return next
  }

  return {
    get(scope) {
      const before = turns.get(scope.id) ?? Promise.resolve()
      const mine = before.then(
        () => catchUp(scope),
        () => catchUp(scope),
      )
      turns.set(scope.id, mine)
      const leave = (): void => void (turns.get(scope.id) === mine && turns.delete(scope.id))
      mine.then(leave, leave)
      return mine
    },
    clear: () => scopes.clear(),
  }
}

async function forgetRemoved(client: SqlClient, scope: number, { changes }: HeldScope): Promise<void> {
  const present = await keysOf(client, scope)
  for (const key of changes.keys()) if (!present.has(key)) changes.delete(key)
}

/** @returns the number of the last change that was seen */
async function addChanged(client: SqlClient, scope: number, { change, changes }: HeldScope): Promise<number> {
  const rows = await client.query<{ key: number; change: number }>(
    `SELECT seq::float8 AS key, vector_change::float8 AS change FROM ${client.schema}.records
      WHERE scope = $1::bigint AND vector_change > $2::bigint ORDER BY seq`,
    [scope, change],
  )
  for (const row of rows) changes.set(row.key, row.change)
  return rows.reduce((last, row) => Math.max(last, row.change), change)
}

/** Numbers of the records that a search may find; undefined for all that are held. */
async function allowedKeys(
  client: SqlClient,
  scope: SqlScope,
  { changes }: HeldScope,
  query: MemoryQuery,
): Promise<ReadonlySet<number> | undefined> {
  const values = new SqlValues()
  const inScope = `r.scope = ${values.add(scope.id, 'bigint')} AND r.vector_change IS NOT NULL`
  const conditions = filterConditions(query, values)
  if (conditions.length === 0) return undefined
  // Mostly the filter is the time alone, and few records have expired: those few are asked for.
  const timeAlone = query.now !== undefined && conditions.length === 1
  const wanted = timeAlone ? `r.expires_at IS NOT NULL AND NOT (${conditions[0]})` : conditions.join(' AND ')
  const rows = await client.query<{ seq: number }>(
    `SELECT r.seq::float8 AS seq FROM ${client.schema}.records r WHERE ${inScope} AND ${wanted}`,
    values.list,
  )
  const found = new Set(rows.map(({ seq }) => seq))
  if (!timeAlone) return found
  return found.size === 0 ? undefined : new Set(Array.from(changes.keys()).filter((key) => !found.has(key)))
}

function createSource(client: SqlClient, scope: number): HnswSource {
  return {
    async describe() {
      const { identity = client.schema, embedder = null, dimensions } = await readMeta(client)
      return { identity: `${identity}/${scope}`, embedder, dimensions: Number(dimensions) }
    },
    async after(last, limit) {
      const rows = await client.query<VectorRow>(
        `${selectVectors(client)} WHERE scope = $1::bigint AND vector_change > $2::bigint ORDER BY vector_change LIMIT $3::bigint`,
        [scope, last, limit],
      )
      return rows.map(toVector)
    },
    keys: () => keysOf(client, scope),
    async removals() {
      const [row] = await client.query<{ removals: number }>(
        `SELECT removals::float8 AS removals FROM ${client.schema}.scopes WHERE id = $1::bigint`,
        [scope],
      )
      return row?.removals ?? -1
    },
  }
}

interface VectorRow {
  readonly key: number
  readonly change: number
  readonly vector: Uint8Array
}

function selectVectors(client: SqlClient): string {
  return `SELECT seq::float8 AS key, vector_change::float8 AS change, vector FROM ${client.schema}.records`
}

async function readVectors(client: SqlClient, keys: readonly number[]): Promise<ReturnType<typeof toVector>[]> {
  const values = new SqlValues()
  const list = values.numbers(keys)
  const rows = await client.query<VectorRow>(
    `${selectVectors(client)} WHERE seq = ANY (${list}) AND vector_change IS NOT NULL`,
    values.list,
  )
  return rows.map(toVector)
}

function toVector({ vector, ...row }: VectorRow): { readonly key: number; readonly change: number; readonly vector: Float32Array } {
  return { ...row, vector: decodeVector(vector) }
}

async function keysOf(client: SqlClient, scope: number): Promise<Set<number>> {
  const rows = await client.query<{ seq: number }>(
    `SELECT seq::float8 AS seq FROM ${client.schema}.records WHERE scope = $1::bigint AND vector_change IS NOT NULL`,
    [scope],
  )
  return new Set(rows.map(({ seq }) => seq))
}
