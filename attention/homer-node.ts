/** The state of one node of a hierarchical merge: hidden rows, positions, and the keys and values of all layers that it has run. */
import type { CacheRows } from './decoder.ts'

export interface NodeState {
  /** Hidden rows [tokens, width] after the last layer that ran. */
  readonly hidden: Float32Array
  /** Position ids [tokens]; ids of merged chunks repeat. */
  readonly positions: Int32Array
  /** Index in the context of each token's source; -1 for prefix and suffix. */
  readonly sources: Int32Array
  /** Score of each token [tokens], as the significance gave it; -Infinity before any was given. */
  readonly scores: Float32Array
  /** Rotated keys and values of the layers from 0 on, each [tokens, kvHeads headDim]. */
  readonly rows: readonly CacheRows[]
}

/** Tokens of a node. */
export function tokensOf({ positions }: NodeState): number {
  return positions.length
}

/** Bytes of a node's keys and values. */
export function bytesOf({ rows }: NodeState): number {
  return rows.reduce((sum, { keys, values }) => sum + keys.byteLength + values.byteLength, 0)
}

/** The tokens of `kept`, which are indices in rising order, in every layer alike. */
export function keepTokens(node: NodeState, kept: Int32Array): NodeState {
  const tokens = tokensOf(node)
  const pick = (values: Float32Array): Float32Array => pickRows(values, kept, values.length / tokens)
  return {
    hidden: pick(node.hidden),
    positions: kept.map((index) => node.positions[index] ?? 0),
    sources: kept.map((index) => node.sources[index] ?? -1),
    scores: pick(node.scores),
    rows: node.rows.map(({ keys, values }) => ({ keys: pick(keys), values: pick(values) })),
  }
}

function pickRows(values: Float32Array, kept: Int32Array, width: number): Float32Array {
  const result = new Float32Array(kept.length * width)
  for (const [place, index] of kept.entries()) result.set(values.subarray(index * width, (index + 1) * width), place * width)
  return result
}

export interface Affixes {
  /** Tokens. */
  readonly prefix: number
  readonly suffix: number
}

/** What becomes of the two suffixes of a merge: their mean, or that of the side whose context has the best score. */
export type SuffixRule = 'mean' | 'better'

/**
 * Puts two neighbours together: their prefixes and suffixes become one, the element-wise mean of hidden rows, keys and values in every layer; their
 * contexts stand one after the other. Keys may be averaged as both carry the same rotation (HOMER, section 3.2).
 */
export function mergeNodes(left: NodeState, right: NodeState, affixes: Affixes, rule: SuffixRule = 'mean'): NodeState {
  const leftShare = rule === 'mean' ? 0.5 : bestScore(left, affixes) >= bestScore(right, affixes) ? 1 : 0
  const join = (a: Float32Array, b: Float32Array): Float32Array =>
    joinRows(a, tokensOf(left), b, tokensOf(right), { ...affixes, leftShare })
  const { prefix, suffix } = affixes
  const leftEnd = tokensOf(left) - suffix
  return {
    hidden: join(left.hidden, right.hidden),
    positions: Int32Array.from([...left.positions.subarray(0, leftEnd), ...right.positions.subarray(prefix)]),
    sources: Int32Array.from([...left.sources.subarray(0, leftEnd), ...right.sources.subarray(prefix)]),
    scores: Float32Array.from([...left.scores.subarray(0, leftEnd), ...right.scores.subarray(prefix)]),
    rows: left.rows.map(({ keys, values }, layer) => {
      const other = right.rows[layer]
      if (other === undefined) throw new RangeError(`Cannot merge nodes as one of them has not run layer ${layer}`)
      return { keys: join(keys, other.keys), values: join(values, other.values) }
    }),
  }
}

function bestScore({ scores }: NodeState, { prefix, suffix }: Affixes): number {
  return scores.subarray(prefix, scores.length - suffix).reduce((best, score) => Math.max(best, score), -Infinity)
}

interface Joining extends Affixes {
  /** Weight of the left suffix; the right one has the rest. */
  readonly leftShare: number
}

function joinRows(
  a: Float32Array,
  aTokens: number,
  b: Float32Array,
  bTokens: number,
  { prefix, suffix, leftShare }: Joining,
): Float32Array {
  const width = a.length / aTokens
  const aEnd = (aTokens - suffix) * width
  const bStart = prefix * width
  const bEnd = (bTokens - suffix) * width
  const result = new Float32Array(aEnd + b.length - bStart)
  for (let index = 0; index < bStart; index++) result[index] = ((a[index] as number) + (b[index] as number)) / 2
  result.set(a.subarray(bStart, aEnd), bStart)
  result.set(b.subarray(bStart, bEnd), aEnd)
  const last = aEnd + bEnd - bStart
  for (let index = 0; index < suffix * width; index++) {
    result[last + index] = leftShare * (a[aEnd + index] as number) + (1 - leftShare) * (b[bEnd + index] as number)
  }
  return result
}
