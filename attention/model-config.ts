/** Reads a decoder's shape out of the metadata of a GGUF file and checks that the tensors fit it. */
import type { DecoderConfig } from './decoder.ts'
import type { GgufFile, GgufTensor } from './gguf.ts'
import { modelFileError, shown } from './header-reader.ts'

const supportedArchitecture = 'llama'

/** Largest plausible value of any size in the metadata; the tensors are checked against the file besides. */
const mostSize = 1 << 24

/**
 * Shape of the decoder in `file`.
 *
 * @throws ModelFileError when the architecture is not supported, or metadata is missing or cannot be
 */
export function readConfig(file: GgufFile): DecoderConfig {
  const architecture = text(file, 'general.architecture')
  if (architecture !== supportedArchitecture) {
    throw modelFileError(file.source, `its architecture is not supported: ${architecture}. Supported: ${supportedArchitecture}`)
  }
  const heads = size(file, 'llama.attention.head_count')
  const hidden = size(file, 'llama.embedding_length')
  const headDim = size(file, 'llama.attention.key_length', hidden / heads)
  const config: DecoderConfig = {
    architecture,
    name: text(file, 'general.name', architecture),
    layers: size(file, 'llama.block_count'),
    hidden,
    heads,
    kvHeads: size(file, 'llama.attention.head_count_kv', heads),
    headDim,
    feedForward: size(file, 'llama.feed_forward_length'),
    vocabulary: vocabularyOf(file),
    window: size(file, 'llama.context_length'),
    ropeBase: real(file, 'llama.rope.freq_base', 10_000),
    normEpsilon: real(file, 'llama.attention.layer_norm_rms_epsilon', 1e-5),
    weightForm: weightForm(file),
  }
  checkHeads(file, config)
  checkTensors(file, config)
  return config
}

/** The tensor called `name`. @throws ModelFileError when there is none */
export function tensorNamed(file: GgufFile, name: string): GgufTensor {
  const tensor = file.tensors.get(name)
  if (tensor === undefined) throw modelFileError(file.source, `it has no tensor ${name}`)
  return tensor
}

function checkHeads(file: GgufFile, { heads, kvHeads, headDim }: DecoderConfig): void {
  if (heads % kvHeads !== 0) throw modelFileError(file.source, `${kvHeads} key/value heads do not divide ${heads} query heads`)
  if (headDim % 2 !== 0) throw modelFileError(file.source, `the head dimension is not even: ${headDim}`)
  const rotated = size(file, 'llama.rope.dimension_count', headDim)
  if (rotated !== headDim)
    throw modelFileError(file.source, `only part of each head is rotated, which is not supported: ${rotated} of ${headDim}`)
  const valueDim = size(file, 'llama.attention.value_length', headDim)
  if (valueDim !== headDim)
    throw modelFileError(file.source, `keys and values differ in size, which is not supported: ${headDim} and ${valueDim}`)
  const scaling = text(file, 'llama.rope.scaling.type', 'none')
  if (scaling !== 'none') throw modelFileError(file.source, `its rotary scaling is not supported: ${scaling}`)
}

/** Every tensor must be one that the graphs use, in the right shape: an unknown one would be left out in silence. */
function checkTensors(file: GgufFile, config: DecoderConfig): void {
  const expected = expectedTensors(config)
  for (const [name, dims] of expected) {
    if (name === 'output.weight' && !file.tensors.has(name)) continue
    const tensor = tensorNamed(file, name)
    if (tensor.dims.join() !== dims.join()) {
      throw modelFileError(
        file.source,
        `tensor ${name} has the shape ${tensor.dims.join(' x ')} and its metadata ask for ${dims.join(' x ')}`,
      )
    }
    if (dims.length === 1 && tensor.type !== 'F32') throw modelFileError(file.source, `tensor ${name} is not of type F32: ${tensor.type}`)
  }
  for (const name of file.tensors.keys()) {
    if (!expected.has(name)) throw modelFileError(file.source, `it has a tensor that is not supported: ${name}`)
  }
}

function expectedTensors(config: DecoderConfig): Map<string, readonly number[]> {
  const { hidden, headDim, feedForward, vocabulary } = config
  const queries = config.heads * headDim
  const keys = config.kvHeads * headDim
  const tensors = new Map<string, readonly number[]>([
    ['token_embd.weight', [hidden, vocabulary]],
    ['output_norm.weight', [hidden]],
    ['output.weight', [hidden, vocabulary]],
  ])
  for (let layer = 0; layer < config.layers; layer++) {
    tensors.set(`blk.${layer}.attn_norm.weight`, [hidden])
    tensors.set(`blk.${layer}.attn_q.weight`, [hidden, queries])
    tensors.set(`blk.${layer}.attn_k.weight`, [hidden, keys])
    tensors.set(`blk.${layer}.attn_v.weight`, [hidden, keys])
    tensors.set(`blk.${layer}.attn_output.weight`, [queries, hidden])
    tensors.set(`blk.${layer}.ffn_norm.weight`, [hidden])
    tensors.set(`blk.${layer}.ffn_gate.weight`, [hidden, feedForward])
    tensors.set(`blk.${layer}.ffn_up.weight`, [hidden, feedForward])
    tensors.set(`blk.${layer}.ffn_down.weight`, [feedForward, hidden])
  }
  return tensors
}

function vocabularyOf(file: GgufFile): number {
  const rows = tensorNamed(file, 'token_embd.weight').dims[1]
  const stated = size(file, 'llama.vocab_size', rows)
  if (rows !== stated) throw modelFileError(file.source, `llama.vocab_size is ${stated} and token_embd.weight has ${rows} rows`)
  return stated
}

/** The tensor types that matrices use, most frequent first. */
function weightForm(file: GgufFile): string {
  const counts = new Map<string, number>()
  for (const { type, dims } of file.tensors.values()) if (dims.length > 1) counts.set(type, (counts.get(type) ?? 0) + 1)
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([type]) => type.toLowerCase())
    .join('+')
}

function size(file: GgufFile, key: string, fallback?: number): number {
  const value = file.metadata.get(key) ?? fallback
  if (value === undefined) throw modelFileError(file.source, `its metadata lack ${key}`)
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > mostSize) {
    throw modelFileError(file.source, `${key} is not a whole number from 1 to ${mostSize}: ${shown(value)}`)
  }
  return value
}

function real(file: GgufFile, key: string, fallback: number): number {
  const value = file.metadata.get(key) ?? fallback
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw modelFileError(file.source, `${key} is not a positive number: ${shown(value)}`)
  }
  return value
}

function text(file: GgufFile, key: string, fallback?: string): string {
  const value = file.metadata.get(key) ?? fallback
  if (value === undefined) throw modelFileError(file.source, `its metadata lack ${key}`)
  if (typeof value !== 'string') throw modelFileError(file.source, `${key} is not text: ${shown(value)}`)
  return value
}
