/**
 * Float32 weights of a layer as inputs of the graphs that serve all layers. Many rows at once go through these: float32 arithmetic is fastest
 * then, and one session keeps the memory of its activations, where a session a layer would ask for fresh memory in each run. They are
 * de-quantised when first needed, so that loading and decoding need not wait for them, nor hold them.
 */
import { scaleName } from './byte-nodes.ts'
import type { ByteWeightMaker } from './byte-weights.ts'
import type { DecoderConfig } from './decoder.ts'
import { dequantise } from './dequantise.ts'
import { readTensorBytes, type GgufFile } from './gguf.ts'
import type { LayerWeights } from './layer-graphs.ts'
import { tensorNamed } from './model-config.ts'
import type { GivenForm, GivenMatrix } from './packed-weights.ts'
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
export function givenWeights({ hidden, heads, kvHeads, headDim, feedForward }: DecoderConfig, form: GivenForm): LayerWeights {
  const given = (name: string, inputs: number, outputs: number): GivenMatrix => ({
    kind: 'given',
    form: formOf(name, form),
    name,
    inputs,
    outputs,
  })
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

/** The heads' outputs keep float32: of all inputs theirs lose most as bytes, and their matrix is the smallest of a layer. */
function formOf(name: string, form: GivenForm): GivenForm {
  return name === 'attentionOutput' ? 'float32' : form
}

/** Size of the given matrices of a layer. */
export function denseLayerBytes({ hidden, heads, kvHeads, headDim, feedForward }: DecoderConfig, form: GivenForm): number {
  const size = form === 'int8' ? 1 : 4
  return hidden * (4 * heads * headDim + size * (heads * headDim + 2 * kvHeads * headDim + 3 * feedForward))
}

/** Inputs of the two graphs. */
export interface GivenLayer {
  readonly projection: GivenTensors
  readonly feedForward: GivenTensors
}

/** How layers are given. */
export interface GivenOptions {
  readonly pool: SessionPool
  readonly form: GivenForm
  readonly maker: ByteWeightMaker
}

export class DenseLayer {
  readonly #options: GivenOptions
  #quantised: Readonly<Record<keyof GivenLayer, QuantisedTensors>> | undefined
  #given: Promise<GivenLayer> | undefined

  private constructor(options: GivenOptions, quantised: Readonly<Record<keyof GivenLayer, QuantisedTensors>>) {
    this.#options = options
    this.#quantised = quantised
  }

  static async load(file: GgufFile, layer: number, options: GivenOptions): Promise<DenseLayer> {
    const projection = await readParts(file, layer, projectionParts)
    return new DenseLayer(options, { projection, feedForward: await readParts(file, layer, feedForwardParts) })
  }

  /** The weights as inputs; the first call de-quantises them. */
  given(): Promise<GivenLayer> {
    this.#given ??= this.#make()
    return this.#given
  }

  async #make(): Promise<GivenLayer> {
    const { projection = {}, feedForward = {} } = this.#quantised ?? {}
    const given = { projection: await this.#giveAll(projection), feedForward: await this.#giveAll(feedForward) }
    // The bytes of the file are not needed any more.
    this.#quantised = undefined
    return given
  }

  async #giveAll(parts: QuantisedTensors): Promise<GivenTensors> {
    const { pool, form, maker } = this.#options
    const given: Record<string, OnnxTensor> = {}
    for (const [name, { type, bytes, dims }] of Object.entries(parts)) {
      const floats = dequantise(type, bytes)
      const [outputs, inputs] = dims
      if (formOf(name, form) === 'float32' || outputs === undefined || inputs === undefined) given[name] = pool.floats(floats, dims)
      else {
        const { values, scales } = await maker.make(floats, outputs, inputs)
        given[name] = values
        given[scaleName(name)] = scales
      }
    }
    return given
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
