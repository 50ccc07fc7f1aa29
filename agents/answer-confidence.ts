import type { Quote } from './communication-unit.ts'

type Scored = Pick<Quote, 'signals' | 'score' | 'text'>

/** How sure it is that the best of the ranked quotations answers, from 0 to 1. */
export function answerConfidence(_question: string, ranked: readonly Scored[]): number {
  return ranked.length > 0 ? 1 : 0
}
