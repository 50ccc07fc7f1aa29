import type { Likelihood, LikelihoodModel, LikelihoodOptions, LikelihoodQuery } from './likelihood-model.ts'

/** A part of a query's prefix, in UTF-16 code units. */
export interface PrefixSpan {
  readonly start: number
  readonly end: number
}

/** A text to be scored, and the parts of its prefix that may be what it is about. */
export interface EvidenceQuery extends LikelihoodQuery {
  readonly spans: readonly PrefixSpan[]
}

/** How likely a text is, and where the model looked while it read it. */
export interface Evidence extends Likelihood {
  /**
   * For each span, how much the heads that retrieve looked at it, from 0 to 1: the mean, over heads and over the text's tokens but the last, of the
   * largest attention weight of any token in the span.
   */
  readonly weights: readonly number[]
}

/** A likelihood model that also tells where it looked. */
export interface EvidenceModel extends LikelihoodModel {
  /** Heads that are watched; without any, `evidence` cannot be asked for. */
  readonly evidenceHeads: number
  /** log P(text | prefix) of each query, and the weight of each of its spans, from the one pass that `logProbs` takes. */
  evidence(queries: readonly EvidenceQuery[], options?: LikelihoodOptions): Promise<Evidence[]>
}

/** Whether a model can tell where it looked. */
export function isEvidenceModel(model: object): model is EvidenceModel {
  return 'evidence' in model && typeof model.evidence === 'function' && 'evidenceHeads' in model && Number(model.evidenceHeads) > 0
}
