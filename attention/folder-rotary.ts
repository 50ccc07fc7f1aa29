/** How a model's folder (`config.json`) scales its rotary frequencies, as metadata and tensors of a GGUF file. */
import { shown } from './header-reader.ts'
import { folderError, isObject, type JsonObject } from './json-file.ts'
import { divisorTensors } from './rotary-rules.ts'

/** What a folder says of rotary embedding. */
export interface FolderRotary {
  /** Base of the layers that see all tokens; undefined where it is not stated. */
  readonly base: unknown
  /** Base of layers with a sliding window, where it is their own. */
  readonly slidingBase: unknown
  /** Share of each head that is rotated; undefined where it is not stated. */
  readonly share: unknown
  /** GGUF keys that follow `rope.scaling.`, with their values. */
  readonly scaling: ReadonlyMap<string, unknown>
  /** Divisors of the frequencies by the names of the tensors that hold them in a GGUF file. */
  readonly divisors: ReadonlyMap<string, Float32Array>
}

/**
 * Newer folders have `rope_parameters` with the base in it, for each kind of layer where those differ; older ones `rope_scaling` beside the base.
 *
 * @throws ModelFileError when the scaling is not supported, or a number of it cannot be
 */
export function folderRotary(config: JsonObject, label: string): FolderRotary {
  const stated = isObject(config['rope_parameters']) ? config['rope_parameters'] : {}
  const full = isObject(stated['full_attention']) ? stated['full_attention'] : stated
  const sliding = isObject(stated['sliding_attention']) ? stated['sliding_attention'] : {}
  const parameters = isObject(config['rope_scaling']) ? config['rope_scaling'] : full
  const base = config['rope_theta'] ?? full['rope_theta']
  const values = new ScalingValues({ ...config, ...parameters, rope_theta: base ?? defaultBase }, `${label}/config.json`)
  const slidingType = sliding['rope_type'] ?? 'default'
  if (slidingType !== 'default') values.refuse(`its rotary scaling in layers with a sliding window is not supported: ${shown(slidingType)}`)
  return {
    base,
    slidingBase: config['rope_local_base_freq'] ?? sliding['rope_theta'],
    share: config['partial_rotary_factor'] ?? full['partial_rotary_factor'],
    ...scalingOf(parameters, values),
  }
}

const defaultBase = 10_000

function scalingOf(parameters: JsonObject, values: ScalingValues): Pick<FolderRotary, 'scaling' | 'divisors'> {
  const type = parameters['rope_type'] ?? parameters['type'] ?? 'default'
  switch (type) {
    case 'default':
      return { scaling: new Map(), divisors: new Map() }
    case 'linear':
      return {
        scaling: new Map<string, unknown>([
          ['type', type],
          ['factor', values.positive('factor')],
        ]),
        divisors: new Map(),
      }
    case 'llama3':
      return { scaling: new Map(), divisors: new Map([[divisorTensors.llama3, llama3Divisors(values)]]) }
    case 'yarn':
      return { scaling: yarnScaling(parameters, values), divisors: new Map() }
    case 'longrope':
    case 'su':
      return longRope(values)
    default:
      return values.refuse(`its rotary scaling is not supported: ${shown(type)}`)
  }
}

function yarnScaling(parameters: JsonObject, values: ScalingValues): Map<string, unknown> {
  if (parameters['mscale'] !== undefined || parameters['mscale_all_dim'] !== undefined || parameters['truncate'] === false)
    values.refuse('its rotary scaling is not supported: YaRN with mscale, mscale_all_dim or truncate')
  const factor = values.positive('factor')
  const scaling = new Map<string, unknown>([
    ['type', 'yarn'],
    ['factor', factor],
  ])
  if (values.has('original_max_position_embeddings'))
    scaling.set('original_context_length', values.positive('original_max_position_embeddings'))
  for (const name of ['beta_fast', 'beta_slow']) if (values.has(name)) scaling.set(`yarn_${name}`, values.positive(name))
  // Folders state the whole magnitude, GGUF files what comes on top of YaRN's own.
  if (values.has('attention_factor'))
    scaling.set('attn_factor', Math.fround(values.positive('attention_factor') / (1 + 0.1 * Math.log(factor))))
  return scaling
}

/** LongRoPE (Ding et al., 2024): divisors for short and for long windows, and a magnitude by how far the window was stretched. */
function longRope(values: ScalingValues): Pick<FolderRotary, 'scaling' | 'divisors'> {
  const window = values.positive('max_position_embeddings')
  const original = values.positive('original_max_position_embeddings', window)
  const stretch = values.has('original_max_position_embeddings') ? window / original : values.positive('factor', 1)
  const magnitude = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original))
  return {
    scaling: new Map<string, unknown>([
      ['type', 'longrope'],
      ['original_context_length', original],
      ['attn_factor', Math.fround(values.positive('attention_factor', magnitude))],
    ]),
    divisors: new Map([
      [divisorTensors.long, values.divisors('long_factor')],
      [divisorTensors.short, values.divisors('short_factor')],
    ]),
  }
}

/**
 * Llama 3's scaling (Grattafiori et al., "The Llama 3 Herd of Models", 2024): long waves are stretched by the factor, short ones stay, those
 * between are blended.
 */
function llama3Divisors(values: ScalingValues): Float32Array {
  const factor = values.positive('factor', 8)
  const low = values.positive('low_freq_factor', 1)
  const high = values.positive('high_freq_factor', 4)
  const window = values.positive('original_max_position_embeddings', 8192)
  const base = values.positive('rope_theta')
  const dimension = values.headSize()
  return Float32Array.from({ length: Math.floor(dimension / 2) }, (_, pair) => {
    const turns = window / (2 * Math.PI * base ** ((2 * pair) / dimension))
    if (turns < low) return factor
    if (turns > high) return 1
    const share = (turns - low) / (high - low)
    return 1 / ((1 - share) / factor + share)
  })
}

const mostNumber = 1 << 24

/** Values of `config.json` and of the scaling in it, checked. */
class ScalingValues {
  readonly #values: JsonObject
  readonly #label: string

  constructor(values: JsonObject, label: string) {
    this.#values = values
    this.#label = label
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null
  }

  positive(name: string, fallback?: number): number {
    const value = this.has(name) ? this.#values[name] : fallback
    if (typeof value === 'number' && value > 0 && value <= mostNumber) return value
    return this.refuse(`${name} is no positive number: ${shown(value)}`)
  }

  headSize(): number {
    return this.has('head_dim') ? this.positive('head_dim') : this.positive('hidden_size') / this.positive('num_attention_heads')
  }

  /** A list of one number for each pair of a head. */
  divisors(name: string): Float32Array {
    const list = this.#values[name]
    const pairs = Math.floor(this.headSize() / 2)
    if (!Array.isArray(list) || list.length !== pairs) return this.refuse(`${name} is no list of ${pairs} numbers: ${shown(list)}`)
    const wrong: unknown = list.find((value) => !(typeof value === 'number' && value > 0 && value <= mostNumber))
    return wrong === undefined ? Float32Array.from(list as number[]) : this.refuse(`${name} holds no positive number: ${shown(wrong)}`)
  }

  refuse(why: string): never {
    throw folderError(this.#label, why)
  }
}
