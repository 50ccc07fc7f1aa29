/** Reads and packs the weights of the layers and of the head from a GGUF file. */
import type { DecoderConfig } from './decoder.ts'
import { dequantise } from './dequantise.ts'
import { readTensorBytes, type GgufFile } from './gguf.ts'
import type { HeadWeights } from './head-graph.ts'
import type { LayerWeights } from './layer-graphs.ts'
import { type LayerTensor, layerTensors, type MatrixGroup, tensorName, type VectorName } from './layer-tensors.ts'
import { tensorNamed } from './model-config.ts'
import { packWeights, type WeightMatrix } from './packed-weights.ts'
import type { TensorType } from './tensor-types.ts'

/** A tensor as the file has it; the innermost dimension last. */
export interface FileTensor {
  readonly type: TensorType
  readonly bytes: Uint8Array
  readonly dims: readonly number[]
}

/** Tensors of a layer by the names of the graphs' inputs. */
export type FileLayer = Readonly<Record<string, FileTensor>>

/** The layers in order; the next is read while the caller works on one, as reading and packing take equally long. */
export async function* readLayers(file: GgufFile, config: DecoderConfig): AsyncGenerator<FileLayer> {
  let next = readLayer(file, 0, config)
  for (let layer = 1; layer <= config.layers; layer++) {
    const current = await next
    if (layer < config.layers) {
      next = readLayer(file, layer, config)
      // A caller that stops early never asks for it.
      next.catch(() => undefined)
    }
    yield current
  }
}

async function readLayer(file: GgufFile, layer: number, config: DecoderConfig): Promise<FileLayer> {
  const read = async (part: LayerTensor): Promise<[string, FileTensor]> => [part.input, await readTensor(file, tensorName(layer, part))]
  return Object.fromEntries(await Promise.all(layerTensors(config).map(read)))
}

async function readTensor(file: GgufFile, name: string): Promise<FileTensor> {
  const tensor = tensorNamed(file, name)
  return { type: tensor.type, bytes: await readTensorBytes(file, tensor), dims: tensor.dims.toReversed() }
}

export function packLayer(config: DecoderConfig, layer: FileLayer): LayerWeights {
  const vectors: Partial<Record<VectorName, Float32Array>> = {}
  const groups: Record<MatrixGroup, FileTensor[]> = { queryKeyValue: [], attentionOutput: [], gateUp: [], down: [] }
  for (const part of layerTensors(config)) {
    const tensor = layer[part.input]
    if (tensor === undefined) continue
    if (part.kind === 'vector') vectors[part.input] = dequantise(tensor.type, tensor.bytes)
    else groups[part.group].push(tensor)
  }
  return {
    ...vectors,
    queryKeyValue: packMatrices(groups.queryKeyValue),
    attentionOutput: packMatrices(groups.attentionOutput),
    gateUp: packMatrices(groups.gateUp),
    down: packMatrices(groups.down),
  }
}

/** A file without an output matrix reuses its embeddings. */
export async function loadHeadWeights(file: GgufFile): Promise<HeadWeights> {
  const name = file.tensors.has('output.weight') ? 'output.weight' : 'token_embd.weight'
  const norm = await readTensor(file, 'output_norm.weight')
  return { norm: dequantise(norm.type, norm.bytes), output: packMatrices([await readTensor(file, name)]) }
}

/** One matrix where all types agree, else one for each tensor. */
function packMatrices(tensors: readonly FileTensor[]): WeightMatrix[] {
  const [first] = tensors
  if (first === undefined) return []
  const inputs = first.dims.at(-1) ?? 0
  if (tensors.every(({ type }) => type === first.type)) return [packWeights(first.type, joinBytes(tensors), inputs)]
  return tensors.map(({ type, bytes }) => packWeights(type, bytes, inputs))
}

function joinBytes(tensors: readonly FileTensor[]): Uint8Array {
  const [only] = tensors
  if (tensors.length === 1 && only !== undefined) return only.bytes
  const whole = new Uint8Array(tensors.reduce((sum, { bytes }) => sum + bytes.length, 0))
  let at = 0
  for (const { bytes } of tensors) {
    whole.set(bytes, at)
    at += bytes.length
  }
  return whole
}
