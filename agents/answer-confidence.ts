/**
 * Whether the best quotations answer at all. A small model never says "nothing here", and a question made to have no answer (SQuAD 2.0) still
 * has a sentence that is about it; so the signs are looked for that its likelihood and its words give.
 */
import { answerType } from './answer-type.ts'
import type { Quote } from './communication-unit.ts'
import { signalsOf } from './quote-signals.ts'

type Scored = Pick<Quote, 'signals' | 'text'>

/** Logistic regression over 282 answerable and 227 impossible questions of SQuAD's development half (ten-fold: AUC 0.74). */
const WEIGHTS = { weakest: 0.08, similarity: 3.11, type: 0.73, negation: -2.74, names: -1.19, numbers: -1.93, bias: -1.7 } as const

const NEGATION = /\b(?:not|never|no|none|without|except|cannot|neither|nor)\b|n['’]t\b/i
const NAME = /(?<!^)\b\p{Lu}[\p{L}-]+/gu
const NUMBER = /\d+/g

/** What of a question its quotations leave open. */
export interface OpenWords {
  /** The question is negated: what is not so seldom stands in a sentence. */
  readonly negation: boolean
  /** Names of the question that they do not hold. */
  readonly names: number
  /** A number of the question that they do not hold. */
  readonly numbers: boolean
}

export function openWords(question: string, evidence: string): OpenWords {
  const held = evidence.toLowerCase()
  return {
    negation: NEGATION.test(question),
    names: (question.match(NAME) ?? []).filter((name) => !held.includes(name.toLowerCase())).length,
    numbers: (question.match(NUMBER) ?? []).some((number) => !held.includes(number)),
  }
}

/**
 * How sure it is that the answer stands in the best quotation, from 0 to 1.
 *
 * @param ranked all candidates, best first
 * @param evidence the best quotation with what is shown beside it, and the titles above it
 */
export function answerConfidence(question: string, ranked: readonly Scored[], evidence: string): number {
  const [best] = ranked
  if (best === undefined) return 0
  const { negation, names, numbers } = openWords(question, evidence)
  const similarity = Math.max(...ranked.map((quote) => signalsOf(quote).similarity))
  const sum =
    WEIGHTS.bias +
    WEIGHTS.weakest * signalsOf(best).weakest +
    WEIGHTS.similarity * similarity +
    WEIGHTS.type * answerType(question, evidence) +
    WEIGHTS.negation * Number(negation) +
    WEIGHTS.names * names +
    WEIGHTS.numbers * Number(numbers)
  return 1 / (1 + Math.exp(-sum))
}
