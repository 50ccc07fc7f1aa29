import type { MemoryRecord, MemoryStore } from '../memory/index.ts'
import type { SelectQuery } from './memory-controller.ts'

/** Records read at a time: what most budgets hold. */
const PAGE = 64

export interface ReadBackOptions {
  readonly memory: MemoryStore
  readonly query: SelectQuery
  /** Milliseconds since 1970: what has expired by then is passed over. */
  readonly now: number
  readonly page?: number
}

/** The turns of a conversation from its newest back to its first, read page by page as they are asked for. */
export async function* readBack({ memory, query, now, page = PAGE }: ReadBackOptions): AsyncGenerator<MemoryRecord> {
  const { scope, threadId, signal } = query
  let until = query.before
  for (;;) {
    signal?.throwIfAborted()
    const range = { limit: page, newest: true, ...(until === undefined ? {} : { until }) }
    const records = (await memory.list(scope, threadId, range)).toSorted((a, b) => b.index - a.index)
    yield* records.filter((record) => isLiveTurn(record, now))
    const last = records.at(-1)
    if (last === undefined || last.index <= 0 || records.length < page) return
    until = last.index
  }
}

/** Whether a record is a turn that has not expired. */
export function isLiveTurn({ kind, expiresAt }: MemoryRecord, now: number): boolean {
  return kind === 'turn' && (expiresAt === undefined || expiresAt > now)
}
