import { fuseMinMax, fuseRank } from './fuse.ts'
import type { MemoryQuery } from './memory-store.ts'

/** What ranking must know of a record. `key` is the store's own number of it, in order of arrival. */
export interface Candidate {
  readonly key: number
  readonly id: string
  readonly documentId: string
  readonly index: number
  /** BM25 score, 0 when no word matched. */
  readonly words: number
  /** Cosine similarity; undefined without vectors. */
  readonly similarity: number | undefined
}

export interface RankedCandidate extends Candidate {
  readonly score: number
}

/** One search as a store sees it. */
export interface CandidateSource {
  /** BM25 scores of every record that matches. */
  readonly words: ReadonlyMap<number, number>
  /** Keys of the records nearest to the query vector, at least `candidateLimit` of them where there are as many. */
  readonly nearest: readonly number[]
  /** The record's true scores, whichever list found it. */
  load(key: number): Candidate
  /** Keys of records of the same document whose index is at most `reach` away. */
  neighbours(candidate: Candidate, reach: number): Iterable<number>
}

/** Candidates taken from each list: more than the results, as the best of the sum need not lead either list. */
export function candidateLimit(k: number): number {
  return Math.max(50, 4 * k)
}

/** Joins both lists, widens the best by their neighbours, and returns the best `k`. */
export function rankCandidates(source: CandidateSource, query: MemoryQuery): RankedCandidate[] {
  const { k, neighbours = 0, fusion = 'min-max' } = query
  const keys = new Set<number>()
  if (fusion !== 'vectors') for (const key of bestKeys(source.words, candidateLimit(k))) keys.add(key)
  if (fusion !== 'words') for (const key of source.nearest) keys.add(key)
  const found = Array.from(keys, (key) => source.load(key))
  const ranked = rankAll(found, fusion).slice(0, k)
  if (neighbours === 0 || ranked.length === 0) return ranked
  for (const hit of ranked) for (const key of source.neighbours(hit, neighbours)) keys.add(key)
  const added = Array.from(keys).slice(found.length)
  return rankAll([...found, ...added.map((key) => source.load(key))], fusion).slice(0, k)
}

/** Keys of the greatest scores, best first; ties in order of arrival. */
export function bestKeys(scores: ReadonlyMap<number, number>, limit: number): number[] {
  // Finding the least score that counts first leaves few pairs to sort: a typed array of numbers sorts far faster than pairs.
  const ascending = Float64Array.from(scores.values()).sort()
  const least = ascending[Math.max(0, ascending.length - limit)] ?? 0
  return Array.from(scores)
    .filter(([, score]) => score >= least)
    .toSorted(([firstKey, first], [secondKey, second]) => second - first || firstKey - secondKey)
    .slice(0, limit)
    .map(([key]) => key)
}

function rankAll(candidates: readonly Candidate[], fusion: NonNullable<MemoryQuery['fusion']>): RankedCandidate[] {
  const scores = fuse(candidates, fusion)
  return candidates.map((candidate, index) => ({ ...candidate, score: scores[index] ?? 0 })).toSorted(compareRanked)
}

function fuse(candidates: readonly Candidate[], fusion: NonNullable<MemoryQuery['fusion']>): number[] {
  const words = candidates.map((candidate) => candidate.words)
  const similarities = candidates.map((candidate) => candidate.similarity)
  if (fusion === 'words') return words
  if (fusion === 'vectors') return similarities.map((similarity) => similarity ?? -1)
  return fusion === 'rank' ? fuseRank(words, similarities) : fuseMinMax(words, similarities)
}

function compareRanked(first: RankedCandidate, second: RankedCandidate): number {
  return second.score - first.score || comparePlaces(first, second)
}

type Place = Pick<Candidate, 'id' | 'documentId' | 'index'>

/** Order of document, index and id. */
export function comparePlaces(first: Place, second: Place): number {
  return compareText(first.documentId, second.documentId) || first.index - second.index || compareText(first.id, second.id)
}

function compareText(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0
}
