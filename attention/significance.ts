/** How much each token of a node matters to its question: what a hierarchical merge prunes by. */
import type { DecoderConfig } from './decoder.ts'

/** What a layer of a node shows. */
export interface SeenLayer {
  readonly layer: number
  /** Rotated queries of the node's last tokens, [rows, heads headDim]. */
  readonly queries: Float32Array
  /** Rotated keys, [tokens, kvHeads headDim]. */
  readonly keys: Float32Array
}

/** What a significance sees of a node before it is pruned. */
export interface ScoredNode {
  readonly config: DecoderConfig
  /** The layers that it looks at, of those that the node ran, in their order. */
  readonly seen: readonly SeenLayer[]
  readonly positions: Int32Array
  /** Tokens [start, end) that are neither prefix nor suffix. */
  readonly context: { readonly start: number; readonly end: number }
  /** Scores that the tokens came with, [tokens]; -Infinity for those that have none. */
  readonly carried: Float32Array
}

/** A rule by which tokens are kept. */
export interface Significance {
  /** Layers that it looks at, of the layers [from, to) that a node runs. */
  layers(from: number, to: number): readonly number[]
  /** Last tokens of the suffix whose queries it looks at, at most. */
  readonly rows: number
  /** Scores of a node's tokens [tokens]; the lowest are dropped. Those of prefix and suffix are not looked at. */
  score(node: ScoredNode): Float32Array
}

/** Scaled products of one row's query with the keys of all tokens [tokens] in one head, before any softmax. */
export function headLogits(
  { heads, kvHeads, headDim }: DecoderConfig,
  { queries, keys }: Pick<SeenLayer, 'queries' | 'keys'>,
  row: number,
  head: number,
): Float32Array {
  const width = kvHeads * headDim
  const scale = 1 / Math.sqrt(headDim)
  const from = (row * heads + head) * headDim
  const query = queries.subarray(from, from + headDim)
  // A key head serves heads / kvHeads query heads.
  const keyHead = Math.floor(head / (heads / kvHeads)) * headDim
  const logits = new Float32Array(keys.length / width)
  for (let token = 0; token < logits.length; token++) {
    const at = token * width + keyHead
    let sum = 0
    for (let unit = 0; unit < headDim; unit++) sum += (query[unit] as number) * (keys[at + unit] as number)
    logits[token] = sum * scale
  }
  return logits
}

/** The highest logit of any head for each token [tokens], of the row given. */
export function highestLogits(config: DecoderConfig, seen: Pick<SeenLayer, 'queries' | 'keys'>, row: number): Float32Array {
  const [first = new Float32Array(), ...others] = Array.from({ length: config.heads }, (_, head) => headLogits(config, seen, row, head))
  for (const logits of others) for (const [token, logit] of logits.entries()) if (logit > (first[token] as number)) first[token] = logit
  return first
}

/** Mean logit by layer and distance, in positions; what a token would score for being near. */
export type DistanceBias = (layer: number, distance: number) => number

/** What may be done to scores beyond the paper. */
export interface ScoreOptions {
  /** Tokens, the neighbours included, of which each takes the best score; odd. */
  readonly width?: number
  /** Whether a token keeps the best score that it ever got. */
  readonly carry?: boolean
}

/**
 * The paper's rule (HOMER, arXiv 2404.10308, section 3.3): the highest logit of any head in the node's last layer, less what that layer gives to any
 * token at that distance.
 *
 * @param options `width` is 1 and `carry` false by default, as in the paper
 * @throws RangeError when `width` is not odd
 */
export function calibratedSignificance(bias: DistanceBias = () => 0, { width = 1, carry = false }: ScoreOptions = {}): Significance {
  checkWidth(width)
  return {
    layers: (_, to) => [to - 1],
    rows: 1,
    score: ({ config, seen, positions, context, carried }) => {
      const [only] = seen
      if (only === undefined) return carried
      const last = positions.at(-1) ?? 0
      const raw = highestLogits(config, only, 0).map((logit, token) => logit - bias(only.layer, last - (positions[token] ?? 0)))
      return finish(raw, { width, carry, context, carried })
    },
  }
}

/** @throws RangeError when a width is not odd */
export function checkWidth(width: number): void {
  if (Number.isInteger(width) && width > 0 && width % 2 === 1) return
  throw new RangeError(`Cannot pool over neighbours as the width is not odd: ${width}`)
}

/** Pools scores over the context's neighbours and lets carried ones stand. */
export function finish(
  scores: Float32Array,
  { width, carry, context, carried }: Required<ScoreOptions> & Pick<ScoredNode, 'context' | 'carried'>,
): Float32Array {
  const reach = (width - 1) / 2
  return scores.map((score, token) => {
    let best = score
    const end = Math.min(context.end - 1, token + reach)
    for (let other = Math.max(context.start, token - reach); other <= end; other++) best = Math.max(best, scores[other] as number)
    return carry ? Math.max(best, carried[token] ?? -Infinity) : best
  })
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
