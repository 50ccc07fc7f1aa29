/** Loads and packs the weights of one layer, or of the head, from a GGUF file. */
import type { DecoderConfig } from './decoder.ts'
import { dequantise } from './dequantise.ts'
import { readTensorBytes, type GgufFile } from './gguf.ts'
import type { HeadWeights } from './head-graph.ts'
import type { LayerWeights } from './layer-graphs.ts'
import { layerTensors, type MatrixGroup, tensorName, type VectorName } from './layer-tensors.ts'
import { tensorNamed } from './model-config.ts'
import { packWeights, type WeightMatrix } from './packed-weights.ts'

export async function loadLayerWeights(file: GgufFile, layer: number, config: DecoderConfig): Promise<LayerWeights> {
  const vectors: Partial<Record<VectorName, Float32Array>> = {}
  const names: Record<MatrixGroup, string[]> = { queryKeyValue: [], attentionOutput: [], gateUp: [], down: [] }
  for (const tensor of layerTensors(config)) {
    const name = tensorName(layer, tensor)
    if (tensor.kind === 'vector') vectors[tensor.input] = await loadVector(file, name)
    else names[tensor.group].push(name)
  }
  return {
    ...vectors,
    queryKeyValue: await loadMatrices(file, names.queryKeyValue),
    attentionOutput: await loadMatrices(file, names.attentionOutput),
    gateUp: await loadMatrices(file, names.gateUp),
    down: await loadMatrices(file, names.down),
  }
}

/** A file without an output matrix reuses its embeddings. */
export async function loadHeadWeights(file: GgufFile): Promise<HeadWeights> {
  const name = file.tensors.has('output.weight') ? 'output.weight' : 'token_embd.weight'
  return { norm: await loadVector(file, 'output_norm.weight'), output: await loadMatrices(file, [name]) }
}

async function loadVector(file: GgufFile, name: string): Promise<Float32Array> {
  const tensor = tensorNamed(file, name)
  return dequantise(tensor.type, await readTensorBytes(file, tensor))
}

/** One matrix where all types agree, else one for each name. */
async function loadMatrices(file: GgufFile, names: readonly string[]): Promise<WeightMatrix[]> {
  const tensors = names.map((name) => tensorNamed(file, name))
  const parts = await Promise.all(tensors.map((tensor) => readTensorBytes(file, tensor)))
  const [first] = tensors
  if (first === undefined) return []
  const inputs = first.dims[0] ?? 0
  if (tensors.every(({ type }) => type === first.type)) return [packWeights(first.type, joinBytes(parts), inputs)]
  return tensors.map(({ type }, index) => packWeights(type, parts[index] ?? new Uint8Array(0), inputs))
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
