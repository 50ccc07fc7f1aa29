import { LRUCache } from 'lru-cache'
import type { Logger } from '../../log/index.ts'
import { deleteHnswFile, deleteLeftovers, filesStarting, hnswFileLast } from '../hnsw-file.ts'
import { createHnswIndex, type HnswIndex, type HnswSource } from '../hnsw-index.ts'
import type { MemoryQuery } from '../memory-store.ts'
import { bestOf, candidateLimit } from '../rank-candidates.ts'
import { createRecordTest, type RecordTest } from '../record-filter.ts'
import type { ScopeView, ViewedRecord } from '../scope-view.ts'
import { type Database, readMeta } from './sqlite-meta.ts'
import type { ScopeViews } from './sqlite-views.ts'
import { decodeVector } from '../vector-bytes.ts'
import { cosineSimilarity, vectorNorm } from '../vectors.ts'

/** Vectors kept in memory between searches, in bytes. */
const maxBytes = 256 * 1024 * 1024

/** Times the limit: a sample's error is less. */
const SURELY_MORE = 1.25

/** A vector with its length, as a change left it. */
export interface MeasuredVector {
  readonly vector: Float32Array
  readonly norm: number
  readonly change: number
}

/** Searches by vector: exact among few, by an index of the scope's own among many. */
export interface VectorSearch {
  /** Keys of the records that the query's filter lets through and whose vectors are nearest, at least `candidateLimit` where there are as many. */
  nearest(scope: number, query: MemoryQuery & { readonly vector: Float32Array }): Promise<readonly number[]>
  /** The vector that a change gave a record, with its length. */
  read(key: number, change: number): MeasuredVector | undefined
  /** The index's files of a scope hold deleted vectors: they go, and are written anew. */
  discardFiles(scope: number): void
  /** Forgets all indexes and their files: they are built anew when they are needed. */
  discard(): void
  /** Paths of the indexes' files that are there. */
  files(): string[]
  /** Saves what is new. */
  save(): Promise<void>
}

export interface VectorSearchOptions {
  readonly database: Database
  readonly views: ScopeViews
  /** Of the database's file; undefined keeps the indexes in memory alone. */
  readonly path: string | undefined
  /** Searches among more vectors than this use an index. */
  readonly exactBelow: number
  readonly logger: Logger
}

export function createVectorSearch({ database, views, path, exactBelow, logger }: VectorSearchOptions): VectorSearch {
  const vectorOf = createVectorReader(database)
  const indexes = new Map<number, HnswIndex>()
  const fileOf = (scope: number): string | undefined => path && `${path}.hnsw-${scope}`

  function indexOf(scope: number): HnswIndex {
    const index = indexes.get(scope) ?? createHnswIndex(fileOf(scope), createSource(database, views, scope), logger)
    indexes.set(scope, index)
    return index
  }

  const files = (): string[] => (path === undefined ? [] : filesStarting(`${path}.hnsw-`))

  deleteLeftovers(files())
  // Where an older copy of the database was put in its place, an index knows changes that never were.
  const last = database.prepare<[], number>('SELECT last FROM changes').pluck().get() ?? 0
  for (const file of files()) if ((hnswFileLast(file) ?? 0) > last) deleteHnswFile(file)

  return {
    async nearest(scope, query) {
      const { vector, signal } = query
      const view = views.get(scope)
      const test = createRecordTest(query)
      const limit = candidateLimit(query.k)
      const few = collectFew(view, query, test, exactBelow)
      if (few) return scan(few, vector, limit, vectorOf)
      const allowed = test ? { has: (key: number) => isMeant(view.get(key), test) } : view.withVector
      return indexOf(scope).nearest(vector, limit, allowed, `${view.seen}`, signal)
    },
    read: (key, change) => vectorOf({ key, vector: change }),
    discardFiles(scope) {
      const file = fileOf(scope)
      if (file !== undefined) deleteHnswFile(file)
      indexes.get(scope)?.discardFiles()
    },
    discard() {
      for (const index of indexes.values()) index.discard()
      indexes.clear()
      for (const file of files()) deleteHnswFile(file)
    },
    files,
    async save() {
      for (const index of indexes.values()) await index.save()
    },
  }
}

/** What the filter lets through; undefined when it is more than the limit. That it is far more, a sample tells. */
function collectFew(view: ScopeView, query: MemoryQuery, test: RecordTest | undefined, limit: number): ViewedRecord[] | undefined {
  const { size } = view.withVector
  if (size > limit && (!test || size * shareOf(view, test) > SURELY_MORE * limit)) return undefined
  const found: ViewedRecord[] = []
  for (const keys of view.pool(query.documentIds)) {
    for (const key of keys) {
      const record = view.get(key)
      if (!record || !isMeant(record, test)) continue
      if (found.length >= limit) return undefined
      found.push(record)
    }
  }
  return found
}

/** About the share of the records with vectors that a filter lets through. */
function shareOf(view: ScopeView, test: RecordTest): number {
  let meant = 0
  for (const key of view.sample.keys) if (isMeant(view.get(key), test)) meant++
  return meant / Math.max(1, view.sample.keys.size)
}

function isMeant(record: ViewedRecord | undefined, test: RecordTest | undefined): boolean {
  return record?.vector !== undefined && (!test || test(record))
}

/** Keys of the records whose vectors are nearest, best first. */
function scan(records: readonly ViewedRecord[], query: Float32Array, limit: number, vectorOf: VectorReader): number[] {
  const norm = vectorNorm(query)
  const similarities = new Float64Array(records.length)
  for (const [at, record] of records.entries()) {
    const measured = vectorOf(record)
    similarities[at] = measured ? cosineSimilarity(query, measured.vector, norm, measured.norm) : -Infinity
  }
  return bestOf(
    records.map(({ key }) => key),
    similarities,
    limit,
  )
}

type VectorReader = (record: Pick<ViewedRecord, 'key' | 'vector'>) => MeasuredVector | undefined

/** Reads vectors, and keeps those that were read last. */
function createVectorReader(database: Database): VectorReader {
  const kept = new LRUCache<number, MeasuredVector>({ maxSize: maxBytes, sizeCalculation: ({ vector }) => 200 + vector.byteLength })
  const read = database.prepare<[number], Buffer>('SELECT vector FROM vectors WHERE key = ?').pluck()
  return ({ key, vector: change }) => {
    const known = kept.get(key)
    if (known && known.change === change) return known
    const bytes = read.get(key)
    if (!bytes) return undefined
    const vector = decodeVector(bytes)
    const measured = { vector, norm: vectorNorm(vector), change: change ?? 0 }
    kept.set(key, measured)
    return measured
  }
}

function createSource(database: Database, views: ScopeViews, scope: number): HnswSource {
  const after = database.prepare<[number, number, number], { key: number; change: number; vector: Buffer }>(
    'SELECT key, change, vector FROM vectors WHERE scope = ? AND change > ? ORDER BY change LIMIT ?',
  )
  return {
    describe: () => ({
      identity: `${readMeta(database, 'identity')}/${scope}`,
      embedder: readMeta(database, 'embedder') ?? null,
      dimensions: Number(readMeta(database, 'dimensions')),
    }),
    after: (last, limit) => after.all(scope, last, limit).map(({ key, change, vector }) => ({ key, change, vector: decodeVector(vector) })),
    keys: () => views.get(scope).withVector,
    removals: () => views.get(scope).removals,
  }
}
