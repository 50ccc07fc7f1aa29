/** Search by vector in this process over a PostgreSQL store: exact among few, by an index of the scope's own among many. */
import { LRUCache } from 'lru-cache'
import type { Logger } from '../../log/index.ts'
import { createHnswIndex, type HnswIndex, type HnswSource } from '../hnsw-index.ts'
import type { MemoryQuery, RecordFilter } from '../memory-store.ts'
import type { SqlClient } from './postgres-client.ts'
import { expired, filterConditions, SqlValues } from './postgres-filter.ts'
import { readMeta, type SqlScope } from './postgres-meta.ts'
import { bestKeys } from '../rank-candidates.ts'
import { cosineSimilarity, vectorNorm } from '../vectors.ts'
import { createVectorReader, selectVectors, toVector, type VectorReader, type VectorRow } from './postgres-vector-reader.ts'

/** How a PostgreSQL store finds the records that are nearest to a vector. */
export interface SqlVectorSearch {
  /** Numbers of the records nearest to the query vector, best first, at least `limit` where there are as many. */
  nearest(scope: SqlScope, query: MemoryQuery & { readonly vector: Float32Array }, limit: number): Promise<number[]>
  readonly read: VectorReader['read']
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

/** Records with vectors whose numbers are kept between searches: of scopes, and of what filters let through of them. */
const maxRecords = 2_000_000

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
  const vectors = createVectorReader(client)
  const allowedKeys = createAllowedKeys(client)
  const indexes = new Map<number, HnswIndex>()
  const fileOf = (scope: number): string | undefined => indexPath && `${indexPath}-${scope}`

  function indexOf(scope: number): HnswIndex {
    const index = indexes.get(scope) ?? createHnswIndex(fileOf(scope), createSource(client, scope), logger)
    indexes.set(scope, index)
    return index
  }

  async function scan(keys: Iterable<number>, { changes }: HeldScope, query: Float32Array): Promise<Map<number, number>> {
    const norm = vectorNorm(query)
    const similarities = new Map<number, number>()
    for (const [key, measured] of await vectors.read(changes, keys))
      similarities.set(key, cosineSimilarity(query, measured.vector, norm, measured.norm))
    return similarities
  }

  return {
    async nearest(scope, query, limit) {
      const held = await scopes.get(scope)
      const allowed = (await allowedKeys(scope, held, query)) ?? held.changes
      query.signal?.throwIfAborted()
      if (allowed.size > exactBelow) return indexOf(scope.id).nearest(query.vector, limit, allowed, String(scope.change), query.signal)
      return bestKeys(await scan(allowed.keys(), held, query.vector), limit)
    },
    read: vectors.read,
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
type FindAllowed = (scope: SqlScope, held: HeldScope, query: MemoryQuery) => Promise<ReadonlySet<number> | undefined>

/** What a filter lets through of a scope, as of a change and after so many removals. */
interface Allowed {
  readonly change: number
  readonly removals: number
  readonly keys: ReadonlySet<number>
}

/**
 * What a filter asks of fields that only another `put` can change is remembered until the scope changes: a conversation asks the same of each
 * message. Few records have expired: those are asked for each time.
 */
function createAllowedKeys(client: SqlClient): FindAllowed {
  const kept = new LRUCache<string, Allowed>({ maxSize: maxRecords, sizeCalculation: ({ keys }) => 100 + keys.size })

  async function find(scope: SqlScope, filter: RecordFilter): Promise<ReadonlySet<number>> {
    const values = new SqlValues()
    const conditions = [`r.scope = ${values.add(scope.id, 'bigint')}`, ...filterConditions(filter, values)]
    const sql = `SELECT r.seq::float8 AS seq FROM ${client.schema}.records r WHERE r.vector_change IS NOT NULL AND ${conditions.join(' AND ')}`
    return new Set((await client.query<{ seq: number }>(sql, values.list)).map(({ seq }) => seq))
  }

  async function findLasting(scope: SqlScope, { now: _now, ...filter }: RecordFilter): Promise<ReadonlySet<number> | undefined> {
    const { id, change, removals } = scope
    const { documentIds, kinds, roles, from, until } = filter
    const asked = [documentIds, kinds, roles, from, until]
    if (asked.every((value) => value === undefined)) return undefined
    const name = JSON.stringify([id, ...asked])
    const known = kept.get(name)
    if (known && known.change === change && known.removals === removals) return known.keys
    const keys = await find(scope, filter)
    kept.set(name, { change, removals, keys })
    return keys
  }

  return async (scope, { changes }, query) => {
    const { now, validAt, metadata = {} } = query
    if (validAt !== undefined || Object.keys(metadata).length > 0) return find(scope, query)
    const all = await findLasting(scope, query)
    const gone = now === undefined ? new Set<number>() : await findExpired(client, scope, now)
    return gone.size === 0 ? all : new Set(Array.from((all ?? changes).keys()).filter((key) => !gone.has(key)))
  }
}

async function findExpired(client: SqlClient, scope: SqlScope, now: number): Promise<ReadonlySet<number>> {
  const rows = await client.query<{ seq: number }>(
    `SELECT r.seq::float8 AS seq FROM ${client.schema}.records r WHERE r.scope = $2::bigint AND r.expires_at IS NOT NULL AND ${expired('$1::float8')}`,
    [now, scope.id],
  )
  return new Set(rows.map(({ seq }) => seq))
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

async function keysOf(client: SqlClient, scope: number): Promise<Set<number>> {
  const rows = await client.query<{ seq: number }>(
    `SELECT seq::float8 AS seq FROM ${client.schema}.records WHERE scope = $1::bigint AND vector_change IS NOT NULL`,
    [scope],
  )
  return new Set(rows.map(({ seq }) => seq))
}
