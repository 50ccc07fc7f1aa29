/** What of a text a merge kept, as spans of it: a hierarchical merge as a retriever. */

/** A part of the context in which tokens survived. */
export interface SurvivingSpan {
  /** Tokens [start, end) of the context. */
  readonly start: number
  readonly end: number
  /** How many of them survived. */
  readonly kept: number
  /** The best score of any of them. */
  readonly score: number
}

export interface SurvivingSpanOptions {
  /** Most tokens in a row that may be missing inside a span; 8 by default. */
  readonly gap?: number
  /** Most tokens of all spans together, of which those with the best scores are taken; all by default. */
  readonly most?: number
}

/**
 * The spans of the context that survived, in its order; they do not overlap.
 *
 * @param result `sources` and `scores` of a merge
 */
export function survivingSpans(
  { sources, scores }: { readonly sources: Int32Array; readonly scores: Float32Array },
  { gap = 8, most = Infinity }: SurvivingSpanOptions = {},
): SurvivingSpan[] {
  const spans: { start: number; end: number; kept: number; score: number }[] = []
  for (const [token, source] of sources.entries()) {
    if (source < 0) continue
    const score = scores[token] ?? -Infinity
    const last = spans.at(-1)
    if (last !== undefined && source - last.end <= gap) {
      last.end = source + 1
      last.kept++
      last.score = Math.max(last.score, score)
    } else spans.push({ start: source, end: source + 1, kept: 1, score })
  }
  return most === Infinity ? spans : bestSpans(spans, most)
}

function bestSpans(spans: readonly SurvivingSpan[], most: number): SurvivingSpan[] {
  let room = most
  const chosen: SurvivingSpan[] = []
  for (const span of spans.toSorted((a, b) => b.score - a.score || a.start - b.start)) {
    const length = span.end - span.start
    if (length > room) continue
    room -= length
    chosen.push(span)
  }
  return chosen.toSorted((a, b) => a.start - b.start)
}
