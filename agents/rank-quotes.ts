/** How quotations of a quoting worker are ranked. The weights come from `bench squad`'s development half. */
import { answerType } from './answer-type.ts'
import type { Quote } from './communication-unit.ts'
import { signalsOf } from './quote-signals.ts'

type Scored = Pick<Quote, 'signals' | 'text'>

/** Gain for each token of the question from which a passage is taken to be about it. */
const ABOUT = 0.25
/** Weight of the kind of answer beside the three normalised scores. */
const TYPE_WEIGHT = 0.5

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
  const lists = (['likelihood', 'words', 'similarity'] as const).map((name) => normalise(signals.map((values) => values[name])))
  return quotes
    .map((quote, at) => {
      const sum = lists.reduce((total, list) => total + (list[at] ?? 0), TYPE_WEIGHT * answerType(question, quote.text))
      return { ...quote, score: sum / (lists.length + TYPE_WEIGHT) }
    })
    .toSorted((a, b) => b.score - a.score)
}

function normalise(values: readonly number[]): number[] {
  const least = Math.min(...values)
  const range = Math.max(...values) - least
  return values.map((value) => (range > 0 ? (value - least) / range : 0))
}
