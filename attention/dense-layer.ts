/**
 * Weights of a layer, as float32 or as bytes, as inputs of the graphs that serve all layers. Many rows at once go through these: their arithmetic
 * is fastest then, and one session keeps the memory of its activations, where a session a layer would ask for fresh memory in each run. They are
 * made when first needed, so that loading and decoding need not wait for them, nor hold them.
 */
import { scaleName } from './byte-nodes.ts'
import type { ByteWeightMaker } from './byte-weights.ts'
import type { DecoderConfig } from './decoder.ts'
import { dequantise } from './dequantise.ts'
import type { LayerWeights } from './layer-graphs.ts'
import { type LayerGraph, layerTensors, type MatrixGroup, type VectorName } from './layer-tensors.ts'
import type { FileLayer } from './layer-weights.ts'
import type { GivenForm, GivenMatrix } from './packed-weights.ts'
import type { OnnxTensor } from './runtime.ts'
import type { SessionPool } from './session-pool.ts'

export type GivenTensors = Readonly<Record<string, OnnxTensor>>

/** The weights of `buildProjectionGraph` and `buildFeedForwardGraph` when each run is given its layer's. */
export function givenWeights(config: DecoderConfig, form: GivenForm): LayerWeights {
  const vectors: Partial<Record<VectorName, string>> = {}
  const matrices: Record<MatrixGroup, GivenMatrix[]> = { queryKeyValue: [], attentionOutput: [], gateUp: [], down: [] }
  for (const tensor of layerTensors(config)) {
    const [inputs = 0, outputs = 0] = tensor.dims
    if (tensor.kind === 'vector') vectors[tensor.input] = tensor.input
    else matrices[tensor.group].push({ kind: 'given', form: formOf(tensor.input, form), name: tensor.input, inputs, outputs })
  }
  return { ...vectors, ...matrices }
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
  #tensors: Readonly<Record<keyof GivenLayer, FileLayer>>
  #given: Promise<GivenLayer> | undefined

  constructor(config: DecoderConfig, layer: FileLayer, options: GivenOptions) {
    this.#options = options
    this.#tensors = { projection: partsOf(layer, config, 'projection'), feedForward: partsOf(layer, config, 'feedForward') }
  }

  /** The weights as inputs; the first call makes them. */
  given(): Promise<GivenLayer> {
    this.#given ??= this.#make()
    return this.#given
  }

  async #make(): Promise<GivenLayer> {
    const { projection, feedForward } = this.#tensors
    const given = { projection: await this.#giveAll(projection), feedForward: await this.#giveAll(feedForward) }
    this.#tensors = { projection: {}, feedForward: {} }
    return given
  }

  async #giveAll(parts: FileLayer): Promise<GivenTensors> {
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

function partsOf(layer: FileLayer, config: DecoderConfig, graph: LayerGraph): FileLayer {
  const names = layerTensors(config).filter((part) => part.graph === graph)
  return Object.fromEntries(names.flatMap(({ input }) => (layer[input] === undefined ? [] : [[input, layer[input]]])))
}
