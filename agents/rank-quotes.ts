/** How quotations of a quoting worker are ranked. The weights come from `bench squad`'s development half. */
import { answerType } from './answer-type.ts'
import type { Quote } from './communication-unit.ts'
import { signalsOf } from './quote-signals.ts'

type Scored = Pick<Quote, 'signals' | 'text'>

/** Gain for each token of the question from which a passage is taken to be about it. */
const ABOUT = 0.25
/** Weights of the normalised scores, and of the kind of answer beside them. */
const WEIGHTS = { words: 1, similarity: 1.3, likelihood: 0.8, evidence: 0.8, type: 0.8 } as const

/** Gain of the question's likelihood through a passage, for each token. */
export function gainOf(quote: Pick<Scored, 'signals'>): number {
  const { likelihood, baseline, tokens } = signalsOf(quote)
  return (likelihood - baseline) / Math.max(1, tokens)
}

/** Whether a passage makes its question clearly more likely than no passage does. */
export function isAboutQuestion(quote: Pick<Scored, 'signals'>): boolean {
  return gainOf(quote) >= ABOUT
}

/**
 * Best first: the likelihood of the question under each passage, how much the model looked at it, BM25 and cosine similarity, each min-max
 * normalised over the candidates that have it, and the kind of thing that is asked for. None of them alone ranks as well. Scores lie from 0 to 1;
 * ties keep the order given.
 */
export function rankQuotes<T extends Scored>(question: string, quotes: readonly T[]): (T & { readonly score: number })[] {
  const names = ['words', 'similarity', 'likelihood', 'evidence'] as const
  const shares = names.map((name) => normalise(quotes.map(({ signals }) => signals?.[name])).map((share) => WEIGHTS[name] * share))
  const most = Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0)
  return quotes
    .map((quote, at) => {
      const type = WEIGHTS.type * answerType(question, quote.text)
      return { ...quote, score: shares.reduce((sum, share) => sum + (share[at] ?? 0), type) / most }
    })
    .toSorted((a, b) => b.score - a.score)
}

/** From 0 to 1 over the values that are known; those that are not count as the least. */
function normalise(values: readonly (number | undefined)[]): number[] {
  const known = values.filter((value) => value !== undefined)
  const least = Math.min(...known)
  const range = Math.max(...known) - least
  return values.map((value) => (value !== undefined && range > 0 ? (value - least) / range : 0))
}
