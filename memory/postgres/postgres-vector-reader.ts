import { LRUCache } from 'lru-cache'
import { decodeVector } from '../vector-bytes.ts'
import { vectorNorm } from '../vectors.ts'
import type { SqlClient } from './postgres-client.ts'
import { SqlValues } from './postgres-filter.ts'

/** Vectors kept in memory between searches, in bytes. */
const maxBytes = 256 * 1024 * 1024
/** Vectors that one statement brings. */
const pageSize = 1_000

/** A vector with its length, as a change left it. */
export interface MeasuredVector {
  readonly vector: Float32Array
  readonly norm: number
  readonly change: number
}

/** Reads vectors, and keeps those that were read last. */
export interface VectorReader {
  /** @param changes number of the change that gave each record its vector, by the record's number */
  read(changes: ReadonlyMap<number, number>, keys: Iterable<number>): Promise<ReadonlyMap<number, MeasuredVector>>
  clear(): void
}

export function createVectorReader(client: SqlClient): VectorReader {
  const kept = new LRUCache<number, MeasuredVector>({ maxSize: maxBytes, sizeCalculation: ({ vector }) => 200 + vector.byteLength })
  return {
    async read(changes, keys) {
      const found = new Map<number, MeasuredVector>()
      const missing: number[] = []
      for (const key of keys) {
        const known = kept.get(key)
        if (known && known.change === changes.get(key)) found.set(key, known)
        else missing.push(key)
      }
      for (let start = 0; start < missing.length; start += pageSize) {
        for (const { key, change, vector } of await readVectors(client, missing.slice(start, start + pageSize))) {
          const measured = { vector, norm: vectorNorm(vector), change }
          kept.set(key, measured)
          found.set(key, measured)
        }
      }
      return found
    },
    clear: () => kept.clear(),
  }
}

export interface VectorRow {
  readonly key: number
  readonly change: number
  readonly vector: Uint8Array
}

export function selectVectors(client: SqlClient): string {
  return `SELECT seq::float8 AS key, vector_change::float8 AS change, vector FROM ${client.schema}.records`
}

export function toVector({ vector, ...row }: VectorRow): { readonly key: number; readonly change: number; readonly vector: Float32Array } {
  return { ...row, vector: decodeVector(vector) }
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
