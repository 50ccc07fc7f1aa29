import type { AttentionHead } from './attend.ts'
import { checkWidth, finish, headLogits, type ScoredNode, type ScoreOptions, type Significance } from './significance.ts'

export interface RetrievalOptions extends ScoreOptions {
  /** The heads whose logits count, such as the best of a head profile. */
  readonly heads: readonly AttentionHead[]
  /** Last tokens of the suffix that count; 1 by default. */
  readonly rows?: number
  /** Tokens, the neighbours included, of which each takes the best score; odd; 9 by default, 1 for none. */
  readonly width?: number
  /** Whether a token keeps the best score that it ever got; true by default. */
  readonly carry?: boolean
}

/**
 * Significance by the heads that retrieve, for models on which the highest logit of any head says little. The logits of each chosen head that the
 * node ran are standardised over its context and averaged; a token takes the best score among its neighbours, since a fact whose words around it are
 * gone cannot be copied; and what good layers found is not lost in poor ones.
 *
 * @throws RangeError when there are no heads, or `width` is not odd
 */
export function retrievalSignificance({ heads, rows = 1, width = 9, carry = true }: RetrievalOptions): Significance {
  checkWidth(width)
  if (heads.length === 0) throw new RangeError('Cannot score tokens by heads that retrieve as there are none')
  return {
    layers: (from, to) => [...new Set(heads.map(({ layer }) => layer))].filter((layer) => layer >= from && layer < to).toSorted((a, b) => a - b),
    rows,
    score: (node) => {
      const { context, carried } = node
      if (node.seen.length === 0) return carried
      return finish(standardised(node, heads), { width, carry, context, carried })
    },
  }
}

/** Mean over heads and rows of the logits, each head's and row's with mean 0 and deviation 1 over the context. */
function standardised({ config, seen, positions, context }: ScoredNode, heads: readonly AttentionHead[]): Float32Array {
  const scores = new Float32Array(positions.length)
  let terms = 0
  for (const one of seen) {
    const rows = one.queries.length / (config.heads * config.headDim)
    for (const { head } of heads.filter(({ layer }) => layer === one.layer)) {
      for (let row = 0; row < rows; row++) {
        const logits = headLogits(config, one, row, head).subarray(context.start, context.end)
        const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length
        const deviation = Math.sqrt(logits.reduce((sum, logit) => sum + (logit - mean) ** 2, 0) / logits.length) || 1
        for (const [index, logit] of logits.entries())
          scores[context.start + index] = (scores[context.start + index] as number) + (logit - mean) / deviation
        terms++
      }
    }
  }
  return scores.map((score) => score / terms)
}
