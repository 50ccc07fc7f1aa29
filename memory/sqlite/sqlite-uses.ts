import type { RecordUse } from '../memory-record.ts'
import type { CoRecall } from '../memory-store.ts'
import type { Database } from './sqlite-meta.ts'
import { decodeText } from './sqlite-values.ts'

/** Counts of recalls behind typed calls; `touch` runs inside the caller's transaction. */
export interface UseTable {
  touch(keys: readonly number[], at: number): void
  get(key: number): RecordUse | undefined
  coRecalled(key: number, limit: number): CoRecall[]
}

export function createUseTable(database: Database): UseTable {
  const touch = database.prepare(
    `INSERT INTO uses VALUES (?, 1, ?)
      ON CONFLICT (key) DO UPDATE SET accesses = accesses + 1, accessed_at = max(accessed_at, excluded.accessed_at)`,
  )
  const pair = database.prepare('INSERT INTO recalls VALUES (?, ?, 1) ON CONFLICT (key, other) DO UPDATE SET count = count + 1')
  const get = database.prepare<[number], { accesses: number; accessedAt: number }>(
    'SELECT accesses, accessed_at AS accessedAt FROM uses WHERE key = ?',
  )
  const coRecalled = database.prepare<[number, number], { id: string | Buffer; count: number }>(
    'SELECT id, count FROM recalls JOIN records ON records.key = other WHERE recalls.key = ? ORDER BY count DESC, id LIMIT ?',
  )
  return {
    touch(keys, at) {
      for (const key of keys) {
        touch.run(key, at)
        for (const other of keys) if (other !== key) pair.run(key, other)
      }
    },
    get: (key) => get.get(key),
    coRecalled: (key, limit) => coRecalled.all(key, limit).map(({ id, count }) => ({ id: decodeText(id), count })),
  }
}
