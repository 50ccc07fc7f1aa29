/** Reads a decoder's shape out of the metadata of a model file and checks that the tensors fit it. */
import { queryWidth, supportedArchitectures, traitsOf } from './architectures.ts'
import type { DecoderConfig } from './decoder.ts'
import { dequantise } from './dequantise.ts'
import { readTensorBytes, type GgufFile, type GgufTensor } from './gguf.ts'
import { modelFileError } from './header-reader.ts'
import { layerTensors, tensorName } from './layer-tensors.ts'
import { MetadataValues } from './metadata-values.ts'
import { divisorTensors, readRotaryRule, readSlidingRule, ruleText } from './rotary-rules.ts'

/** Metadata that change what a model computes in ways that the graphs do not know. */
const unsupported: readonly (readonly [key: string, what: string])[] = [
  ['expert_count', 'mixtures of experts'],
  ['attn_logit_softcapping', 'soft-capping of attention scores'],
  ['final_logit_softcapping', 'soft-capping of logits'],
  ['attention.clamp_kqv', 'clamped queries, keys and values'],
  ['logit_scale', 'scaled logits'],
  ['residual_scale', 'scaled residuals'],
  ['embedding_scale', 'scaled embeddings'],
  ['use_parallel_residual', 'attention and feed-forward side by side'],
]

/**
 * Shape of the decoder in `file`. No tensor is read: divisors of rotary frequencies are not in it yet (see `loadConfig`).
 *
 * @throws ModelFileError when the architecture or a feature is not supported, or metadata or tensors are missing or cannot be
 */
export function readConfig(file: GgufFile): DecoderConfig {
  const general = new MetadataValues(file, 'general.')
  const architecture = general.text('architecture')
  const traits = traitsOf(architecture)
  if (traits === undefined) {
    throw modelFileError(file.source, `its architecture is not supported: ${architecture}. Supported: ${supportedArchitectures.join(', ')}`)
  }
  const values = new MetadataValues(file, `${architecture}.`)
  refuseUnsupported(values)
  const layers = values.size('block_count')
  // Before anything is made for each layer: a count alone must not cost memory.
  if (layers > file.tensors.size) return values.refuse(`block_count is ${layers} and there are ${file.tensors.size} tensors`)
  const hidden = values.size('embedding_length')
  const heads = values.size('attention.head_count')
  const headDim = values.size('attention.key_length', hidden / heads)
  const sliding = slidingOf(values, traits.slidingPeriod, layers)
  const rope = readRotaryRule(values, file.tensors)
  const config = {
    architecture,
    traits,
    name: general.text('name', architecture),
    layers,
    hidden,
    heads,
    kvHeads: values.size('attention.head_count_kv', heads),
    headDim,
    feedForward: values.size('feed_forward_length'),
    vocabulary: vocabularyOf(file, values),
    window: values.size('context_length'),
    ...sliding,
    queryScale: queryScale(values, headDim, queryWidth(architecture, { layers, hidden, heads })),
    ropeBase: rope.base,
    rope,
    ...(sliding.slidingWindow !== undefined && traits.ownSlidingBase && { slidingRope: readSlidingRule(values) }),
    alibiBias: values.isOn('attention.max_alibi_bias') ? values.real('attention.max_alibi_bias') : 0,
    normEpsilon: values.real('attention.layer_norm_rms_epsilon', 1e-5),
    weightForm: weightForm(file),
  }
  checkHeads(values, config)
  checkTensors(file, config)
  return { ...config, ropeForm: ropeForm(config) }
}

/**
 * As `readConfig`, with the divisors of rotary frequencies that a tensor of the file holds.
 *
 * @throws ModelFileError also when a divisor is not a positive number
 */
export async function loadConfig(file: GgufFile): Promise<DecoderConfig> {
  const config = readConfig(file)
  const { divisorTensor } = config.rope
  if (divisorTensor === undefined) return config
  const tensor = tensorNamed(file, divisorTensor)
  const divisors = [...dequantise(tensor.type, await readTensorBytes(file, tensor))]
  const wrong = divisors.find((divisor) => !(Number.isFinite(divisor) && divisor > 0))
  if (wrong !== undefined)
    throw modelFileError(file.source, `tensor ${divisorTensor} holds a divisor that is not a positive number: ${wrong}`)
  const complete = { ...config, rope: { ...config.rope, divisors } }
  return { ...complete, ropeForm: ropeForm(complete) }
}

/** The tensor called `name`. @throws ModelFileError when there is none */
export function tensorNamed(file: GgufFile, name: string): GgufTensor {
  const tensor = file.tensors.get(name)
  if (tensor === undefined) throw modelFileError(file.source, `it has no tensor ${name}`)
  return tensor
}

function refuseUnsupported(values: MetadataValues): void {
  for (const [key, what] of unsupported) if (values.isOn(key)) values.refuse(`it asks for what is not supported: ${what} (${key})`)
  if (values.raw('attention.causal') === false)
    values.refuse('it asks for what is not supported: attention to later tokens (attention.causal)')
}

/** The layers that see a window only: by the file's own list or period, else by the architecture's period. */
function slidingOf(
  values: MetadataValues,
  period: number | undefined,
  layers: number,
): Pick<DecoderConfig, 'slidingWindow' | 'slidingLayers'> {
  if (!values.isOn('attention.sliding_window')) return { slidingLayers: [] }
  if (period === undefined)
    return values.refuse('it asks for what is not supported: a sliding window in this architecture (attention.sliding_window)')
  const slidingWindow = values.size('attention.sliding_window')
  const pattern = values.raw('attention.sliding_window_pattern')
  if (Array.isArray(pattern)) {
    const known = pattern.length === layers && pattern.every((one) => typeof one === 'boolean')
    if (!known) return values.refuse(`attention.sliding_window_pattern is not a list of ${layers} truth values`)
    return { slidingWindow, slidingLayers: pattern }
  }
  const every = values.size('attention.sliding_window_pattern', period)
  return { slidingWindow, slidingLayers: Array.from({ length: layers }, (_, layer) => every === 1 || layer % every < every - 1) }
}

/** Attention divides by the root of the head's size; this is what a query is multiplied by where a model does otherwise. */
function queryScale(values: MetadataValues, headDim: number, width: number | undefined): number {
  const scale = width === undefined ? undefined : 1 / Math.sqrt(width)
  const stated = values.isOn('attention.scale') ? values.real('attention.scale') : scale
  return stated === undefined ? 1 : stated * Math.sqrt(headDim)
}

function ropeForm({ traits, rope, slidingRope, alibiBias }: Omit<DecoderConfig, 'ropeForm'>): string {
  if (alibiBias > 0) return `alibi ${alibiBias}`
  const sliding = slidingRope === undefined ? '' : `; sliding layers: ${ruleText(slidingRope)}`
  return `${traits.rotaryPairs}, ${ruleText(rope)}${sliding}`
}

function checkHeads(values: MetadataValues, { heads, kvHeads, headDim }: Pick<DecoderConfig, 'heads' | 'kvHeads' | 'headDim'>): void {
  if (heads % kvHeads !== 0) values.refuse(`${kvHeads} key/value heads do not divide ${heads} query heads`)
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) values.refuse(`the head dimension is not even: ${headDim}`)
  const rotated = values.size('rope.dimension_count', headDim)
  if (rotated !== headDim) values.refuse(`only part of each head is rotated, which is not supported: ${rotated} of ${headDim}`)
  const valueDim = values.size('attention.value_length', headDim)
  if (valueDim !== headDim) values.refuse(`keys and values differ in size, which is not supported: ${headDim} and ${valueDim}`)
}

type Checked = Omit<DecoderConfig, 'ropeForm'>

/** Every tensor must be one that the graphs use, in the right shape: an unknown one would be left out in silence. */
function checkTensors(file: GgufFile, config: Checked): void {
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
  // Of LongRoPE's two sets the window chooses one; the other has its place in the file all the same.
  const unused = new Set<string>(config.rope.divisorTensor === divisorTensors.llama3 ? [] : [divisorTensors.long, divisorTensors.short])
  for (const name of file.tensors.keys()) {
    if (!expected.has(name) && !unused.has(name)) throw modelFileError(file.source, `it has a tensor that is not supported: ${name}`)
  }
}

function expectedTensors(config: Checked): Map<string, readonly number[]> {
  const { hidden, vocabulary, headDim, rope } = config
  const tensors = new Map<string, readonly number[]>([
    ['token_embd.weight', [hidden, vocabulary]],
    ['output_norm.weight', [hidden]],
    ['output.weight', [hidden, vocabulary]],
  ])
  if (rope.divisorTensor !== undefined) tensors.set(rope.divisorTensor, [headDim / 2])
  const ofLayer = layerTensors(config)
  for (let layer = 0; layer < config.layers; layer++) {
    for (const tensor of ofLayer) tensors.set(tensorName(layer, tensor), tensor.dims)
  }
  return tensors
}

function vocabularyOf(file: GgufFile, values: MetadataValues): number {
  const rows = tensorNamed(file, 'token_embd.weight').dims[1]
  const stated = values.size('vocab_size', rows)
  if (rows !== stated) values.refuse(`vocab_size is ${stated} and token_embd.weight has ${rows} rows`)
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
