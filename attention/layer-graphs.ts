/**
 * Graphs of one decoder layer of the Llama family (Touvron et al., 2023): the part before attention and the part after it. Attention itself
 * has no weights, so one graph of `attention-graph.ts` serves all layers. S = tokens of a run, H = query heads, Hkv = key/value heads,
 * d = head dimension.
 */
import type { DecoderConfig } from './decoder.ts'
import type { MatrixGroup, VectorName } from './layer-tensors.ts'
import { addLinear, addLinearParts, contributed } from './linear-nodes.ts'
import { GraphBuilder } from './onnx-model.ts'
import type { WeightMatrix } from './packed-weights.ts'

/** The values of a vector, or the name of an input of the graph. */
export type GivenVector = Float32Array | string

/** Weights of one layer. Matrices of one list share their input and are multiplied as one where their types allow it; vectors that are not there do nothing. */
export type LayerWeights = Readonly<Record<MatrixGroup, readonly WeightMatrix[]>> & Readonly<Partial<Record<VectorName, GivenVector>>>

/** x [S, hidden], positions [1, S], cos and sin [positions, d / 2] -> q [S, H d], k [S, Hkv d], v [S, Hkv d]; q and k rotated. */
export function buildProjectionGraph(config: DecoderConfig, weights: LayerWeights): GraphBuilder {
  const graph = new GraphBuilder('projection')
  const { hidden, heads, kvHeads, headDim } = config
  const x = graph.input('x', 'float32', ['S', hidden])
  const tables = rotaryInputs(graph, config)
  const queries = heads * headDim
  const keys = kvHeads * headDim
  const normed = addNorm(graph, x, weights.attentionNorm, config)
  const [q = '', k = '', v = ''] = addLinearParts(graph, normed, weights.queryKeyValue, [queries, keys, keys])
  const query = addHeadNorm(graph, addBias(graph, q, weights.queryBias, queries), weights.queryNorm, config)
  const key = addHeadNorm(graph, addBias(graph, k, weights.keyBias, keys), weights.keyNorm, config)
  addRotary(graph, addScale(graph, query, config.queryScale), tables, config, { name: 'q', width: queries })
  addRotary(graph, key, tables, config, { name: 'k', width: keys })
  graph.node('Identity', [addBias(graph, v, weights.valueBias, keys)], { outputs: ['v'] })
  graph.output('q', 'float32', ['S', queries])
  graph.output('k', 'float32', ['S', keys])
  graph.output('v', 'float32', ['S', keys])
  return graph
}

/** x [S, hidden] and the heads' outputs a [S, H d] -> y [S, hidden]. */
export function buildFeedForwardGraph(config: DecoderConfig, weights: LayerWeights): GraphBuilder {
  const graph = new GraphBuilder('feed-forward')
  const { hidden, heads, headDim, feedForward } = config
  const x = graph.input('x', 'float32', ['S', hidden])
  const a = graph.input('a', 'float32', ['S', heads * headDim])
  const found = addNorm(graph, addLinear(graph, a, weights.attentionOutput), weights.attentionPostNorm, config)
  const attended = graph.node('Add', [x, found])
  const normed = addNorm(graph, attended, weights.feedForwardNorm, config)
  const [gate = '', up = ''] = addLinearParts(graph, normed, weights.gateUp, [feedForward, feedForward])
  const inner = graph.node('Mul', [addActivation(graph, gate, config), up])
  const down = addNorm(graph, addLinear(graph, inner, weights.down), weights.feedForwardPostNorm, config)
  graph.node('Add', [attended, down], { outputs: ['y'] })
  graph.output('y', 'float32', ['S', hidden])
  return graph
}

/** Adds RMS normalisation of the rows of `x` [.., size] where there is a `scale`. */
export function addNorm(
  graph: GraphBuilder,
  x: string,
  scale: GivenVector | undefined,
  config: DecoderConfig,
  size: number = config.hidden,
): string {
  if (scale === undefined) return x
  const attributes = { axis: -1, epsilon: { float: config.normEpsilon }, stash_type: 1 }
  return graph.node('SimplifiedLayerNormalization', [x, addVector(graph, scale, size)], { attributes })
}

/** Normalises each head of rows [S, heads d] by itself. */
function addHeadNorm(graph: GraphBuilder, rows: string, scale: GivenVector | undefined, config: DecoderConfig): string {
  if (scale === undefined) return rows
  const heads = graph.node('Reshape', [rows, graph.integers([-1, config.headDim])])
  return graph.node('Reshape', [addNorm(graph, heads, scale, config, config.headDim), graph.node('Shape', [rows])])
}

function addBias(graph: GraphBuilder, rows: string, bias: GivenVector | undefined, size: number): string {
  return bias === undefined ? rows : graph.node('Add', [rows, addVector(graph, bias, size)])
}

function addScale(graph: GraphBuilder, rows: string, factor: number): string {
  if (factor === 1) return rows
  return graph.node('Mul', [rows, graph.constant({ type: 'float32', dims: [], data: Float32Array.of(factor) })])
}

function addActivation(graph: GraphBuilder, rows: string, { traits }: DecoderConfig): string {
  if (traits.activation === 'gelu') return graph.node('FastGelu', [rows], { domain: contributed })
  // QuickGelu with alpha 1 is SiLU: z sigmoid(z).
  return graph.node('QuickGelu', [rows], { domain: contributed, attributes: { alpha: { float: 1 } } })
}

/** A vector that is a name becomes an input. */
function addVector(graph: GraphBuilder, vector: GivenVector, size: number): string {
  return typeof vector === 'string'
    ? graph.input(vector, 'float32', [size])
    : graph.constant({ type: 'float32', dims: [vector.length], data: vector })
}

function rotaryInputs(graph: GraphBuilder, config: DecoderConfig): string[] {
  return [
    graph.input('positions', 'int64', [1, 'S']),
    graph.input('cos', 'float32', ['T', config.headDim / 2]),
    graph.input('sin', 'float32', ['T', config.headDim / 2]),
  ]
}

function addRotary(
  graph: GraphBuilder,
  rows: string,
  tables: readonly string[],
  { traits }: DecoderConfig,
  { name, width }: { name: string; width: number },
): void {
  const batched = graph.node('Unsqueeze', [rows, graph.integers([0])])
  const attributes = { interleaved: traits.rotaryPairs === 'neighbours' ? 1 : 0 }
  const rotated = graph.node('RotaryEmbedding', [batched, ...tables], { domain: contributed, attributes })
  graph.node('Reshape', [rotated, graph.integers([-1, width])], { outputs: [name] })
}
