/** Graph nodes that multiply rows by a weight matrix. */
import { addByteProduct } from './byte-nodes.ts'
import type { GraphBuilder } from './onnx-model.ts'
import type { NibbleMatrix, WeightMatrix } from './packed-weights.ts'

/** The domain of onnxruntime's contributed operators. */
export const contributed = 'com.microsoft'

/**
 * Adds y = x W for `x` [S, K] and matrices that share K; the results stand side by side: [S, sum of N].
 *
 * @returns the name of the product
 */
export function addLinear(graph: GraphBuilder, x: string, matrices: readonly WeightMatrix[]): string {
  const products = matrices.map((matrix) => addProduct(graph, x, matrix))
  const [only] = products
  if (products.length === 1 && only !== undefined) return only
  return graph.node('Concat', products, { attributes: { axis: 1 } })
}

/** As `addLinear`, but cut along the outputs into parts of `sizes`; matrices of these sizes are multiplied one by one, which saves the cut. */
export function addLinearParts(graph: GraphBuilder, x: string, matrices: readonly WeightMatrix[], sizes: readonly number[]): string[] {
  if (matrices.length === sizes.length) return matrices.map((matrix) => addProduct(graph, x, matrix))
  const product = addLinear(graph, x, matrices)
  const outputs = sizes.map((_, index) => `${product}_part${index}`)
  graph.node('Split', [product, graph.integers(sizes)], { outputs, attributes: { axis: 1 } })
  return outputs
}

function addProduct(graph: GraphBuilder, x: string, matrix: WeightMatrix): string {
  if (matrix.kind === 'nibbles') return addNibbleProduct(graph, x, matrix)
  if (matrix.kind === 'given' && matrix.form === 'int8') return addByteProduct(graph, x, matrix)
  if (matrix.kind === 'given') {
    const given = graph.input(matrix.name, 'float32', [matrix.outputs, matrix.inputs])
    return graph.node('FusedMatMul', [x, given], { domain: contributed, attributes: { transB: 1, alpha: { float: 1 } } })
  }
  const weights = graph.constant({ type: 'float32', dims: [matrix.inputs, matrix.outputs], data: matrix.values })
  return graph.node('MatMul', [x, weights])
}

function addNibbleProduct(graph: GraphBuilder, x: string, matrix: NibbleMatrix): string {
  const { inputs, outputs, planes, group = 32, nibbles, scales, offsets } = matrix
  const depth = planes * inputs
  const repeated = planes === 1 ? x : graph.node('Concat', [x, x], { attributes: { axis: 1 } })
  const packed = graph.constant({ type: 'uint8', dims: [outputs, depth / group, group / 2], data: nibbles })
  const scale = graph.constant({ type: 'float32', dims: [scales.length], data: scales })
  // Accuracy level 0 keeps activations in float32; no zero points means the symmetric 8.
  const attributes = { K: depth, N: outputs, bits: 4, block_size: group, accuracy_level: 0 }
  const product = graph.node('MatMulNBits', [repeated, packed, scale], { domain: contributed, attributes })
  if (offsets === undefined) return product
  const blocks = graph.node('Reshape', [x, graph.integers([-1, inputs / group, group])])
  const sums = graph.node('ReduceSum', [blocks, graph.integers([2])], { attributes: { keepdims: 0 } })
  const offset = graph.constant({ type: 'float32', dims: [inputs / group, outputs], data: offsets })
  return graph.node('Add', [product, graph.node('MatMul', [sums, offset])])
}
