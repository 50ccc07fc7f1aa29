/** The tensors of a layer: their names and shapes in the file, and what the graphs call them. */
import type { DecoderConfig } from './decoder.ts'

/** Vectors of a layer. */
export type VectorName =
  | 'attentionNorm'
  | 'feedForwardNorm'
  | 'queryBias'
  | 'keyBias'
  | 'valueBias'
  | 'queryNorm'
  | 'keyNorm'
  | 'attentionPostNorm'
  | 'feedForwardPostNorm'

/** Matrices of one group share their input. */
export type MatrixGroup = 'queryKeyValue' | 'attentionOutput' | 'gateUp' | 'down'

export type LayerGraph = 'projection' | 'feedForward'

interface TensorPlace {
  /** Name in the file after `blk.N.`. */
  readonly tensor: string
  /** Shape as the file has it: the innermost dimension first, so [inputs, outputs] for a matrix. */
  readonly dims: readonly number[]
  readonly graph: LayerGraph
}

export interface LayerVector extends TensorPlace {
  readonly kind: 'vector'
  readonly input: VectorName
}

export interface LayerMatrix extends TensorPlace {
  readonly kind: 'matrix'
  /** Name of the graph's input where matrices are given to each run. */
  readonly input: string
  readonly group: MatrixGroup
}

export type LayerTensor = LayerVector | LayerMatrix

type Shape = Pick<DecoderConfig, 'hidden' | 'heads' | 'kvHeads' | 'headDim' | 'feedForward' | 'traits'>

/** Every tensor of a layer of a model of this shape. */
export function layerTensors(config: Shape): LayerTensor[] {
  return [...projectionTensors(config), ...feedForwardTensors(config)]
}

/** Full name of a tensor of `layer`. */
export function tensorName(layer: number, { tensor }: LayerTensor): string {
  return `blk.${layer}.${tensor}`
}

function projectionTensors({ hidden, heads, kvHeads, headDim, traits }: Shape): LayerTensor[] {
  const queries = heads * headDim
  const keys = kvHeads * headDim
  const matrix = (input: string, tensor: string, outputs: number): LayerMatrix => ({
    kind: 'matrix',
    input,
    tensor: `${tensor}.weight`,
    dims: [hidden, outputs],
    group: 'queryKeyValue',
    graph: 'projection',
  })
  const vector = (input: VectorName, tensor: string, size: number): LayerVector => ({
    kind: 'vector',
    input,
    tensor,
    dims: [size],
    graph: 'projection',
  })
  const matrices = traits.fused
    ? [matrix('queryKeyValue', 'attn_qkv', queries + 2 * keys)]
    : [matrix('query', 'attn_q', queries), matrix('key', 'attn_k', keys), matrix('value', 'attn_v', keys)]
  const biases = [
    vector('queryBias', 'attn_q.bias', queries),
    vector('keyBias', 'attn_k.bias', keys),
    vector('valueBias', 'attn_v.bias', keys),
  ]
  const norms = [vector('queryNorm', 'attn_q_norm.weight', headDim), vector('keyNorm', 'attn_k_norm.weight', headDim)]
  return [
    vector('attentionNorm', 'attn_norm.weight', hidden),
    ...matrices,
    ...(traits.biases ? biases : []),
    ...(traits.headNorms ? norms : []),
  ]
}

function feedForwardTensors({ hidden, heads, headDim, feedForward, traits }: Shape): LayerTensor[] {
  const matrix = (input: string, tensor: string, group: MatrixGroup, dims: readonly number[]): LayerMatrix => ({
    kind: 'matrix',
    input,
    tensor: `${tensor}.weight`,
    dims,
    group,
    graph: 'feedForward',
  })
  const norm = (input: VectorName, tensor: string): LayerVector => ({
    kind: 'vector',
    input,
    tensor: `${tensor}.weight`,
    dims: [hidden],
    graph: 'feedForward',
  })
  const gateUp = traits.fused
    ? [matrix('gateUp', 'ffn_up', 'gateUp', [hidden, 2 * feedForward])]
    : [matrix('gate', 'ffn_gate', 'gateUp', [hidden, feedForward]), matrix('up', 'ffn_up', 'gateUp', [hidden, feedForward])]
  const postNorms = [norm('attentionPostNorm', 'post_attention_norm'), norm('feedForwardPostNorm', 'post_ffw_norm')]
  return [
    matrix('attentionOutput', 'attn_output', 'attentionOutput', [heads * headDim, hidden]),
    norm('feedForwardNorm', 'ffn_norm'),
    ...gateUp,
    matrix('down', 'ffn_down', 'down', [feedForward, hidden]),
    ...(traits.postNorms ? postNorms : []),
  ]
}
