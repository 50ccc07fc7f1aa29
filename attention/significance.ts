/** How much each token of a node matters to its last one: what a hierarchical merge prunes by. */
import type { DecoderConfig } from './decoder.ts'

/** What a significance sees of a node at the layer where it is pruned. */
export interface ScoredNode {
  readonly config: DecoderConfig
  readonly layer: number
  /** Rotated query of the last token, [heads headDim]. */
  readonly query: Float32Array
  /** Rotated keys, [tokens, kvHeads headDim]. */
  readonly keys: Float32Array
  readonly positions: Int32Array
  /** Scores that the tokens came with, [tokens]; -Infinity for those that have none. */
  readonly carried: Float32Array
}

/** Scores of a node's tokens [tokens]; the lowest are dropped. Those of prefix and suffix are not looked at. */
export type Significance = (node: ScoredNode) => Float32Array

/** Scaled products of the last query with every key, [heads, tokens], before any softmax; a key head serves heads / kvHeads query heads. */
export function lastQueryLogits({ config, query, keys, positions }: ScoredNode): Float32Array {
  const { heads, kvHeads, headDim } = config
  const tokens = positions.length
  const scale = 1 / Math.sqrt(headDim)
  const logits = new Float32Array(heads * tokens)
  for (let head = 0; head < heads; head++) {
    const own = query.subarray(head * headDim, (head + 1) * headDim)
    const keyHead = Math.floor(head / (heads / kvHeads)) * headDim
    for (let token = 0; token < tokens; token++) {
      const at = token * kvHeads * headDim + keyHead
      let sum = 0
      for (let unit = 0; unit < headDim; unit++) sum += (own[unit] as number) * (keys[at + unit] as number)
      logits[head * tokens + token] = sum * scale
    }
  }
  return logits
}

/** Mean logit by layer and distance, in positions; what a token would score for being near. */
export type DistanceBias = (layer: number, distance: number) => number

/**
 * The paper's rule (HOMER, arXiv 2404.10308, section 3.3): the highest logit of any head, less what the layer gives to any token at that distance.
 */
export function calibratedSignificance(bias: DistanceBias = () => 0): Significance {
  return (node) => {
    const { config, layer, positions } = node
    const logits = lastQueryLogits(node)
    const tokens = positions.length
    const last = positions[tokens - 1] ?? 0
    return Float32Array.from(positions, (position, token) => {
      let most = -Infinity
      for (let head = 0; head < config.heads; head++) most = Math.max(most, logits[head * tokens + token] as number)
      return most - bias(layer, last - position)
    })
  }
}

/**
 * Which tokens stay: all of prefix and suffix, and the `count` of the rest with the highest scores; of equals the one that stands later.
 *
 * @returns indices in rising order
 */
export function keptTokens(
  scores: Float32Array,
  { prefix, suffix }: { readonly prefix: number; readonly suffix: number },
  count: number,
): Int32Array {
  const end = scores.length - suffix
  const context = Array.from({ length: end - prefix }, (_, index) => prefix + index)
  const best = context.toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || b - a).slice(0, Math.max(0, count))
  const affixes = [...scores.keys()].filter((index) => index < prefix || index >= end)
  return Int32Array.from([...affixes, ...best]).sort()
}
