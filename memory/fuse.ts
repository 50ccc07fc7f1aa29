/** Joining the scores of two searches over one list of candidates. Pure functions over parallel lists. */

/**
 * Weighted sum of both lists, each normalised over the candidates so that its least is 0 and its greatest 1. Candidates need their true
 * scores in both lists: a missing one is 0 for words and the least similarity for vectors. Without any similarity, or without any word
 * matched, the other list decides alone.
 *
 * @param words BM25 scores, 0 where no word matched
 * @param similarities cosine similarities, undefined without a vector
 * @param vectorWeight share of the similarities, from 0 to 1
 * @returns scores from 0 to 1 in the order of the candidates
 */
export function fuseMinMax(words: readonly number[], similarities: readonly (number | undefined)[], vectorWeight = 0.5): number[] {
  const known = similarities.filter((similarity) => similarity !== undefined)
  const anyWord = words.some((score) => score > 0)
  const weight = known.length === 0 ? 0 : anyWord ? vectorWeight : 1
  const wordScale = createScale(words)
  const vectorScale = createScale(known)
  return words.map((score, index) => (1 - weight) * wordScale(score) + weight * vectorScale(similarities[index]))
}

/** Rank fusion's constant (Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion", 2009). */
const rankConstant = 60

/**
 * Reciprocal rank fusion: the sum of 1 / (60 + rank) over both lists. It forgets by how much one candidate beats another and measured
 * below plain BM25: for comparison only.
 */
export function fuseRank(words: readonly number[], similarities: readonly (number | undefined)[]): number[] {
  const wordRanks = rank(words.map((score) => (score > 0 ? score : undefined)))
  const vectorRanks = rank(similarities)
  return words.map((_, index) => reciprocal(wordRanks[index]) + reciprocal(vectorRanks[index]))
}

/** Maps the least value to 0 and the greatest to 1; equal values to 1, unless all are 0. */
function createScale(values: readonly number[]): (value: number | undefined) => number {
  let least = Infinity
  let greatest = -Infinity
  for (const value of values) {
    if (value < least) least = value
    if (value > greatest) greatest = value
  }
  if (least === greatest) return (value) => (value === undefined || value === 0 ? 0 : 1)
  return (value) => (value === undefined ? 0 : (value - least) / (greatest - least))
}

/** Ranks from 1, best first; equal scores share the better rank. */
function rank(scores: readonly (number | undefined)[]): (number | undefined)[] {
  const sorted = scores.filter((score) => score !== undefined).toSorted((a, c) => c - a)
  const ranks = new Map<number, number>()
  for (const [index, score] of sorted.entries()) if (!ranks.has(score)) ranks.set(score, index + 1)
  return scores.map((score) => (score === undefined ? undefined : ranks.get(score)))
}

function reciprocal(position: number | undefined): number {
  return position === undefined ? 0 : 1 / (rankConstant + position)
}
