import type { AttentionHead } from './attend.ts'
import { checkWidth, finish, headLogits, type ScoredNode, type ScoreOptions, type SeenLayer, type Significance } from './significance.ts'

export interface RetrievalOptions extends ScoreOptions {
  /** The heads that count, such as the best of a head profile. */
  readonly heads: readonly AttentionHead[]
  /** Last tokens of the suffix whose weights count; the whole suffix by default. */
  readonly rows?: number
  /** Tokens, the neighbours included, of which each takes the best score; odd; 33 by default, about a sentence, and 1 for none. */
  readonly width?: number
  /** Whether a token keeps the best score that it ever got; true by default. */
  readonly carry?: boolean
}

/**
 * Significance by the heads that retrieve, for models on which the highest logit of any head says little: how much of the weight of each chosen head
 * that the node ran lies on a token, on average over the question's tokens, and of that the logarithm, on average over the heads. Weights can be
 * compared across nodes, as a head that finds nothing looks at the node's first token. A token takes the best score among its neighbours, since a fact
 * whose words around it are gone cannot be copied; and what good layers found is not lost in poor ones.
 *
 * @throws RangeError when there are no heads, `rows` is not above 0, or `width` is not odd
 */
export function retrievalSignificance({ heads, rows = Infinity, width = 33, carry = true }: RetrievalOptions): Significance {
  checkWidth(width)
  if (heads.length === 0) throw new RangeError('Cannot score tokens by heads that retrieve as there are none')
  if (!(rows >= 1)) throw new RangeError(`Cannot score tokens as rows is not a number above 0: ${rows}`)
  const layers = [...new Set(heads.map(({ layer }) => layer))].toSorted((a, b) => a - b)
  return {
    layers: (from, to) => layers.filter((layer) => layer >= from && layer < to),
    rows,
    score: (node) => {
      const { context, carried } = node
      return node.seen.length === 0 ? carried : finish(meanOfHeads(node, heads), { width, carry, context, carried })
    },
  }
}

/** Mean over heads of the logarithms of their weights [tokens]. */
function meanOfHeads(node: ScoredNode, heads: readonly AttentionHead[]): Float32Array {
  const scores = new Float32Array(node.positions.length)
  const own = node.seen.flatMap((seen) => heads.filter(({ layer }) => layer === seen.layer).map(({ head }) => ({ seen, head })))
  for (const { seen, head } of own) {
    for (const [token, weight] of meanWeights(node, seen, head).entries())
      scores[token] = (scores[token] as number) + Math.log(weight + leastWeight) / own.length
  }
  return scores
}

/** Weights far below this are all alike: nobody looks there. */
const leastWeight = 1e-4

/** Attention weights of a head [tokens], their mean over the rows seen, which are those of the node's last tokens. */
function meanWeights({ config }: ScoredNode, seen: SeenLayer, head: number): Float32Array {
  const rows = seen.queries.length / (config.heads * config.headDim)
  const means = new Float32Array(seen.keys.length / (config.kvHeads * config.headDim))
  for (let row = 0; row < rows; row++) {
    const logits = headLogits(config, seen, row, head).subarray(0, means.length - rows + row + 1)
    const most = logits.reduce((best, logit) => Math.max(best, logit), -Infinity)
    const powers = logits.map((logit) => Math.exp(logit - most))
    const total = powers.reduce((sum, power) => sum + power, 0)
    for (const [token, power] of powers.entries()) means[token] = (means[token] as number) + power / total / rows
  }
  return means
}
