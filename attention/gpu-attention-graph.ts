/**
 * Graph of causal grouped-query attention of WebGPU's operators only: its provider has no kernel for arithmetic on sizes, none for `FusedMatMul`,
 * and reads joined keys faster than the processor would.
 *
 * Inputs: q [S, H d]; k, v [R, Hkv d] of the new tokens; the past as closed blocks k0, v0, k1, ... [Hkv, block, d] and the tail kt, vt
 * [Hkv, C, d]; `mask` [1, 1, S, T] over all keys, added to scores. Output: a [S, H d].
 */
import type { RowsShape } from './attention-graph.ts'
import type { DecoderConfig } from './decoder.ts'
import { alibiSlopes } from './distance-masks.ts'
import { GraphBuilder } from './onnx-model.ts'

export function buildGpuAttentionGraph(config: DecoderConfig, { blocks, tail }: Omit<RowsShape, 'form'>): GraphBuilder {
  const graph = new GraphBuilder('gpu-attention')
  const { heads, kvHeads, headDim, alibiBias } = config
  const q = graph.input('q', 'float32', ['S', heads * headDim])
  const mask = graph.input('mask', 'float32', [1, 1, 'S', 'T'])
  const split = graph.node('Reshape', [q, graph.integers([-1, kvHeads, heads / kvHeads, headDim])])
  const queries = graph.node('Transpose', [split], { attributes: { perm: [1, 2, 0, 3] } })
  const scale = graph.constant({ type: 'float32', dims: [], data: Float32Array.of(1 / Math.sqrt(headDim)) })
  const keys = graph.node('Transpose', [addJoined(graph, config, 'k', blocks, tail)], { attributes: { perm: [0, 1, 3, 2] } })
  const scores = graph.node('MatMul', [graph.node('Mul', [queries, scale]), keys])
  const slopes = { type: 'float32', dims: [kvHeads, heads / kvHeads, 1, 1], data: alibiSlopes(heads, alibiBias) } as const
  const bias = alibiBias === 0 ? mask : graph.node('Mul', [mask, graph.constant(slopes)])
  const weights = graph.node('Softmax', [graph.node('Add', [scores, bias])], { attributes: { axis: -1 } })
  const attended = graph.node('MatMul', [weights, addJoined(graph, config, 'v', blocks, tail)])
  const merged = graph.node('Reshape', [attended, graph.integers([heads, -1, headDim])])
  const turned = graph.node('Transpose', [merged], { attributes: { perm: [1, 0, 2] } })
  graph.node('Reshape', [turned, graph.integers([-1, heads * headDim])], { outputs: ['a'] })
  graph.output('a', 'float32', ['S', heads * headDim])
  return graph
}

/** All keys or values in order: [Hkv, 1, T, d]. */
function addJoined(graph: GraphBuilder, { kvHeads, headDim }: DecoderConfig, name: string, blocks: number, tail: boolean): string {
  const closed = Array.from({ length: blocks }, (_, index) => graph.input(`${name}${index}`, 'float32', [kvHeads, 'B', headDim]))
  const open = tail ? [graph.input(`${name}t`, 'float32', [kvHeads, 'C', headDim])] : []
  const rows = graph.node('Reshape', [graph.input(name, 'float32', ['R', kvHeads * headDim]), graph.integers([-1, kvHeads, headDim])])
  const parts = [...closed, ...open, graph.node('Transpose', [rows], { attributes: { perm: [1, 0, 2] } })]
  const joined = parts.length === 1 ? (parts[0] ?? rows) : graph.node('Concat', parts, { attributes: { axis: 1 } })
  return graph.node('Unsqueeze', [joined, graph.integers([1])])
}

/** x [H, T, d] -> y, the same: what is fed from memory lies on the device afterwards. */
export function buildUploadGraph(): GraphBuilder {
  const graph = new GraphBuilder('upload')
  graph.node('Identity', [graph.input('x', 'float32', ['H', 'T', 'D'])], { outputs: ['y'] })
  graph.output('y', 'float32', ['H', 'T', 'D'])
  return graph
}
