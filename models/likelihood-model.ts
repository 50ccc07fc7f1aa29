/** A condition and what is scored under it. */
export interface LikelihoodQuery {
  /** Text before the scored text; may be empty where the model's rule puts a start token before it. */
  readonly prefix: string
  /** Text whose tokens are scored. */
  readonly text: string
}

/** Result of one scored text. */
export interface Likelihood {
  /** Sum of log P(token), natural logarithm. */
  readonly logProb: number
  /** log P of each token, in order. */
  readonly tokens: readonly number[]
}

/** The likelihood of a text, of those of its tokens. */
export function likelihoodOf(tokens: readonly number[]): Likelihood {
  return { logProb: tokens.reduce((sum, logProb) => sum + logProb, 0), tokens }
}

export interface LikelihoodOptions {
  readonly signal?: AbortSignal
  /** Lower runs first; 0 by default. Foreground questions overtake background work. */
  readonly priority?: number
}

/** A span of the source, in UTF-16 code units, copied by the model. */
export interface CopiedSpan {
  readonly start: number
  readonly end: number
  /** Mean log-probability a token under the constraint. */
  readonly logProb: number
}

/**
 * A local model that exposes likelihoods: the work-horse of the quoting worker (a small model judges far better than it writes).
 * Strings are tokenised as the model's own text, in which special tokens are plain text; before a prefix or prompt stands the start token where the
 * model's rule has one.
 */
export interface LikelihoodModel {
  /** Name, file hash and weight form: part of every cache key. */
  readonly id: string
  /** Longest sequence in tokens. */
  readonly window: number
  /** Tokens of `text`, exactly, without a round trip to the worker. */
  count(text: string): number
  /** log P(text | prefix) for each query, in order. Queries that share a prefix share its cache. */
  logProbs(queries: readonly LikelihoodQuery[], options?: LikelihoodOptions): Promise<Likelihood[]>
  /**
   * Verbatim-constrained decode: continues `prompt` by copying from `source`, each step going only where the source text goes, and returns
   * the best span of at most `maxTokens` tokens. Spans begin and end at word borders.
   */
  copy(prompt: string, source: string, options: LikelihoodOptions & { readonly maxTokens: number }): Promise<CopiedSpan | undefined>
}

/** Whether a model exposes likelihoods. */
export function isLikelihoodModel(model: object): model is LikelihoodModel {
  return 'logProbs' in model && typeof model.logProbs === 'function' && 'copy' in model
}
