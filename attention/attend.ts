/**
 * What the last tokens of a text looked at: softmax(q K^T / sqrt d) of chosen heads over all tokens before them, from the rotated queries of a
 * small observation window (as SnapKV does, Li et al., 2024, section 4) and the cache's rotated keys. Plain loops: few heads and few rows cost
 * less than one layer.
 */
import type { Decoder, DecoderConfig, KVCache, Observation, ObserveOptions, PrefillOptions } from './decoder.ts'
import { distanceScores, isDistant } from './distance-masks.ts'
import { blockTokens } from './cache-block.ts'
import { BlockCache } from './kv-cache.ts'

/** A query head by its layer and its index in the layer, both from 0. */
export interface AttentionHead {
  readonly layer: number
  readonly head: number
}

export interface AttendOptions extends Omit<PrefillOptions, 'observe'> {
  readonly heads: readonly AttentionHead[]
  /** Last tokens whose weights are averaged; 16 by default. */
  readonly rows?: number
}

/** What some heads looked at. */
export interface Attended {
  /** Logits of the last token [vocabulary]. */
  readonly logits: Float32Array
  /** For each head, in the order asked for: mean weight of each token of the cache [tokens]. Each sums to 1. */
  readonly weights: readonly Float32Array[]
}

const defaultRows = 16

/**
 * Feeds `ids` to the decoder after `cache`, which grows by them, and tells which tokens, of the cache and of `ids`, the last ones looked at.
 *
 * @throws RangeError when the model has no such head, or as `prefill` throws
 */
export async function attend(decoder: Decoder, ids: readonly number[], cache: KVCache, options: AttendOptions): Promise<Attended> {
  const { heads, rows = defaultRows, ...rest } = options
  const watch = watchAttention(decoder.config, heads, rows)
  const logits = await decoder.prefill(ids, cache, { ...rest, observe: watch.observe })
  return { logits, weights: watch.weights() }
}

/** Collects attention weights while a run goes on. */
export interface AttentionWatch {
  /** To be given to the run. */
  readonly observe: ObserveOptions
  /** For each head: mean weight of each token [tokens] over the rows seen; empty before the run. */
  weights(): Float32Array[]
}

/**
 * Watches the last `rows` tokens of one run through `heads`.
 *
 * @throws RangeError when the model has no such head, or `rows` is not a whole number above 0
 */
export function watchAttention(config: DecoderConfig, heads: readonly AttentionHead[], rows: number): AttentionWatch {
  for (const { layer, head } of heads) checkHead(config, layer, head)
  if (!Number.isInteger(rows) || rows < 1) throw new RangeError(`Cannot watch attention as rows is not a whole number above 0: ${rows}`)
  const sums: Float32Array[] = heads.map(() => new Float32Array(0))
  let seen = 0
  const last = Math.max(...heads.map(({ layer }) => layer))
  const onQueries = (observation: Observation): void => {
    for (const [index, { layer, head }] of heads.entries()) {
      if (layer !== observation.layer) continue
      sums[index] = addRows(sums[index] ?? new Float32Array(0), attentionWeights(config, observation, head), observation)
    }
    if (observation.layer === last) seen += observation.rows
  }
  const layers = [...new Set(heads.map(({ layer }) => layer))]
  return { observe: { layers, rows, onQueries }, weights: () => sums.map((sum) => sum.map((weight) => weight / seen)) }
}

/** Weights of one head for each observed row over the tokens up to the last row's: [rows, start + rows], rows of sum 1; what is not seen is 0. */
export function attentionWeights(config: DecoderConfig, observation: Observation, head: number): Float32Array {
  const { heads, kvHeads, headDim } = config
  const { layer, queries, rows, start, cache } = observation
  const width = start + rows
  const keys = keysOf(cache, layer, Math.floor(head / (heads / kvHeads)), width)
  const positions = isDistant(config, layer) ? cache.positions : undefined
  const weights = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    const from = (row * heads + head) * headDim
    const query = queries.subarray(from, from + headDim)
    const seen = weights.subarray(row * width, row * width + start + row + 1)
    softmaxScores(query, keys, seen, positions && distanceScores(config, layer, head, positions.subarray(0, seen.length)))
  }
  return weights
}

/** Fills `result` [T] with the softmax of the scaled products of one query [d] with the first T keys [.., d], to which `added` [T] is added. */
function softmaxScores(query: Float32Array, keys: Float32Array, result: Float32Array, added?: Float32Array): void {
  const size = query.length
  const scale = 1 / Math.sqrt(size)
  let most = -Infinity
  for (let token = 0; token < result.length; token++) {
    let sum = 0
    for (let unit = 0, at = token * size; unit < size; unit++, at++) sum += (query[unit] as number) * (keys[at] as number)
    const score = sum * scale + (added?.[token] ?? 0)
    result[token] = score
    if (score > most) most = score
  }
  let total = 0
  for (let token = 0; token < result.length; token++) total += result[token] = Math.exp((result[token] as number) - most)
  for (let token = 0; token < result.length; token++) result[token] = (result[token] as number) / total
}

/** The first `count` rotated keys of one key/value head side by side: [count, headDim]. */
function keysOf(cache: KVCache, layer: number, kvHead: number, count: number): Float32Array {
  if (!(cache instanceof BlockCache)) throw new TypeError('Cannot read keys as the cache was not made by createCache of a decoder')
  const { headDim } = cache.shape
  const { closed, tail } = cache.view(layer)
  const keys = new Float32Array(count * headDim)
  for (const [index, block] of [...closed, ...(tail === undefined ? [] : [tail])].entries()) {
    const start = index * blockTokens
    const length = Math.min(block.capacity, count - start)
    const from = kvHead * block.capacity * headDim
    if (length > 0) keys.set(block.keys.subarray(from, from + length * headDim), start * headDim)
  }
  return keys
}

/** Adds the rows of `weights` [rows, width] to `sum`, which becomes as long as they are. */
function addRows(sum: Float32Array, weights: Float32Array, { rows, start }: Observation): Float32Array {
  const width = start + rows
  const result = new Float32Array(width)
  result.set(sum)
  for (let row = 0; row < rows; row++) {
    for (let token = 0; token < width; token++) result[token] = (result[token] as number) + (weights[row * width + token] as number)
  }
  return result
}

function checkHead({ layers, heads }: DecoderConfig, layer: number, head: number): void {
  if (Number.isInteger(layer) && layer >= 0 && layer < layers && Number.isInteger(head) && head >= 0 && head < heads) return
  throw new RangeError(`Cannot watch head ${head} of layer ${layer} as the model has ${layers} layers of ${heads} heads`)
}
