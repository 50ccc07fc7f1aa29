import type { MemoryRecord } from './memory-record.ts'

/**
 * Each score with a share of its best neighbour's: what stands near a hit is likely to matter too, such as the question that an answer
 * replies to.
 *
 * @param share from 0 to 1
 * @param reach how many places away a neighbour may be
 */
export function spreadScores(
  records: readonly Pick<MemoryRecord, 'documentId' | 'index'>[],
  scores: readonly number[],
  share: number,
  reach: number,
): number[] {
  if (share === 0) return [...scores]
  const byPlace = new Map(records.map((record, at) => [placeKey(record, 0), scores[at] ?? 0]))
  return records.map((record, at) => {
    let best = 0
    for (let away = 1; away <= reach; away++) {
      best = Math.max(best, byPlace.get(placeKey(record, -away)) ?? 0, byPlace.get(placeKey(record, away)) ?? 0)
    }
    return (scores[at] ?? 0) + share * best
  })
}

function placeKey({ documentId, index }: Pick<MemoryRecord, 'documentId' | 'index'>, offset: number): string {
  return `${index + offset} ${documentId}`
}
