/**
 * Float32 weights of a layer as inputs of the graphs that serve all layers. Many rows at once go through these: float32 arithmetic is fastest
 * then, and one session keeps the memory of its activations, where a session a layer would ask for fresh memory in each run. They are
 * de-quantised when first needed, so that loading and decoding need not wait for them, nor hold them.
 */
import type { DecoderConfig } from './decoder.ts'
import { dequantise } from './dequantise.ts'
import { readTensorBytes, type GgufFile } from './gguf.ts'
import type { LayerWeights } from './layer-graphs.ts'
import { tensorNamed } from './model-config.ts'
import type { GivenMatrix } from './packed-weights.ts'
import type { OnnxTensor } from './runtime.ts'
import type { SessionPool } from './session-pool.ts'
import type { TensorType } from './tensor-types.ts'

/** Inputs of the projection graph and their tensors in the file. */
const projectionParts = { attentionNorm: 'attn_norm', query: 'attn_q', key: 'attn_k', value: 'attn_v' }

/** Inputs of the feed-forward graph and their tensors in the file. */
const feedForwardParts = {
  attentionOutput: 'attn_output',
  feedForwardNorm: 'ffn_norm',
  gate: 'ffn_gate',
  up: 'ffn_up',
  down: 'ffn_down',
}

export type GivenTensors = Readonly<Record<string, OnnxTensor>>

interface QuantisedTensor {
  readonly type: TensorType
  readonly bytes: Uint8Array
  readonly dims: readonly number[]
}

type QuantisedTensors = Readonly<Record<string, QuantisedTensor>>

/** The weights of `buildProjectionGraph` and `buildFeedForwardGraph` when each run is given its layer's. */
export function givenWeights({ hidden, heads, kvHeads, headDim, feedForward }: DecoderConfig): LayerWeights {
  const given = (name: string, inputs: number, outputs: number): GivenMatrix => ({ kind: 'given', name, inputs, outputs })
  return {
    attentionNorm: 'attentionNorm',
    queryKeyValue: [
      given('query', hidden, heads * headDim),
      given('key', hidden, kvHeads * headDim),
      given('value', hidden, kvHeads * headDim),
    ],
    attentionOutput: [given('attentionOutput', heads * headDim, hidden)],
    feedForwardNorm: 'feedForwardNorm',
    gateUp: [given('gate', hidden, feedForward), given('up', hidden, feedForward)],
    down: [given('down', feedForward, hidden)],
  }
}

/** Size of the float32 matrices of a layer. */
export function denseLayerBytes({ hidden, heads, kvHeads, headDim, feedForward }: DecoderConfig): number {
  return 4 * hidden * (2 * heads * headDim + 2 * kvHeads * headDim + 3 * feedForward)
}

/** Inputs of the two graphs. */
export interface GivenLayer {
  readonly projection: GivenTensors
  readonly feedForward: GivenTensors
}

export class DenseLayer {
  readonly #pool: SessionPool
  /** The bytes of the file until they are de-quantised, then the inputs. */
  #parts: { readonly quantised: Readonly<Record<keyof GivenLayer, QuantisedTensors>> } | { readonly given: GivenLayer }

  private constructor(pool: SessionPool, quantised: Readonly<Record<keyof GivenLayer, QuantisedTensors>>) {
    this.#pool = pool
    this.#parts = { quantised }
  }

  static async load(file: GgufFile, layer: number, pool: SessionPool): Promise<DenseLayer> {
    const projection = await readParts(file, layer, projectionParts)
    return new DenseLayer(pool, { projection, feedForward: await readParts(file, layer, feedForwardParts) })
  }

  /** The weights as inputs; the first call de-quantises them. */
  given(): GivenLayer {
    if ('given' in this.#parts) return this.#parts.given
    const { projection, feedForward } = this.#parts.quantised
    const given = { projection: this.#dense(projection), feedForward: this.#dense(feedForward) }
    this.#parts = { given }
    return given
  }

  #dense(parts: QuantisedTensors): GivenTensors {
    const entries = Object.entries(parts).map(([name, { type, bytes, dims }]) => [name, this.#pool.floats(dequantise(type, bytes), dims)])
    return Object.fromEntries(entries) as GivenTensors
  }
}

async function readParts(file: GgufFile, layer: number, parts: Readonly<Record<string, string>>): Promise<QuantisedTensors> {
  const found: Record<string, QuantisedTensor> = {}
  for (const [name, part] of Object.entries(parts)) {
    const tensor = tensorNamed(file, `blk.${layer}.${part}.weight`)
    // The file names the innermost dimension first.
    found[name] = { type: tensor.type, bytes: await readTensorBytes(file, tensor), dims: tensor.dims.toReversed() }
  }
  return found
}
