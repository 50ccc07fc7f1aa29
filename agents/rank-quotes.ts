/** How quotations of a quoting worker are ranked. The weights come from `bench squad`'s development half. */
import { answerType } from './answer-type.ts'
import type { Quote } from './communication-unit.ts'
import { signalsOf } from './quote-signals.ts'

type Scored = Pick<Quote, 'signals' | 'text'>

/** Gain for each token of the question from which a passage is taken to be about it. */
const ABOUT = 0.25
/** Weights of the three normalised scores, and of the kind of answer beside them. */
const WEIGHTS = { words: 1, similarity: 1.3, likelihood: 0.8, type: 0.8 } as const

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
 * Best first: the likelihood of the question under each passage, BM25 and cosine similarity, each min-max normalised over the candidates,
 * and the kind of thing that is asked for. None of them alone ranks as well. Scores lie from 0 to 1; ties keep the order given.
 */
export function rankQuotes<T extends Scored>(question: string, quotes: readonly T[]): (T & { readonly score: number })[] {
  const signals = quotes.map(signalsOf)
  const [words, similarities, likelihoods] = (['words', 'similarity', 'likelihood'] as const).map((name) => {
    return normalise(signals.map((values) => values[name])).map((value) => WEIGHTS[name] * value)
  })
  const most = Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0)
  return quotes
    .map((quote, at) => {
      const type = WEIGHTS.type * answerType(question, quote.text)
      return { ...quote, score: ((words?.[at] ?? 0) + (similarities?.[at] ?? 0) + (likelihoods?.[at] ?? 0) + type) / most }
    })
    .toSorted((a, b) => b.score - a.score)
}

function normalise(values: readonly number[]): number[] {
  const least = Math.min(...values)
  const range = Math.max(...values) - least
  return values.map((value) => (range > 0 ? (value - least) / range : 0))
}
