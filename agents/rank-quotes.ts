/** How quotations of a quoting worker are ranked, and whether the best of them answers at all. */
import type { Quote } from './communication-unit.ts'

type Scored = Pick<Quote, 'signals' | 'score'>

/** Gain for each token of the question from which a passage is taken to be about it (see `bench squad`). */
const ABOUT = 0.25

/** Whether a passage makes its question clearly more likely than no passage does. */
export function isAboutQuestion({ score = 0 }: Scored): boolean {
  return score >= ABOUT
}

/**
 * Best first: the likelihood of the question under each passage and the score of the retrieval that chose it, each min-max normalised over
 * the candidates, added up. Either alone ranks worse (measured by `bench squad`). Ties keep the order of the document.
 */
export function rankQuotes<T extends Scored>(quotes: readonly T[]): (T & { readonly score: number })[] {
  const likelihoods = normalise(quotes.map(({ signals, score = 0 }) => signals?.['likelihood'] ?? score))
  const retrievals = normalise(quotes.map(({ signals }) => signals?.['retrieval'] ?? 0))
  return quotes
    .map((quote, place) => ({ ...quote, score: ((likelihoods[place] ?? 0) + (retrievals[place] ?? 0)) / 2 }))
    .toSorted((a, b) => b.score - a.score)
}

function normalise(values: readonly number[]): number[] {
  const least = Math.min(...values)
  const range = Math.max(...values) - least
  return values.map((value) => (range > 0 ? (value - least) / range : 0))
}
