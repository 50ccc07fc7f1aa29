import type { MemoryRecord } from './memory-record.ts'

/**
 * Each score with a share of its better neighbour's: what stands next to a hit is likely to matter too, such as the question that an answer replies to.
 *
 * @param share from 0 to 1
 */
export function spreadScores(records: readonly Pick<MemoryRecord, 'documentId' | 'index'>[], scores: readonly number[], share: number): number[] {
  if (share === 0) return [...scores]
  const byPlace = new Map(records.map((record, at) => [placeKey(record, 0), scores[at] ?? 0]))
  return records.map((record, at) => {
    const beside = Math.max(byPlace.get(placeKey(record, -1)) ?? 0, byPlace.get(placeKey(record, 1)) ?? 0)
    return (scores[at] ?? 0) + share * beside
  })
}

function placeKey({ documentId, index }: Pick<MemoryRecord, 'documentId' | 'index'>, offset: number): string {
  return `${index + offset} ${documentId}`
}
