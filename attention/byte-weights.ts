/** Turns float32 weights into the bytes that `byte-nodes.ts` multiplies with, by the runtime itself. */
import { addByteProduct, addRowScales, addSpread, scaleName } from './byte-nodes.ts'
import { GraphBuilder } from './onnx-model.ts'
import type { OnnxSession, OnnxTensor } from './runtime.ts'
import type { SessionPool } from './session-pool.ts'

export interface ByteWeights {
  /** int8 [K, N]: the weights of spread inputs. */
  readonly values: OnnxTensor
  /** float32 [N]: a weight is its byte times the scale of its output. */
  readonly scales: OnnxTensor
}

export class ByteWeightMaker {
  readonly #pool: SessionPool
  readonly #sessions = new Map<number, Promise<OnnxSession>>()

  constructor(pool: SessionPool) {
    this.#pool = pool
  }

  /** `weights`: float32 [N, K]. */
  async make(weights: Float32Array, outputs: number, inputs: number): Promise<ByteWeights> {
    const session = this.#sessions.get(inputs) ?? this.#pool.open(buildByteWeightsGraph(inputs))
    this.#sessions.set(inputs, session)
    const feeds = { weights: this.#pool.floats(weights, [outputs, inputs]) }
    return this.#pool.tensors(await session, feeds, ['values', 'scales'])
  }
}

/** weights [N, K] -> values int8 [K, N], scales [N]. */
export function buildByteWeightsGraph(inputs: number): GraphBuilder {
  const graph = new GraphBuilder('byte-weights')
  const spread = addSpread(graph, graph.input('weights', 'float32', ['N', inputs]), inputs)
  const scales = graph.node('Reshape', [addRowScales(graph, spread), graph.integers([-1])], { outputs: ['scales'] })
  const zero = graph.constant({ type: 'int8', dims: [1], data: new Int8Array(1) })
  const zeros = graph.node('Expand', [zero, graph.node('Shape', [scales])])
  const bytes = graph.node('QuantizeLinear', [spread, scales, zeros], { attributes: { axis: 0 } })
  graph.node('Transpose', [bytes], { outputs: ['values'], attributes: { perm: [1, 0] } })
  graph.output('values', 'int8', [inputs, 'N'])
  graph.output('scales', 'float32', ['N'])
  return graph
}

/**
 * Whether the runtime multiplies bytes and adds the products without overflow. Kernels for processors without integer dot products add
 * pairs of products in 16 bits, where large ones are cut off; others have no kernel at all.
 */
export async function multipliesBytes(pool: SessionPool): Promise<boolean> {
  const inputs = 64
  const outputs = 16
  const graph = new GraphBuilder('byte-probe')
  const x = graph.input('x', 'float32', ['S', inputs])
  graph.node('Identity', [addByteProduct(graph, x, { name: 'w', inputs, outputs })], { outputs: ['y'] })
  graph.output('y', 'float32', ['S', outputs])
  const feeds = {
    // Spread, this is 127 in each channel.
    x: pool.floats(
      Float32Array.from({ length: inputs }, (_, index) => (index === 0 ? 127 * Math.sqrt(inputs) : 0)),
      [1, inputs],
    ),
    w: pool.bytes(new Int8Array(inputs * outputs).fill(127), [inputs, outputs]),
    [scaleName('w')]: pool.floats(new Float32Array(outputs).fill(1), [outputs]),
  }
  try {
    const { y } = await pool.run(await pool.open(graph), feeds, ['y'])
    return y.every((value) => Math.abs(value / (127 * 127 * inputs) - 1) < 1e-3)
  } catch {
    return false
  }
}
