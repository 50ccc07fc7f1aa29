import type { Candidate, RankedCandidate, RankedTraits } from './candidate.ts'
import { diversify } from './diversify.ts'
import { fuseMinMax, fuseRank } from './fuse.ts'
import type { MemoryHit, MemoryQuery } from './memory-store.ts'
import { weightOf } from './ranking-weights.ts'
import { spreadScores } from './spread-scores.ts'

/** Candidates taken from each list: more than the results, as the best of the sum need not lead either list. */
export function candidateLimit(k: number): number {
  return Math.max(50, Math.min(4 * k, k + 100))
}

/**
 * Keys of the records that both lists propose.
 *
 * @param words BM25 scores of the records that match, all or at least the best `candidateLimit`
 * @param nearest keys of the records nearest to the query vector, at least `candidateLimit` where there are as many
 */
export function candidateKeys(words: ReadonlyMap<number, number>, nearest: Iterable<number>, query: MemoryQuery): Set<number> {
  const { k, fusion = 'min-max' } = query
  return new Set([...(fusion === 'vectors' ? [] : bestKeys(words, candidateLimit(k))), ...(fusion === 'words' ? [] : nearest)])
}

/** Joins both scores of every candidate and adds the weights: all of them, best first. The neighbours of the first `k` are for the store to add. */
export function rankCandidates<Traits extends RankedTraits>(
  candidates: readonly Candidate<Traits>[],
  query: MemoryQuery,
): RankedCandidate<Traits>[] {
  const { fusion = 'min-max', neighbours = 0, spread = 0, weights } = query
  const records = candidates.map(({ record }) => record)
  const fused = spreadScores(records, fuse(candidates, fusion), spread, Math.max(1, neighbours))
  return candidates
    .map((candidate, at) => ({
      ...candidate,
      score: (fused[at] ?? 0) + (weights ? weightOf(candidate.record, candidate.use, weights) : 0),
    }))
    .toSorted(compareRanked)
}

/** The results: the first `k`, or as many that differ where the query asks for it. */
export function chooseHits(ranked: readonly RankedCandidate[], { k, relevance = 1 }: MemoryQuery): MemoryHit[] {
  const chosen = relevance < 1 ? diversify(ranked, k, relevance) : ranked.slice(0, k)
  return chosen.map(({ record, score, words, similarity }) => ({ record, score, words, similarity }))
}

/** One search as a store in reach sees it. */
export interface CandidateSource<Traits extends RankedTraits> {
  /** As for `candidateKeys`. */
  readonly words: ReadonlyMap<number, number>
  readonly nearest: Iterable<number>
  load(keys: readonly number[]): readonly Candidate<Traits>[]
  /** Keys of the records in the document of one of these whose index is at most `reach` away from its, and that the query's filter lets through. */
  neighbours(records: readonly Traits[], reach: number): Iterable<number>
  /** The same with their whole records. */
  complete(candidates: readonly RankedCandidate<Traits>[]): readonly RankedCandidate[]
}

/** A whole search: joins both lists, widens the best by their neighbours, and chooses the results. */
export function searchCandidates<Traits extends RankedTraits>(source: CandidateSource<Traits>, query: MemoryQuery): MemoryHit[] {
  const { k, neighbours = 0, relevance = 1 } = query
  const choose = (ranked: readonly RankedCandidate<Traits>[]): MemoryHit[] =>
    chooseHits(source.complete(relevance < 1 ? ranked : ranked.slice(0, k)), query)
  const keys = candidateKeys(source.words, source.nearest, query)
  const found = source.load(Array.from(keys))
  const ranked = rankCandidates(found, query)
  if (neighbours === 0 || ranked.length === 0) return choose(ranked)
  const hits = ranked.slice(0, k).map(({ record }) => record)
  for (const key of source.neighbours(hits, neighbours)) keys.add(key)
  const added = Array.from(keys).slice(found.length)
  return choose(rankCandidates([...found, ...source.load(added)], query))
}

/** Keys of the greatest scores, best first; ties in order of arrival. */
export function bestKeys(scores: ReadonlyMap<number, number>, limit: number): number[] {
  return bestOf(Array.from(scores.keys()), Float64Array.from(scores.values()), limit)
}

/** As `bestKeys`, for two lists of one length. */
export function bestOf(keys: readonly number[], scores: Float64Array, limit: number): number[] {
  // Finding the least score that counts first leaves few pairs to sort: a typed array of numbers sorts far faster than pairs.
  const least = scores.length > limit ? (scores.slice().sort()[scores.length - limit] as number) : -Infinity
  const found: [number, number][] = []
  for (const [at, key] of keys.entries()) {
    const score = scores[at] as number
    if (score >= least) found.push([key, score])
  }
  found.sort(([firstKey, first], [secondKey, second]) => second - first || firstKey - secondKey)
  return found.slice(0, limit).map(([key]) => key)
}

function fuse(candidates: readonly Candidate<RankedTraits>[], fusion: NonNullable<MemoryQuery['fusion']>): number[] {
  const words = candidates.map((candidate) => candidate.words)
  const similarities = candidates.map((candidate) => candidate.similarity)
  if (fusion === 'words') return words
  if (fusion === 'vectors') return similarities.map((similarity) => similarity ?? -1)
  return fusion === 'rank' ? fuseRank(words, similarities) : fuseMinMax(words, similarities)
}

function compareRanked(first: RankedCandidate<RankedTraits>, second: RankedCandidate<RankedTraits>): number {
  return second.score - first.score || comparePlaces(first.record, second.record)
}

/** Order of document, index and id. */
export function comparePlaces(first: RankedTraits, second: RankedTraits): number {
  return compareText(first.documentId, second.documentId) || first.index - second.index || compareText(first.id, second.id)
}

/** Order of UTF-16 code units. */
export function compareText(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0
}
