/**
 * Graphs of one decoder layer of the Llama family (Touvron et al., 2023): the part before attention and the part after it. Attention itself
 * has no weights, so one graph of `attention-graph.ts` serves all layers. S = tokens of a run, H = query heads, Hkv = key/value heads,
 * d = head dimension.
 */
import type { DecoderConfig } from './decoder.ts'
import { addLinear, addLinearParts, contributed } from './linear-nodes.ts'
import { GraphBuilder } from './onnx-model.ts'
import type { WeightMatrix } from './packed-weights.ts'

/**
 * Weights of one layer. Matrices of one list share their input and are multiplied as one where their types allow it. A norm that is a name is
 * an input of the graph.
 */
export interface LayerWeights {
  readonly attentionNorm: Float32Array | string
  readonly queryKeyValue: readonly WeightMatrix[]
  readonly attentionOutput: readonly WeightMatrix[]
  readonly feedForwardNorm: Float32Array | string
  readonly gateUp: readonly WeightMatrix[]
  readonly down: readonly WeightMatrix[]
}

/**
 * x [S, hidden], positions [1, S], cos and sin [window, d / 2] -> q [S, H d], k [S, Hkv d], v [S, Hkv d]; q and k rotated.
 * Llama files keep the two parts of a rotated pair next to each other.
 */
export function buildProjectionGraph(config: DecoderConfig, weights: LayerWeights): Uint8Array {
  const graph = new GraphBuilder('projection')
  const { hidden, heads, kvHeads, headDim } = config
  const x = graph.input('x', 'float32', ['S', hidden])
  const tables = rotaryInputs(graph, config)
  const sizes = [heads * headDim, kvHeads * headDim, kvHeads * headDim]
  const normed = addNorm(graph, x, weights.attentionNorm, config)
  const [q = '', k = '', v = ''] = addLinearParts(graph, normed, weights.queryKeyValue, sizes)
  addRotary(graph, q, tables, { name: 'q', width: heads * headDim })
  addRotary(graph, k, tables, { name: 'k', width: kvHeads * headDim })
  graph.node('Identity', [v], { outputs: ['v'] })
  graph.output('q', 'float32', ['S', heads * headDim])
  graph.output('k', 'float32', ['S', kvHeads * headDim])
  graph.output('v', 'float32', ['S', kvHeads * headDim])
  return graph.encode()
}

/** x [S, hidden] and the heads' outputs a [S, H d] -> y [S, hidden]. */
export function buildFeedForwardGraph(config: DecoderConfig, weights: LayerWeights): Uint8Array {
  const graph = new GraphBuilder('feed-forward')
  const { hidden, heads, headDim, feedForward } = config
  const x = graph.input('x', 'float32', ['S', hidden])
  const a = graph.input('a', 'float32', ['S', heads * headDim])
  const attended = graph.node('Add', [x, addLinear(graph, a, weights.attentionOutput)])
  const normed = addNorm(graph, attended, weights.feedForwardNorm, config)
  const [gate = '', up = ''] = addLinearParts(graph, normed, weights.gateUp, [feedForward, feedForward])
  // QuickGelu with alpha 1 is SiLU: z sigmoid(z).
  const active = graph.node('QuickGelu', [gate], { domain: contributed, attributes: { alpha: { float: 1 } } })
  const down = addLinear(graph, graph.node('Mul', [active, up]), weights.down)
  graph.node('Add', [attended, down], { outputs: ['y'] })
  graph.output('y', 'float32', ['S', hidden])
  return graph.encode()
}

/** Adds RMS normalisation of the rows of `x`; a `scale` that is a name becomes an input. */
export function addNorm(graph: GraphBuilder, x: string, scale: Float32Array | string, config: DecoderConfig): string {
  const weights =
    typeof scale === 'string'
      ? graph.input(scale, 'float32', [config.hidden])
      : graph.constant({ type: 'float32', dims: [scale.length], data: scale })
  const attributes = { axis: -1, epsilon: { float: config.normEpsilon }, stash_type: 1 }
  return graph.node('SimplifiedLayerNormalization', [x, weights], { attributes })
}

function rotaryInputs(graph: GraphBuilder, config: DecoderConfig): string[] {
  return [
    graph.input('positions', 'int64', [1, 'S']),
    graph.input('cos', 'float32', [config.window, config.headDim / 2]),
    graph.input('sin', 'float32', [config.window, config.headDim / 2]),
  ]
}

function addRotary(graph: GraphBuilder, rows: string, tables: readonly string[], { name, width }: { name: string; width: number }): void {
  const batched = graph.node('Unsqueeze', [rows, graph.integers([0])])
  const rotated = graph.node('RotaryEmbedding', [batched, ...tables], { domain: contributed, attributes: { interleaved: 1 } })
  graph.node('Reshape', [rotated, graph.integers([-1, width])], { outputs: [name] })
}
