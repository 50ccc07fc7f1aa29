import type { MemoryRecord } from './memory-record.ts'
import type { MemoryHit, MemoryStore } from './memory-store.ts'
import { compareText } from './rank-candidates.ts'
import { isExpired } from './record-filter.ts'

export interface CoRecallOptions {
  /** Most records to add; 4 by default. */
  readonly limit?: number
  /** What a record that was always recalled with a hit scores, as a share of the hit's score; 0.5 by default. */
  readonly weight?: number
  /** Records looked at for each hit; 8 by default. */
  readonly perHit?: number
  /** The current time: what has expired by then is left out. */
  readonly now?: number
  /** What else a record must be, such as of one conversation; expansion does not know the filter of the search. */
  readonly accept?: (record: MemoryRecord) => boolean
}

/**
 * Adds to the hits of a search what was recalled together with them before, though it shares neither words nor meaning with the query. A
 * record's score is the best of score(hit) × weight × w(hit → record), where w is how many of the hit's recalls had the record beside it:
 * Memoria's connection weight C[i][j] / C[i][i] (arXiv 2310.03052). Hits keep their order and come first.
 */
export async function expandByCoRecall(
  store: MemoryStore,
  hits: readonly MemoryHit[],
  options: CoRecallOptions = {},
): Promise<MemoryHit[]> {
  const { limit = 4, weight = 0.5, perHit = 8, now, accept = () => true } = options
  const present = new Set(hits.map(({ record }) => record.id))
  const scores = new Map<string, { readonly scope: string; readonly score: number }>()
  for (const { record, score } of hits) {
    const { accesses = 0 } = (await store.use(record.scope, record.id)) ?? {}
    for (const { id, count } of await store.coRecalled(record.scope, record.id, perHit)) {
      const share = score * weight * Math.min(1, count / Math.max(1, accesses))
      if (!present.has(id) && share > (scores.get(id)?.score ?? 0)) scores.set(id, { scope: record.scope, score: share })
    }
  }
  const added: MemoryHit[] = []
  const ranked = [...scores].toSorted(([one, first], [other, second]) => second.score - first.score || compareText(one, other))
  for (const [id, { scope, score }] of ranked) {
    if (added.length >= limit) break
    const record = await store.get(scope, id)
    if (!record || (now !== undefined && isExpired(record, now)) || !accept(record)) continue
    added.push({ record, score, words: 0, similarity: undefined })
  }
  return [...hits, ...added]
}
