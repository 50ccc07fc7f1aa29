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
  /** Most survivors that count, those with the best scores; all by default. With the gaps between them spans may be a little longer. */
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
  const survivors = [...sources.keys()].filter((token) => (sources[token] ?? -1) >= 0)
  const best = survivors.toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b).slice(0, most)
  const spans: { start: number; end: number; kept: number; score: number }[] = []
  for (const token of best.toSorted((a, b) => a - b)) {
    const [source = 0, score = -Infinity] = [sources[token], scores[token]]
    const last = spans.at(-1)
    if (last !== undefined && source - last.end <= gap) {
      last.end = source + 1
      last.kept++
      last.score = Math.max(last.score, score)
    } else spans.push({ start: source, end: source + 1, kept: 1, score })
  }
  return spans
}
