/** What is known of a candidate before it is ranked. Recorded with the quotation, so that whoever joins several workers can rank anew. */
export interface QuoteSignals {
  /** log P(question | passage), natural logarithm. */
  readonly likelihood: number
  /** log P(question | no passage). */
  readonly baseline: number
  /** Tokens of the question. */
  readonly tokens: number
  /** The least gain of any token of the question: far below 0 where the passage speaks against a word of it. */
  readonly weakest: number
  /** How much the model looked at it while it read the question, from 0 to 1; 0 where it was not watched. */
  readonly evidence: number
  /** BM25 score of the retrieval. */
  readonly words: number
  /** Cosine similarity to the question, or 0 without vectors. */
  readonly similarity: number
}

/** Signals of a quotation that has some. */
export function signalsOf({ signals }: { readonly signals?: Readonly<Record<string, number>> }): QuoteSignals {
  const { likelihood = 0, baseline = 0, tokens = 1, weakest = 0, evidence = 0, words = 0, similarity = 0 } = signals ?? {}
  return { likelihood, baseline, tokens, weakest, evidence, words, similarity }
}
