import type { RankedCandidate } from './candidate.ts'
import { cosineSimilarity } from './vectors.ts'
import { recordTerms } from './words.ts'

/**
 * Maximal marginal relevance (Carbonell and Goldstein, 1998): one candidate after the other, each the one whose score, less its likeness to what
 * was chosen before, is greatest. Scores count as shares of the greatest, likeness is cosine similarity or, where a vector is missing, the
 * share of common words.
 *
 * @param ranked best first
 * @param relevance share of the score, from 0 to 1, against likeness
 * @returns at most `limit` candidates in the order in which they were chosen
 */
export function diversify(ranked: readonly RankedCandidate[], limit: number, relevance: number): RankedCandidate[] {
  const scale = Math.max(ranked[0]?.score ?? 0, 0) || 1
  const likenesses = new Float64Array(ranked.length)
  const open = new Set(ranked.keys())
  const chosen: RankedCandidate[] = []
  const like = createLikeness()
  const gain = (at: number): number => (relevance * (ranked[at]?.score ?? 0)) / scale - (1 - relevance) * (likenesses[at] ?? 0)
  while (open.size > 0 && chosen.length < limit) {
    const best = Array.from(open).reduce((first, second) => (gain(second) > gain(first) ? second : first))
    const candidate = ranked[best] as RankedCandidate
    chosen.push(candidate)
    open.delete(best)
    for (const at of open) likenesses[at] = Math.max(likenesses[at] ?? 0, like(candidate, ranked[at] as RankedCandidate))
  }
  return chosen
}

/** Likeness from 0 to 1; the words of a record are split once. */
function createLikeness(): (first: RankedCandidate, second: RankedCandidate) => number {
  const terms = new Map<number, ReadonlySet<string>>()
  const termsOf = ({ key, record }: RankedCandidate): ReadonlySet<string> => {
    const known = terms.get(key) ?? new Set(recordTerms(record))
    terms.set(key, known)
    return known
  }
  return (first, second) => {
    if (first.record.vector && second.record.vector) return Math.max(0, cosineSimilarity(first.record.vector, second.record.vector))
    return sharedTerms(termsOf(first), termsOf(second))
  }
}

/** Common terms over all terms (Jaccard). */
function sharedTerms(first: ReadonlySet<string>, second: ReadonlySet<string>): number {
  let common = 0
  for (const term of first) if (second.has(term)) common++
  return common === 0 ? 0 : common / (first.size + second.size - common)
}
