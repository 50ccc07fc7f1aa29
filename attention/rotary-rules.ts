/**
 * Variants of rotary position embedding (Su et al., 2021, RoFormer): a base, an interpolation, a magnitude and divisors of the frequencies.
 * "NTK" scaling is a larger base and needs nothing of its own.
 */
import { shown } from './header-reader.ts'
import type { MetadataValues } from './metadata-values.ts'

/** Pair i of d / 2 turns by position × base^(-2 i / d), changed by what is below. */
export interface RotaryRule {
  readonly base: number
  /** Linear interpolation (Chen et al., 2023): positions are divided by this; 1 is none. */
  readonly factor: number
  /** Interpolates by parts (Peng et al., 2023, YaRN, section 3.2): pairs that turn often in the original window keep their frequency. */
  readonly yarn?: YarnRule
  /** What cos and sin are multiplied by. */
  readonly magnitude: number
  /** Tensor of the file that holds the divisors. */
  readonly divisorTensor?: string
  /** Divisor of each pair's frequency [d / 2], as Llama 3 and LongRoPE have them. */
  readonly divisors?: readonly number[]
}

export interface YarnRule {
  /** Window, in tokens, that the model was trained for before it was stretched. */
  readonly originalWindow: number
  /** Turns in the original window from which on a pair keeps its frequency. */
  readonly betaFast: number
  /** Turns up to which a pair is interpolated in full. */
  readonly betaSlow: number
}

const defaultBase = 10_000

/** The tensors that may hold divisors. */
export const divisorTensors = { llama3: 'rope_freqs.weight', long: 'rope_factors_long.weight', short: 'rope_factors_short.weight' } as const

/** The rule of the layers that see all tokens. `tensors` are the names of the file's tensors. */
export function readRotaryRule(values: MetadataValues, tensors: { has(name: string): boolean }): RotaryRule {
  const base = values.real('rope.freq_base', defaultBase)
  const factor = values.isOn('rope.scaling.factor') ? values.real('rope.scaling.factor') : values.real('rope.scale_linear', 1)
  const type = values.text('rope.scaling.type', factor === 1 ? 'none' : 'linear')
  const magnitude = values.isOn('rope.scaling.attn_factor') ? values.real('rope.scaling.attn_factor') : 1
  const divided = divisorRule(values, tensors)
  switch (type) {
    case 'none':
    case 'longrope':
      if (type === 'longrope' && divided.divisorTensor === undefined)
        values.refuse(`it has no tensor ${divisorTensors.long} for its rotary scaling`)
      return { base, factor: 1, magnitude, ...divided }
    case 'linear':
      return { base, factor, magnitude, ...divided }
    case 'yarn':
      return { base, factor, yarn: readYarn(values), magnitude: magnitude * (1 + 0.1 * Math.log(factor)), ...divided }
    default:
      return values.refuse(`its rotary scaling is not supported: ${type}. Supported: none, linear, yarn, longrope`)
  }
}

/** The rule of layers with a sliding window that have a base of their own. */
export function readSlidingRule(values: MetadataValues): RotaryRule {
  return { base: values.real('rope.freq_base_swa', defaultBase), factor: 1, magnitude: 1 }
}

/** Says a rule in full, for the identity of what was computed with it. */
export function ruleText({ base, factor, yarn, magnitude, divisors }: RotaryRule): string {
  const scaling =
    yarn === undefined
      ? factor === 1
        ? []
        : [`linear ${factor}`]
      : [`yarn ${factor} from ${yarn.originalWindow} (${yarn.betaFast}, ${yarn.betaSlow})`]
  const rest = [
    ...(magnitude === 1 ? [] : [`magnitude ${magnitude}`]),
    ...(divisors === undefined ? [] : [`divisors ${checksum(divisors)}`]),
  ]
  return [`base ${base}`, ...scaling, ...rest].join(', ')
}

function readYarn(values: MetadataValues): YarnRule {
  const extrapolation = values.raw('rope.scaling.yarn_ext_factor') ?? 1
  if (extrapolation !== 1 && extrapolation !== -1) values.refuse(`its YaRN extrapolation factor is not supported: ${shown(extrapolation)}`)
  if (values.isOn('rope.scaling.yarn_log_multiplier')) values.refuse('its rotary scaling is not supported: YaRN with yarn_log_multiplier')
  return {
    originalWindow: values.size('rope.scaling.original_context_length', values.size('context_length')),
    betaFast: values.real('rope.scaling.yarn_beta_fast', 32),
    betaSlow: values.real('rope.scaling.yarn_beta_slow', 1),
  }
}

/** LongRoPE has divisors for short and for long windows; a cache cannot change from one to the other, so the whole window decides. */
function divisorRule(values: MetadataValues, tensors: { has(name: string): boolean }): { divisorTensor?: string } {
  if (tensors.has(divisorTensors.llama3)) return { divisorTensor: divisorTensors.llama3 }
  const window = values.size('context_length')
  const isLong = window > values.size('rope.scaling.original_context_length', window)
  const name = isLong ? divisorTensors.long : divisorTensors.short
  if (tensors.has(name)) return { divisorTensor: name }
  if (tensors.has(divisorTensors.long) || tensors.has(divisorTensors.short)) values.refuse(`it has no tensor ${name}`)
  return {}
}

/** FNV-1a over the numbers as float32. */
function checksum(numbers: readonly number[]): string {
  let hash = 0x81_1c_9d_c5
  for (const byte of new Uint8Array(Float32Array.from(numbers).buffer)) hash = Math.imul(hash ^ byte, 0x01_00_01_93)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
