/** The settings of a model's folder (`config.json`) as the metadata of a GGUF file. */
import type { FolderArchitecture } from './folder-architectures.ts'
import { shown } from './header-reader.ts'
import { folderError, isObject, type JsonObject } from './json-file.ts'

/** GGUF keys, less the architecture, by the names in `config.json`. */
const keys: readonly (readonly [name: string, key: string])[] = [
  ['num_hidden_layers', 'block_count'],
  ['max_position_embeddings', 'context_length'],
  ['hidden_size', 'embedding_length'],
  ['intermediate_size', 'feed_forward_length'],
  ['num_attention_heads', 'attention.head_count'],
  ['num_key_value_heads', 'attention.head_count_kv'],
  ['head_dim', 'attention.key_length'],
  ['head_dim', 'attention.value_length'],
  ['rope_theta', 'rope.freq_base'],
  ['rms_norm_eps', 'attention.layer_norm_rms_epsilon'],
]

const activations = new Set<unknown>(['silu', 'swish', 'gelu_pytorch_tanh'])

/**
 * Metadata by GGUF keys, without the tokenizer's.
 *
 * @throws ModelFileError when the settings ask for something that has no form in GGUF metadata, or is not supported
 */
export function folderMetadata(config: JsonObject, { name: architecture }: FolderArchitecture, label: string): Map<string, unknown> {
  const refuse = (why: string): never => {
    throw folderError(`${label}/config.json`, why)
  }
  if (config['quantization_config'] !== undefined) refuse('its weights are quantised, which is not supported in this format')
  const activation = config['hidden_activation'] ?? config['hidden_act'] ?? 'silu'
  if (!activations.has(activation)) refuse(`its activation is not supported: ${shown(activation)}`)
  const metadata = new Map<string, unknown>([
    ['general.architecture', architecture],
    ['general.name', nameOf(config, label)],
  ])
  const rope = isObject(config['rope_parameters']) ? config['rope_parameters'] : {}
  const settings: JsonObject = { ...config, rope_theta: config['rope_theta'] ?? rope['rope_theta'] }
  for (const [name, key] of keys) {
    const value = settings[name]
    // As float32, in which GGUF files have them, so that both forms of a model are one.
    const isReal = typeof value === 'number' && !Number.isInteger(value)
    if (value !== undefined && value !== null) metadata.set(`${architecture}.${key}`, isReal ? Math.fround(value) : value)
  }
  if (typeof config['sliding_window'] === 'number' && config['use_sliding_window'] !== false) {
    metadata.set(`${architecture}.attention.sliding_window`, config['sliding_window'])
  }
  const scaling = isObject(config['rope_scaling']) ? config['rope_scaling'] : rope
  for (const [key, value] of scalingOf(scaling, refuse)) metadata.set(`${architecture}.rope.scaling.${key}`, value)
  return metadata
}

function nameOf(config: JsonObject, label: string): string {
  const stated = config['_name_or_path']
  if (typeof stated === 'string' && stated !== '') return stated
  return label.split(/[/\\]/).findLast((part) => part !== '') ?? label
}

function scalingOf(scaling: JsonObject, refuse: (why: string) => never): [string, unknown][] {
  const type = scaling['rope_type'] ?? scaling['type'] ?? 'default'
  const original = scaling['original_max_position_embeddings']
  if (type === 'default' || type === 'llama3') return []
  if (type !== 'linear' && type !== 'yarn') return refuse(`its rotary scaling is not supported: ${shown(type)}`)
  return [
    ['type', type],
    ['factor', scaling['factor']],
    ...(original === undefined ? [] : ([['original_context_length', original]] as [string, unknown][])),
  ]
}

/**
 * Divisors of the rotary frequencies where the folder asks for Llama 3's scaling (Grattafiori et al., "The Llama 3 Herd of Models", 2024):
 * long waves are stretched by the factor, short ones stay, those between are blended. GGUF files hold them as the tensor `rope_freqs.weight`.
 */
export function llama3Divisors(config: JsonObject, label: string): Float32Array | undefined {
  const parameters = isObject(config['rope_scaling']) ? config['rope_scaling'] : config['rope_parameters']
  if (!isObject(parameters) || (parameters['rope_type'] ?? parameters['type']) !== 'llama3') return undefined
  const positive = (holder: JsonObject, name: string, fallback: number): number => {
    const value = holder[name] ?? fallback
    if (typeof value === 'number' && value > 0 && value <= 1 << 24) return value
    throw folderError(`${label}/config.json`, `${name} is no positive number: ${shown(value)}`)
  }
  const factor = positive(parameters, 'factor', 8)
  const low = positive(parameters, 'low_freq_factor', 1)
  const high = positive(parameters, 'high_freq_factor', 4)
  const window = positive(parameters, 'original_max_position_embeddings', 8192)
  const base = positive({ ...parameters, ...config }, 'rope_theta', 10_000)
  const dimension = positive(config, 'head_dim', positive(config, 'hidden_size', 1) / positive(config, 'num_attention_heads', 1))
  return Float32Array.from({ length: Math.floor(dimension / 2) }, (_, pair) => {
    const turns = window / (2 * Math.PI * base ** ((2 * pair) / dimension))
    if (turns < low) return factor
    if (turns > high) return 1
    const share = (turns - low) / (high - low)
    return 1 / ((1 - share) / factor + share)
  })
}
