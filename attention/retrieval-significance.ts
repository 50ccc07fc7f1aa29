import { lastQueryLogits, type ScoredNode, type Significance } from './significance.ts'

export interface RetrievalOptions {
  /** The heads of a layer whose logits count, such as the best of a head profile; a layer without any scores nothing. */
  readonly heads: (layer: number) => readonly number[]
  /** Tokens, the neighbours included, of which each takes the best score; odd; 9 by default, 1 for none. */
  readonly width?: number
  /** Whether a token keeps the best score that it ever got; true by default. */
  readonly carry?: boolean
}

/**
 * Significance by the heads that retrieve, for models on which the highest logit of any head says little. The logits of each chosen head are standardised
 * over the node and averaged; a token takes the best score among its neighbours, since a fact whose words around it are gone cannot be copied; and what
 * a good layer found is not lost in a poor one.
 *
 * @throws RangeError when `width` is not odd
 */
export function retrievalSignificance({ heads, width = 9, carry = true }: RetrievalOptions): Significance {
  if (!(Number.isInteger(width) && width > 0 && width % 2 === 1))
    throw new RangeError(`Cannot pool over neighbours as the width is not odd: ${width}`)
  return (node) => {
    const pooled = poolNeighbours(standardised(node, heads(node.layer)), (width - 1) / 2)
    return carry ? pooled.map((score, token) => Math.max(score, node.carried[token] ?? -Infinity)) : pooled
  }
}

/** Mean over heads of the logits, each head's with mean 0 and deviation 1 over the node. */
function standardised(node: ScoredNode, heads: readonly number[]): Float32Array {
  const tokens = node.positions.length
  const scores = new Float32Array(tokens)
  if (heads.length === 0) return scores
  const logits = lastQueryLogits(node)
  for (const head of heads) {
    const own = logits.subarray(head * tokens, (head + 1) * tokens)
    const mean = own.reduce((sum, logit) => sum + logit, 0) / tokens
    const deviation = Math.sqrt(own.reduce((sum, logit) => sum + (logit - mean) ** 2, 0) / tokens) || 1
    for (let token = 0; token < tokens; token++)
      scores[token] = (scores[token] as number) + ((own[token] as number) - mean) / deviation / heads.length
  }
  return scores
}

/** The best score within `reach` tokens to either side. */
function poolNeighbours(scores: Float32Array, reach: number): Float32Array {
  return scores.map((_, token) => {
    let best = -Infinity
    for (let other = Math.max(0, token - reach); other <= Math.min(scores.length - 1, token + reach); other++)
      best = Math.max(best, scores[other] as number)
    return best
  })
}
