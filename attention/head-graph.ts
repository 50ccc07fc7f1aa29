/** The graph after the last layer: final normalisation and the LM head, as logits or as log-probabilities of given tokens. */
import type { DecoderConfig } from './decoder.ts'
import { addNorm } from './layer-graphs.ts'
import { addLinear } from './linear-nodes.ts'
import { GraphBuilder } from './onnx-model.ts'
import type { WeightMatrix } from './packed-weights.ts'
import type { SessionPool } from './session-pool.ts'

export interface HeadWeights {
  readonly norm: Float32Array
  readonly output: readonly WeightMatrix[]
}

/**
 * x [S, hidden], rows [R], targets [S, 1] -> logits [R, vocabulary] of the rows asked for, and log_probs [S, 1], the natural logarithm of
 * the probability of each row's target. One graph for both, so that the weights are held once.
 */
export function buildHeadGraph(config: DecoderConfig, weights: HeadWeights, device: SessionPool['device'] = 'cpu'): GraphBuilder {
  const graph = new GraphBuilder('head')
  const x = graph.input('x', 'float32', ['S', config.hidden])
  const rows = graph.input('rows', 'int64', ['R'])
  const targets = graph.input('targets', 'int64', ['S', 1])
  const logits = addLinear(graph, addNorm(graph, x, weights.norm, config), weights.output)
  graph.node('Gather', [logits, rows], { outputs: ['logits'], attributes: { axis: 0 } })
  if (device === 'webgpu') addGpuLogProbs(graph, logits, targets)
  else {
    // ReduceLogSumExp adds one by one in float32 and loses four digits over a large vocabulary; LogSoftmax adds in lanes.
    const all = graph.node('LogSoftmax', [logits], { attributes: { axis: 1 } })
    graph.node('GatherElements', [all, targets], { outputs: ['log_probs'], attributes: { axis: 1 } })
  }
  graph.output('logits', 'float32', ['R', config.vocabulary])
  graph.output('log_probs', 'float32', ['S', 1])
  return graph
}

/** WebGPU has no kernel for LogSoftmax: log P = x - peak - log(sum of exp(x - peak)). */
function addGpuLogProbs(graph: GraphBuilder, logits: string, targets: string): void {
  const peak = graph.node('ReduceMax', [logits, graph.integers([1])], { attributes: { keepdims: 1 } })
  const shares = graph.node('Exp', [graph.node('Sub', [logits, peak])])
  const total = graph.node('Log', [graph.node('ReduceSum', [shares, graph.integers([1])], { attributes: { keepdims: 1 } })])
  const found = graph.node('Sub', [graph.node('GatherElements', [logits, targets], { attributes: { axis: 1 } }), peak])
  graph.node('Sub', [found, total], { outputs: ['log_probs'] })
}
