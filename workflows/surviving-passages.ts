import { passages } from '../chunkers/index.ts'
import type { KeptToken } from '../models/index.ts'
import type { JoinedText } from './joined-text.ts'

/** A passage of which tokens survived a merge. */
export interface SurvivingPassage {
  /** Place of its document. */
  readonly document: number
  /** Span in the document, UTF-16 code units. */
  readonly start: number
  readonly end: number
  /** The best score of its tokens. */
  readonly score: number
  /** How many of its tokens survived. */
  readonly kept: number
}

/** Completes surviving tokens to the sentences that they stand in; best first, ties in the order of the text. */
export function survivingPassages({ parts }: JoinedText, tokens: readonly KeptToken[]): SurvivingPassage[] {
  const survivors: SurvivingPassage[] = []
  let at = 0
  for (const [index, { document, start: offset }] of parts.entries()) {
    for (const { start, end } of passages(document)) {
      let [score, kept] = [-Infinity, 0]
      while (at < tokens.length && (tokens[at]?.end ?? 0) <= offset + start) at++
      // A token that reaches over the end counts for the next passage too.
      for (let next = at; next < tokens.length && (tokens[next]?.start ?? 0) < offset + end; next++) {
        score = Math.max(score, tokens[next]?.score ?? 0)
        kept++
      }
      if (kept > 0) survivors.push({ document: index, start, end, score, kept })
    }
  }
  return survivors.toSorted((a, b) => b.score - a.score)
}
