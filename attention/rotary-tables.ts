/** Angles of rotary position embedding (Su et al., 2021, RoFormer, section 3.2.2) as tables of cos and sin by position. */
import type { DecoderConfig } from './decoder.ts'
import type { RotaryRule, YarnRule } from './rotary-rules.ts'
import type { OnnxTensor } from './runtime.ts'
import type { SessionPool } from './session-pool.ts'

export interface RotaryFrequencies {
  /** Turning speed of each pair in radians a position, [d / 2]. */
  readonly frequencies: Float64Array
  /** What cos and sin are multiplied by; once only, so not again where a key that was rotated is rotated on. */
  readonly magnitude: number
}

/** How the keys and queries of `layer` are rotated. Models with ALiBi do not rotate: all their frequencies are 0. */
export function rotaryFrequencies(config: DecoderConfig, layer: number): RotaryFrequencies {
  const half = config.headDim / 2
  if (config.alibiBias > 0) return { frequencies: new Float64Array(half), magnitude: 1 }
  const rule = ruleOf(config, layer)
  const plain = Float64Array.from({ length: half }, (_, pair) => rule.base ** (-pair / half) / (rule.divisors?.[pair] ?? 1))
  const share = rule.yarn === undefined ? () => 0 : yarnShare(config.headDim, rule, rule.yarn)
  const frequencies = plain.map((frequency, pair) => frequency * (share(pair) + (1 - share(pair)) / rule.factor))
  return { frequencies, magnitude: rule.magnitude }
}

/** Tables for the positions that were asked for so far; they grow by doubling, as a window may be far longer than what is read. */
export class RotaryTables {
  readonly #config: DecoderConfig
  readonly #pool: SessionPool
  readonly #tables = new Map<RotaryRule, Table>()

  constructor(config: DecoderConfig, pool: SessionPool) {
    this.#config = config
    this.#pool = pool
  }

  /** cos and sin [positions, d / 2] for `layer`, which hold all of `positions`. */
  covering(layer: number, positions: Int32Array): { readonly cos: OnnxTensor; readonly sin: OnnxTensor } {
    const rule = ruleOf(this.#config, layer)
    const needed = positions.reduce((most, position) => Math.max(most, position), 0) + 1
    let table = this.#tables.get(rule)
    if (table === undefined || table.positions < needed) {
      table = this.#make(layer, needed)
      this.#tables.set(rule, table)
    }
    return { cos: table.cos, sin: table.sin }
  }

  #make(layer: number, needed: number): Table {
    const positions = Math.min(this.#config.window, Math.max(fewestPositions, 2 ** Math.ceil(Math.log2(needed))))
    const { cos, sin } = rotaryTables(rotaryFrequencies(this.#config, layer), positions)
    const dims = [positions, this.#config.headDim / 2]
    return { positions, cos: this.#pool.floats(cos, dims), sin: this.#pool.floats(sin, dims) }
  }
}

const fewestPositions = 1024

interface Table {
  readonly positions: number
  readonly cos: OnnxTensor
  readonly sin: OnnxTensor
}

/** cos and sin [positions, d / 2]. */
export function rotaryTables({ frequencies, magnitude }: RotaryFrequencies, positions: number): { cos: Float32Array; sin: Float32Array } {
  const half = frequencies.length
  const cos = new Float32Array(positions * half)
  const sin = new Float32Array(positions * half)
  for (let position = 0; position < positions; position++) {
    for (let pair = 0; pair < half; pair++) {
      const angle = position * (frequencies[pair] ?? 0)
      cos[position * half + pair] = magnitude * Math.cos(angle)
      sin[position * half + pair] = magnitude * Math.sin(angle)
    }
  }
  return { cos, sin }
}

function ruleOf({ slidingLayers, rope, slidingRope }: DecoderConfig, layer: number): RotaryRule {
  return slidingLayers[layer] === true && slidingRope !== undefined ? slidingRope : rope
}

/** Share of its own frequency that a pair keeps (YaRN, section 3.2): 1 for those that turn often in the original window, 0 for the slow ones. */
function yarnShare(headDim: number, { base }: RotaryRule, { originalWindow, betaFast, betaSlow }: YarnRule): (pair: number) => number {
  const pairOf = (turns: number): number => (headDim * Math.log(originalWindow / (turns * 2 * Math.PI))) / (2 * Math.log(base))
  const first = Math.max(0, Math.floor(pairOf(betaFast)))
  const last = Math.min(headDim - 1, Math.ceil(pairOf(betaSlow)))
  return (pair) => 1 - Math.min(1, Math.max(0, (pair - first) / Math.max(0.001, last - first)))
}
