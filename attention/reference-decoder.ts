/**
 * A decoder of the Llama family in plain loops over float32, as slow as it is plain: what the fast path is tested against.
 * It shares nothing with the fast path but the de-quantisation and the metadata.
 */
import type { DecoderConfig } from './decoder.ts'
import { dequantise } from './dequantise.ts'
import { readTensorBytes, type GgufFile } from './gguf.ts'
import { loadConfig } from './model-config.ts'
import type { RotaryRule } from './rotary-rules.ts'

/** What the reference computes for a whole sequence. */
export interface ReferenceRun {
  /** Hidden rows [S, hidden] after each layer. */
  readonly hidden: readonly Float32Array[]
  /** Logits [S, vocabulary]. */
  readonly logits: Float32Array
  /** Attention weights of each layer by row and head: row `index` holds `heads` lists of `index + 1` weights. */
  readonly weights: readonly (readonly (readonly number[])[])[][]
}

export interface ReferenceDecoder {
  readonly config: DecoderConfig
  /** Runs the sequence `ids` from an empty cache; `positions` are 0, 1, ... by default. */
  forward(ids: readonly number[], positions?: readonly number[]): ReferenceRun
}

type Tensors = ReadonlyMap<string, Float32Array>

/** Loads all tensors of `file` as float32. */
export async function openReference(file: GgufFile): Promise<ReferenceDecoder> {
  const config = await loadConfig(file)
  const tensors = new Map<string, Float32Array>()
  for (const [name, tensor] of file.tensors) tensors.set(name, dequantise(tensor.type, await readTensorBytes(file, tensor)))
  return { config, forward: (ids, positions = [...ids.keys()]) => forward(config, tensors, ids, positions) }
}

/** log P of each token of `ids` but the first, given those before it: natural logarithms of the softmax of `logits` [S, vocabulary]. */
export function referenceLogProbs(logits: Float32Array, ids: readonly number[], vocabulary: number): number[] {
  return ids.slice(1).map((id, row) => {
    const scores = logits.subarray(row * vocabulary, (row + 1) * vocabulary)
    const most = scores.reduce((a, b) => Math.max(a, b), -Infinity)
    return (scores[id] ?? NaN) - most - Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), 0))
  })
}

function forward(config: DecoderConfig, tensors: Tensors, ids: readonly number[], positions: readonly number[]): ReferenceRun {
  const { hidden: width, traits } = config
  const table = named(tensors, 'token_embd.weight')
  const scale = traits.scaledEmbeddings ? Math.sqrt(width) : 1
  let rows: readonly Float32Array[] = ids.map((id) => table.slice(id * width, (id + 1) * width).map((value) => value * scale))
  const hidden: Float32Array[] = []
  const weights: number[][][][] = []
  for (let layer = 0; layer < config.layers; layer++) {
    const seen: number[][][] = rows.map(() => [])
    rows = runLayer(config, tensors, layer, rows, positions, seen)
    hidden.push(join(rows))
    weights.push(seen)
  }
  const output = tensors.get('output.weight') ?? table
  const norm = named(tensors, 'output_norm.weight')
  return { hidden, weights, logits: join(rows.map((row) => multiply(output, normalise(row, norm, config.normEpsilon)))) }
}

function runLayer(
  config: DecoderConfig,
  tensors: Tensors,
  layer: number,
  rows: readonly Float32Array[],
  positions: readonly number[],
  seen: number[][][],
): Float32Array[] {
  const { traits, normEpsilon } = config
  const weight = (part: string): Float32Array => named(tensors, `blk.${layer}.${part}.weight`)
  const after = (part: string, row: Float32Array): Float32Array => (traits.postNorms ? normalise(row, weight(part), normEpsilon) : row)
  const projected = rows.map((row) => project(config, tensors, layer, normalise(row, weight('attn_norm'), normEpsilon)))
  const turned = projected.map(({ q, k }, index) => {
    const turn = (heads: Float32Array): Float32Array => rotate(heads, positions[index] ?? 0, config, layer)
    return { q: turn(q).map((value) => value * config.queryScale), k: turn(k) }
  })
  const values = projected.map(({ v }) => v)
  return rows.map((row, index) => {
    const keys = turned.slice(0, index + 1).map(({ k }) => k)
    const bias = keys.map((_, key) => biasOf(config, layer, (positions[index] ?? 0) - (positions[key] ?? 0)))
    const attended = attend(config, turned[index]?.q ?? row, keys, values, bias, seen[index])
    const middle = add(row, after('post_attention_norm', multiply(weight('attn_output'), attended)))
    return add(middle, after('post_ffw_norm', feedForward(config, weight, normalise(middle, weight('ffn_norm'), normEpsilon))))
  })
}

function feedForward(config: DecoderConfig, weight: (part: string) => Float32Array, inner: Float32Array): Float32Array {
  const both = config.traits.fused
    ? multiply(weight('ffn_up'), inner)
    : join([multiply(weight('ffn_gate'), inner), multiply(weight('ffn_up'), inner)])
  const up = both.subarray(config.feedForward)
  const activation = config.traits.activation === 'gelu' ? gelu : (z: number): number => z / (1 + Math.exp(-z))
  return multiply(
    weight('ffn_down'),
    both.slice(0, config.feedForward).map((z, unit) => activation(z) * (up[unit] ?? 0)),
  )
}

/** The tanh form of GELU (Hendrycks and Gimpel, 2016, section 2). */
function gelu(z: number): number {
  return 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z ** 3)))
}

function project(config: DecoderConfig, tensors: Tensors, layer: number, row: Float32Array): Record<'q' | 'k' | 'v', Float32Array> {
  const { traits, heads, kvHeads, headDim, normEpsilon } = config
  const tensor = (part: string): Float32Array => named(tensors, `blk.${layer}.${part}`)
  const one = (part: string): Float32Array => {
    const product = multiply(tensor(`attn_${part}.weight`), row)
    return traits.biases ? add(product, tensor(`attn_${part}.bias`)) : product
  }
  const whole = traits.fused ? multiply(tensor('attn_qkv.weight'), row) : join([one('q'), one('k'), one('v')])
  const queries = heads * headDim
  const keys = kvHeads * headDim
  const normed = (rowOfHeads: Float32Array, part: string): Float32Array => {
    if (!traits.headNorms) return rowOfHeads
    const parts = Array.from({ length: rowOfHeads.length / headDim }, (_, head) => rowOfHeads.slice(head * headDim, (head + 1) * headDim))
    return join(parts.map((head) => normalise(head, tensor(`attn_${part}_norm.weight`), normEpsilon)))
  }
  return {
    q: normed(whole.slice(0, queries), 'q'),
    k: normed(whole.slice(queries, queries + keys), 'k'),
    v: whole.slice(queries + keys),
  }
}

/** RMSNorm (Zhang and Sennrich, 2019, section 3). */
function normalise(row: Float32Array, scale: Float32Array, epsilon: number): Float32Array {
  const meanSquare = row.reduce((sum, value) => sum + value * value, 0) / row.length
  return row.map((value, index) => (value / Math.sqrt(meanSquare + epsilon)) * (scale[index] ?? 0))
}

/** Rotates the pairs of each head (Su et al., 2021, section 3.2.2). */
function rotate(row: Float32Array, position: number, config: DecoderConfig, layer: number): Float32Array {
  if (config.alibiBias > 0) return row
  const { headDim, traits } = config
  const rule = config.slidingLayers[layer] === true ? (config.slidingRope ?? config.rope) : config.rope
  const result = row.slice()
  for (let start = 0; start < row.length; start += headDim) {
    for (let pair = 0; pair < headDim / 2; pair++) {
      const [first, second] =
        traits.rotaryPairs === 'neighbours' ? [start + 2 * pair, start + 2 * pair + 1] : [start + pair, start + pair + headDim / 2]
      const angle = position * turning(rule, pair, headDim)
      const x = row[first] ?? 0
      const y = row[second] ?? 0
      result[first] = rule.magnitude * (x * Math.cos(angle) - y * Math.sin(angle))
      result[second] = rule.magnitude * (x * Math.sin(angle) + y * Math.cos(angle))
    }
  }
  return result
}

/** Radians a position of one pair. YaRN (Peng et al., 2023, section 3.2, eq. 18-23) blends by the turns that the pair makes in the original window. */
function turning({ base, factor, yarn, divisors }: RotaryRule, pair: number, headDim: number): number {
  const plain = base ** ((-2 * pair) / headDim) / (divisors?.[pair] ?? 1)
  if (yarn === undefined) return plain / factor
  const pairAt = (turns: number): number => (headDim / 2) * (Math.log(yarn.originalWindow / (2 * Math.PI * turns)) / Math.log(base))
  const low = Math.max(Math.floor(pairAt(yarn.betaFast)), 0)
  const high = Math.min(Math.ceil(pairAt(yarn.betaSlow)), headDim - 1)
  if (pair <= low) return plain
  if (pair >= high) return plain / factor
  const slow = (pair - low) / (high - low)
  return slow * (plain / factor) + (1 - slow) * plain
}

/** What is added to a score at a distance in positions, for each head: the bias of ALiBi, or minus infinity outside of the layer's window. */
function biasOf(config: DecoderConfig, layer: number, distance: number): (head: number) => number {
  const { slidingWindow, slidingLayers, alibiBias, heads } = config
  if (slidingWindow !== undefined && slidingLayers[layer] === true && distance >= slidingWindow) return () => -Infinity
  if (alibiBias === 0) return () => 0
  const power = 2 ** Math.floor(Math.log2(heads))
  return (head) => {
    const exponent = head < power ? (head + 1) / power : (2 * (head - power) + 1) / (2 * power)
    return -Math.abs(distance) / 2 ** (alibiBias * exponent)
  }
}

/** Grouped-query attention of one query row (Ainslie et al., 2023, section 2.2). */
function attend(
  config: DecoderConfig,
  query: Float32Array,
  keys: readonly Float32Array[],
  values: readonly Float32Array[],
  bias: readonly ((head: number) => number)[],
  seen?: number[][],
): Float32Array {
  const { heads, kvHeads, headDim } = config
  const result = new Float32Array(heads * headDim)
  for (let head = 0; head < heads; head++) {
    const from = Math.floor(head / (heads / kvHeads)) * headDim
    const own = query.subarray(head * headDim, (head + 1) * headDim)
    const scores = keys.map((key, index) => dot(own, key.subarray(from, from + headDim)) / Math.sqrt(headDim) + (bias[index]?.(head) ?? 0))
    const most = Math.max(...scores)
    const weights = scores.map((score) => Math.exp(score - most))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    seen?.push(weights.map((weight) => weight / total))
    for (let unit = 0; unit < headDim; unit++) {
      result[head * headDim + unit] = weights.reduce((sum, weight, index) => sum + weight * (values[index]?.[from + unit] ?? 0), 0) / total
    }
  }
  return result
}

/** y = W x for W of rows as long as x. */
function multiply(weights: Float32Array, x: Float32Array): Float32Array {
  return Float32Array.from({ length: weights.length / x.length }, (_, row) =>
    dot(weights.subarray(row * x.length, (row + 1) * x.length), x),
  )
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
}

function add(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, index) => value + (b[index] ?? 0))
}

function join(rows: readonly Float32Array[]): Float32Array {
  return Float32Array.from(rows.flatMap((row) => [...row]))
}

function named(tensors: Tensors, name: string): Float32Array {
  const tensor = tensors.get(name)
  if (tensor === undefined) throw new RangeError(`Cannot run the reference as there is no tensor ${name}`)
  return tensor
}
