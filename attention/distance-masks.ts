/** Masks that depend on how far apart two tokens are: sliding windows, and the bias of ALiBi (Press et al., 2022, "Train Short, Test Long"). */
import type { DecoderConfig } from './decoder.ts'

/** Added to the score of a key that must not be seen; finite, so that no row of scores can become NaN. */
export const hiddenScore = -1e30

/** Whose tokens look at which keys. */
export interface MaskedRows {
  /** Positions of the new tokens [S]. */
  readonly positions: Int32Array
  /** Positions of the keys before them [P]. */
  readonly past: Int32Array
  /** New tokens of each sequence: a token sees those of its own up to itself, and all of the past. */
  readonly counts: readonly number[]
}

export interface DistanceMasks {
  /** Index of the first key of the past that any token sees: those before it need not be given. */
  readonly start: number
  /** [S, P - start]: 0, or with ALiBi the distance below zero, where a key is seen, else `hiddenScore`. */
  readonly past: Float32Array
  /** [S, S]. */
  readonly own: Float32Array
}

/** Whether `layer` needs masks of its own kind for these rows: with ALiBi always, with a window where a key lies outside of a token's. */
export function needsDistances(config: DecoderConfig, layer: number, { positions, past }: MaskedRows): boolean {
  if (config.alibiBias > 0) return true
  const window = windowOf(config, layer)
  if (window === Infinity) return false
  const first = Math.min(lowest(past), lowest(positions))
  return positions.some((position) => position - first >= window)
}

/** Masks for the rows of one layer. A window counts positions, as the rotary embedding does, and not places in the cache. */
export function distanceMasks(config: DecoderConfig, layer: number, rows: MaskedRows): DistanceMasks {
  const window = windowOf(config, layer)
  const first = lowest(rows.positions)
  const found = rows.past.findIndex((position) => first - position < window)
  const start = found === -1 ? rows.past.length : found
  const score = scoreOf(window, config.alibiBias > 0)
  const count = rows.positions.length
  const width = rows.past.length - start
  const past = new Float32Array(count * width)
  const own = new Float32Array(count * count).fill(hiddenScore)
  for (const [row, position] of rows.positions.entries()) {
    for (let key = 0; key < width; key++) past[row * width + key] = score(position, rows.past[start + key] ?? 0)
  }
  let from = 0
  for (const length of rows.counts) {
    for (let row = from; row < from + length; row++) {
      const position = rows.positions[row] ?? 0
      for (let key = from; key <= row; key++) own[row * count + key] = score(position, rows.positions[key] ?? 0)
    }
    from += length
  }
  return { start, past, own }
}

/**
 * How fast the scores of each head fall with the distance: 2^(-b h / n) for heads 1 to n, the largest power of two that is not above their
 * number; further heads take every other slope of twice as many heads.
 */
export function alibiSlopes(heads: number, bias: number): Float32Array {
  const whole = 2 ** Math.floor(Math.log2(heads))
  return Float32Array.from({ length: heads }, (_, head) =>
    head < whole ? 2 ** ((-bias * (head + 1)) / whole) : 2 ** ((-bias * (2 * (head - whole) + 1)) / (2 * whole)),
  )
}

/** Whether scores in `layer` depend on how far apart two tokens are, besides by rotation. */
export function isDistant(config: DecoderConfig, layer: number): boolean {
  return config.alibiBias > 0 || windowOf(config, layer) !== Infinity
}

/** What is added to the scores of one head's query at the last of `positions` [T] over the keys at all of them: [T]. */
export function distanceScores(config: DecoderConfig, layer: number, head: number, positions: Int32Array): Float32Array {
  const own = positions.at(-1) ?? 0
  const slope = config.alibiBias > 0 ? (alibiSlopes(config.heads, config.alibiBias)[head] ?? 0) : 1
  const score = scoreOf(windowOf(config, layer), config.alibiBias > 0)
  return Float32Array.from(positions, (position) => slope * score(own, position))
}

/** Positions, counted back from a token's own, that `layer` sees. */
function windowOf({ slidingLayers, slidingWindow = Infinity }: DecoderConfig, layer: number): number {
  return slidingLayers[layer] === true ? slidingWindow : Infinity
}

function scoreOf(window: number, isFalling: boolean): (query: number, key: number) => number {
  return (query, key) => (query - key >= window ? hiddenScore : isFalling ? -Math.abs(query - key) : 0)
}

function lowest(positions: Int32Array): number {
  return positions.reduce((least, position) => Math.min(least, position), Infinity)
}
