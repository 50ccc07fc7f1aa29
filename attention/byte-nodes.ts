/**
 * Graph nodes that multiply in eight-bit integers: y = x W with x as bytes with one scale a row and W as bytes with one scale an output.
 * Processors with integer dot products multiply these more than twice as fast as float32. A row's bytes depend on that row only, so that
 * sequences that run together do not change each other.
 *
 * A few channels of a transformer's activations are many times larger than the rest and would leave the rest few of the 255 steps. Hence
 * rows and weights are first turned by the same orthogonal matrix, which spreads each channel over a block and leaves the product as it is
 * (Ashkboos et al., 2024, QuaRot, section 3).
 */
import type { GraphBuilder } from './onnx-model.ts'

/** Most channels that are spread over each other. */
const mostSpread = 64

/** Keeps the scale of a row of zeros from being zero. */
const smallestScale = 1e-30

const largestByte = 127

export interface ByteMatrix {
  readonly name: string
  readonly inputs: number
  readonly outputs: number
}

/** Rows as bytes about 128, [S, K], and their scales [S, 1]. */
interface ByteRows {
  readonly bytes: string
  readonly scales: string
}

/** Rows that several matrices share are turned into bytes once. */
const known = new WeakMap<GraphBuilder, Map<string, ByteRows>>()

/** Adds the product of float32 rows `x` [S, K] and the inputs `name` int8 [K, N] and `nameScale` float32 [N]: float32 [S, N]. */
export function addByteProduct(graph: GraphBuilder, x: string, { name, inputs, outputs }: ByteMatrix): string {
  const { bytes, scales } = byteRows(graph, x, inputs)
  const weights = graph.input(name, 'int8', [inputs, outputs])
  const weightScales = graph.input(scaleName(name), 'float32', [outputs])
  const feeds = [bytes, weights, scalar(graph, 1), weightScales, middle(graph, [])]
  const product = graph.node('MatMulIntegerToFloat', feeds, { domain: 'com.microsoft' })
  return graph.node('Mul', [product, scales])
}

/** Input that holds the scales of the matrix `name`. */
export function scaleName(name: string): string {
  return `${name}Scale`
}

/** Adds the rows of `x` [S, K] with their channels spread over blocks: multiplied by a block-diagonal Hadamard matrix, which is its own inverse. */
export function addSpread(graph: GraphBuilder, x: string, width: number): string {
  const size = spreadSize(width)
  if (size === 1) return x
  const matrix = graph.constant({ type: 'float32', dims: [size, size], data: hadamard(size) })
  const blocks = graph.node('Reshape', [x, graph.integers([-1, size])])
  return graph.node('Reshape', [graph.node('MatMul', [blocks, matrix]), graph.integers([-1, width])])
}

/** Adds the scale of each row of `x`, [S, 1]: its largest value becomes 127. */
export function addRowScales(graph: GraphBuilder, x: string): string {
  const peaks = graph.node('ReduceMax', [graph.node('Abs', [x]), graph.integers([1])], { attributes: { keepdims: 1 } })
  return graph.node('Max', [graph.node('Mul', [peaks, scalar(graph, 1 / largestByte)]), scalar(graph, smallestScale)])
}

function byteRows(graph: GraphBuilder, x: string, width: number): ByteRows {
  const ofGraph = known.get(graph) ?? new Map<string, ByteRows>()
  known.set(graph, ofGraph)
  const rows = ofGraph.get(x) ?? addByteRows(graph, addSpread(graph, x, width))
  ofGraph.set(x, rows)
  return rows
}

function addByteRows(graph: GraphBuilder, x: string): ByteRows {
  const scales = addRowScales(graph, x)
  const flat = graph.node('Reshape', [scales, graph.integers([-1])])
  const zeros = graph.node('Expand', [middle(graph, [1]), graph.node('Shape', [flat])])
  return { bytes: graph.node('QuantizeLinear', [x, flat, zeros], { attributes: { axis: 0 } }), scales }
}

/** Largest power of two that divides the width, up to a limit. */
function spreadSize(width: number): number {
  let size = mostSpread
  while (width % size !== 0) size /= 2
  return size
}

/** Sylvester's matrix divided by the root of its size. */
function hadamard(size: number): Float32Array {
  const values = new Float32Array(size * size)
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) values[row * size + column] = (isOdd(row & column) ? -1 : 1) / Math.sqrt(size)
  }
  return values
}

/** Whether a number has an odd count of one bits. */
function isOdd(bits: number): boolean {
  let rest = bits
  let odd = false
  for (; rest !== 0; rest &= rest - 1) odd = !odd
  return odd
}

function scalar(graph: GraphBuilder, value: number): string {
  return graph.constant({ type: 'float32', dims: [], data: Float32Array.of(value) })
}

function middle(graph: GraphBuilder, dims: readonly number[]): string {
  return graph.constant({ type: 'uint8', dims, data: Uint8Array.of(128) })
}
