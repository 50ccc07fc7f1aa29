/** Chooses the next token from logits. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { TokenMask } from './constraints/token-mask.ts'

export interface SamplingOptions {
  /** 0, the default, takes the most likely token. */
  readonly temperature?: number
  /** Only the `topK` most likely tokens are drawn from. */
  readonly topK?: number
  /** Only the most likely tokens that together hold this probability are drawn from (Holtzman et al., 2020, section 3.1). */
  readonly topP?: number
  /** Only tokens at least this share as likely as the most likely one are drawn from (Nguyen et al., arXiv 2407.01082, section 3). */
  readonly minP?: number
  /**
   * Makes tokens that were generated before less likely where it is above 1: their logits are divided by it (Keskar et al., arXiv 1909.05858,
   * section 4.1), or multiplied where they are negative, so that they fall too.
   */
  readonly repetitionPenalty?: number
  /** Added to the logits of tokens, by id; -Infinity excludes one. */
  readonly logitBias?: Readonly<Record<number, number>>
  /** Seed of the draws; 0 by default, so that a call can be repeated. */
  readonly seed?: number
}

/** Chooses a token id after the ids `before`; `allowed` restricts the choice. Undefined when nothing is allowed. */
export type Sampler = (logits: Float32Array, allowed?: Iterable<number>, before?: readonly number[]) => number | undefined

/** @throws RangeError for options outside their range */
export function createSampler(options: SamplingOptions = {}): Sampler {
  const { temperature = 0, topK = Infinity, topP = 1, minP = 0, seed = 0 } = options
  checkOptions(options)
  const adjust = adjuster(options)
  if (temperature === 0) {
    return (given, allowed, before) => {
      const logits = adjust(given, before)
      return allowed === undefined ? highest(logits) : mostLikely(logits, candidates(logits, allowed))
    }
  }
  // Spread, as the first draws from seeds that lie close together are alike.
  const generator = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1))
  return (given, allowed, before) => {
    const logits = adjust(given, before)
    const ids = candidates(logits, allowed)
    const best = mostLikely(logits, ids)
    if (best === undefined) return undefined
    const weights = Float64Array.from(ids, (id) => Math.exp(((logits[id] ?? -Infinity) - (logits[best] ?? 0)) / temperature))
    keepMostLikely(weights, topK, topP)
    if (minP > 0) for (const [index, weight] of weights.entries()) if (weight < minP) weights[index] = 0
    return draw(ids, weights, uniformFloat64(generator)) ?? best
  }
}

function checkOptions({
  temperature = 0,
  topK = Infinity,
  topP = 1,
  minP = 0,
  repetitionPenalty = 1,
  logitBias = {},
}: SamplingOptions): void {
  if (!(temperature >= 0)) throw new RangeError(`Cannot sample as the temperature must not be negative: ${temperature}`)
  if (topK !== Infinity && (!Number.isInteger(topK) || topK < 1))
    throw new RangeError(`Cannot sample as topK must be a whole number from 1: ${topK}`)
  if (!(topP > 0 && topP <= 1)) throw new RangeError(`Cannot sample as topP must be above 0 and at most 1: ${topP}`)
  if (!(minP >= 0 && minP <= 1)) throw new RangeError(`Cannot sample as minP must be from 0 to 1: ${minP}`)
  if (!(repetitionPenalty > 0 && repetitionPenalty < Infinity))
    throw new RangeError(`Cannot sample as repetitionPenalty must be above 0: ${repetitionPenalty}`)
  for (const [id, bias] of Object.entries(logitBias)) {
    if (!/^\d+$/.test(id) || !(bias < Infinity))
      throw new RangeError(`Cannot sample as logitBias must give a number by token id: ${id} ${bias}`)
  }
}

/** Logits with the bias and the penalty; the given ones where there is neither. */
function adjuster({
  repetitionPenalty = 1,
  logitBias = {},
}: SamplingOptions): (logits: Float32Array, before?: readonly number[]) => Float32Array {
  const biases = Object.entries(logitBias).map(([id, bias]) => [Number(id), bias] as const)
  return (logits, before = []) => {
    if (biases.length === 0 && (repetitionPenalty === 1 || before.length === 0)) return logits
    const adjusted = logits.slice()
    for (const [id, bias] of biases) {
      if (id >= logits.length) throw new RangeError(`Cannot bias token ${id} as ids go from 0 to ${logits.length - 1}`)
      adjusted[id] = (adjusted[id] ?? 0) + bias
    }
    if (repetitionPenalty === 1) return adjusted
    for (const id of new Set(before)) {
      const logit = adjusted[id] ?? 0
      adjusted[id] = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty
    }
    return adjusted
  }
}

function candidates(logits: Float32Array, allowed: Iterable<number> | undefined): ArrayLike<number> & Iterable<number> {
  if (allowed === undefined) return Int32Array.from(logits, (_, id) => id)
  if (allowed instanceof TokenMask) return allowed.ids()
  const ids = Int32Array.from(new Set(allowed))
  for (const id of ids) {
    if (id < 0 || id >= logits.length) throw new RangeError(`Cannot allow token ${id} as ids go from 0 to ${logits.length - 1}`)
  }
  return ids.sort()
}

/** The id with the highest logit; the lowest id of equals. */
function mostLikely(logits: Float32Array, ids: Iterable<number>): number | undefined {
  let best: number | undefined
  let most = -Infinity
  for (const id of ids) {
    const logit = logits[id] ?? -Infinity
    if (best === undefined || logit > most) {
      best = id
      most = logit
    }
  }
  return best
}

/** `mostLikely` of all ids. */
function highest(logits: Float32Array): number {
  let best = 0
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id
  return best
}

/** Sets the weights outside the first `topK`, and outside the share `topP` of what these weigh, to zero. */
function keepMostLikely(weights: Float64Array, topK: number, topP: number): void {
  if (topK >= weights.length && topP === 1) return
  const sorted = weights.toSorted().reverse()
  const first = sorted.subarray(0, Math.min(topK, sorted.length))
  const enough = topP * first.reduce((sum, weight) => sum + weight, 0)
  let kept = 0
  for (let sum = 0; kept < first.length && sum < enough; kept++) sum += first[kept] ?? 0
  keepHeaviest(weights, Math.max(kept, 1), sorted)
}

/** Keeps `count` weights; of equals at the edge, the first. */
function keepHeaviest(weights: Float64Array, count: number, sorted: Float64Array): void {
  const edge = sorted[count - 1] ?? 0
  let equals = count - sorted.subarray(0, count).findIndex((weight) => weight === edge)
  for (const [index, weight] of weights.entries()) {
    if (weight < edge) weights[index] = 0
    else if (weight === edge && equals-- <= 0) weights[index] = 0
  }
}

function draw(ids: ArrayLike<number>, weights: Float64Array, share: number): number | undefined {
  let left = share * weights.reduce((sum, weight) => sum + weight, 0)
  let last: number | undefined
  for (const [index, weight] of weights.entries()) {
    if (weight === 0) continue
    last = ids[index]
    left -= weight
    if (left < 0) return last
  }
  return last
}
