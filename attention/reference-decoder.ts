/**
 * A decoder of the Llama family in plain loops over float32, as slow as it is plain: what the fast path is tested against.
 * It shares nothing with the fast path but the de-quantisation and the metadata.
 */
import type { DecoderConfig } from './decoder.ts'
import { dequantise } from './dequantise.ts'
import { readTensorBytes, type GgufFile } from './gguf.ts'
import { readConfig } from './model-config.ts'

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
  const config = readConfig(file)
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
  const { hidden: width } = config
  const table = named(tensors, 'token_embd.weight')
  let rows: readonly Float32Array[] = ids.map((id) => table.slice(id * width, (id + 1) * width))
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
  const weight = (part: string): Float32Array => named(tensors, `blk.${layer}.${part}.weight`)
  const normed = rows.map((row) => normalise(row, weight('attn_norm'), config.normEpsilon))
  const queries = normed.map((row, index) => rotate(multiply(weight('attn_q'), row), positions[index] ?? 0, config))
  const keys = normed.map((row, index) => rotate(multiply(weight('attn_k'), row), positions[index] ?? 0, config))
  const values = normed.map((row) => multiply(weight('attn_v'), row))
  return rows.map((row, index) => {
    const attended = attend(config, queries[index] ?? row, keys.slice(0, index + 1), values, seen[index])
    const middle = add(row, multiply(weight('attn_output'), attended))
    const inner = normalise(middle, weight('ffn_norm'), config.normEpsilon)
    const gate = multiply(weight('ffn_gate'), inner)
    const up = multiply(weight('ffn_up'), inner)
    return add(
      middle,
      multiply(
        weight('ffn_down'),
        gate.map((z, unit) => (z / (1 + Math.exp(-z))) * (up[unit] ?? 0)),
      ),
    )
  })
}

/** RMSNorm (Zhang and Sennrich, 2019, section 3). */
function normalise(row: Float32Array, scale: Float32Array, epsilon: number): Float32Array {
  const meanSquare = row.reduce((sum, value) => sum + value * value, 0) / row.length
  return row.map((value, index) => (value / Math.sqrt(meanSquare + epsilon)) * (scale[index] ?? 0))
}

/** Rotates neighbouring pairs of each head (Su et al., 2021, section 3.2.2). */
function rotate(row: Float32Array, position: number, { headDim, ropeBase }: DecoderConfig): Float32Array {
  const result = row.slice()
  for (let index = 0; index < row.length; index += 2) {
    const angle = position * ropeBase ** (-(index % headDim) / headDim)
    const [x = 0, y = 0] = row.subarray(index, index + 2)
    result[index] = x * Math.cos(angle) - y * Math.sin(angle)
    result[index + 1] = x * Math.sin(angle) + y * Math.cos(angle)
  }
  return result
}

/** Grouped-query attention of one query row (Ainslie et al., 2023, section 2.2). */
function attend(
  config: DecoderConfig,
  query: Float32Array,
  keys: readonly Float32Array[],
  values: readonly Float32Array[],
  seen?: number[][],
): Float32Array {
  const { heads, kvHeads, headDim } = config
  const result = new Float32Array(heads * headDim)
  for (let head = 0; head < heads; head++) {
    const from = Math.floor(head / (heads / kvHeads)) * headDim
    const own = query.subarray(head * headDim, (head + 1) * headDim)
    const scores = keys.map((key) => dot(own, key.subarray(from, from + headDim)) / Math.sqrt(headDim))
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
