/** The settings of a model's folder (`config.json`) as the metadata of a GGUF file. */
import type { FolderArchitecture } from './folder-architectures.ts'
import type { FolderRotary } from './folder-rotary.ts'
import { shown } from './header-reader.ts'
import { folderError, type JsonObject } from './json-file.ts'

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
  ['rms_norm_eps', 'attention.layer_norm_rms_epsilon'],
  // What no graph knows is refused where it is read.
  ['attn_logit_softcapping', 'attn_logit_softcapping'],
  ['final_logit_softcapping', 'final_logit_softcapping'],
]

const activations = new Set<unknown>(['silu', 'swish', 'gelu_pytorch_tanh'])

/**
 * Metadata by GGUF keys, without the tokenizer's.
 *
 * @throws ModelFileError when the settings ask for something that has no form in GGUF metadata, or is not supported
 */
export function folderMetadata(
  config: JsonObject,
  { name: architecture }: FolderArchitecture,
  rotary: FolderRotary,
  label: string,
): Map<string, unknown> {
  const refuse = (why: string): never => {
    throw folderError(`${label}/config.json`, why)
  }
  if (config['quantization_config'] !== undefined) refuse('its weights are quantised, which is not supported in this format')
  const activation = config['hidden_activation'] ?? config['hidden_act'] ?? 'silu'
  if (!activations.has(activation)) refuse(`its activation is not supported: ${shown(activation)}`)
  if (config['use_bidirectional_attention'] === true) refuse('it asks for what is not supported: attention to later tokens')
  const metadata = new Map<string, unknown>([
    ['general.architecture', architecture],
    ['general.name', nameOf(config, label)],
  ])
  const set = (key: string, value: unknown): void => {
    // As float32, in which GGUF files have them, so that both forms of a model are one.
    const isReal = typeof value === 'number' && !Number.isInteger(value)
    if (value !== undefined && value !== null) metadata.set(`${architecture}.${key}`, isReal ? Math.fround(value) : value)
  }
  for (const [name, key] of keys) set(key, config[name])
  for (const [key, value] of attentionOf(config, architecture, refuse)) set(`attention.${key}`, value)
  set('rope.freq_base', rotary.base)
  set('rope.freq_base_swa', rotary.slidingBase)
  set('rope.dimension_count', rotatedOf(config, rotary))
  for (const [key, value] of rotary.scaling) set(`rope.scaling.${key}`, value)
  return metadata
}

function nameOf(config: JsonObject, label: string): string {
  const stated = config['_name_or_path']
  if (typeof stated === 'string' && stated !== '') return stated
  return label.split(/[/\\]/).findLast((part) => part !== '') ?? label
}

/** What differs from plain attention: windows and the scale of scores. */
function attentionOf(config: JsonObject, architecture: string, refuse: (why: string) => never): [string, unknown][] {
  const entries: [string, unknown][] = []
  const { sliding_window: window, query_pre_attn_scalar: width } = config
  // Folders of Qwen state a window that is off unless they say otherwise.
  const isOn = architecture.startsWith('qwen') ? config['use_sliding_window'] === true : config['use_sliding_window'] !== false
  if (typeof window === 'number' && isOn) {
    entries.push(['sliding_window', window])
    const pattern = slidingLayers(config, refuse) ?? config['sliding_window_pattern'] ?? config['_sliding_window_pattern']
    entries.push(['sliding_window_pattern', pattern])
  }
  // Left out where it is the root that attention divides by anyway.
  if (width !== undefined && width !== null && width !== headSize(config)) {
    if (typeof width !== 'number' || !(width > 0)) refuse(`query_pre_attn_scalar is no positive number: ${shown(width)}`)
    entries.push(['scale', width ** -0.5])
  }
  return entries
}

const layerKinds = new Set<unknown>(['sliding_attention', 'full_attention'])

/** Whether each layer sees a window only, where the folder lists its layers. */
function slidingLayers({ layer_types: types }: JsonObject, refuse: (why: string) => never): boolean[] | undefined {
  if (!Array.isArray(types)) return undefined
  const strange: unknown = types.find((type) => !layerKinds.has(type))
  if (strange !== undefined) refuse(`a kind of layer is not supported: ${shown(strange)}`)
  return types.map((type) => type === 'sliding_attention')
}

/** How many values of each head are rotated; undefined where all are. */
function rotatedOf(config: JsonObject, { share }: FolderRotary): number | undefined {
  return typeof share === 'number' && share !== 1 ? Math.floor(share * headSize(config)) : undefined
}

function headSize(config: JsonObject): number {
  return Number(config['head_dim'] ?? Number(config['hidden_size']) / Number(config['num_attention_heads']))
}
