import type { MemoryRecord, RecordUse } from './memory-record.ts'
import type { RankingWeights } from './memory-store.ts'

/** What the weights add to a record's fused score. */
export function weightOf(
  record: Pick<MemoryRecord, 'createdAt' | 'importance'>,
  use: RecordUse | undefined,
  { recency, importance = 0, accesses = 0 }: RankingWeights,
): number {
  const recent = recency ? recency.weight * recencyShare(use?.accessedAt ?? record.createdAt, recency.now, recency.halfLife) : 0
  return recent + importance * (record.importance ?? 0) + accesses * (1 - 1 / (1 + (use?.accesses ?? 0)))
}

/** Halves with every half-life. A time that is unknown counts for nothing, one that lies ahead (the clock was set back) as now. */
function recencyShare(at: number | undefined, now: number, halfLife: number): number {
  return at === undefined ? 0 : 0.5 ** (Math.max(0, now - at) / halfLife)
}
