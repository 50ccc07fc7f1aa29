/**
 * Keys at other positions. Keys are cached rotated; as rotations form a group, R(new) = R(new - old) R(old), the rotation by the difference takes
 * them elsewhere without the keys before rotation (Su et al., 2021, RoFormer, section 3.2.2). A scale that a variant folds into cos and sin, such
 * as YaRN's, is in the cached keys already, and plain rotations leave it alone.
 */
import { blockCache, cacheOf, filledLayers, rowWidth } from './cache-rows.ts'
import type { DecoderConfig, KVCache } from './decoder.ts'
import { rotaryFrequencies } from './rotary-tables.ts'

/** How a model rotates its keys. */
export interface KeyRotation {
  /** Which two values turn together: 2i and 2i + 1, or i and i + n for n frequencies. */
  readonly style: 'pairs' | 'halves'
  /** Radians a position of each pair of a head in `layer`; values of a head beyond the pairs are not rotated. */
  frequencies(layer: number): ArrayLike<number>
}

/** How the decoder of `config` rotates its keys, whatever its variant. */
export function rotationOf(config: DecoderConfig): KeyRotation {
  return {
    style: config.traits.rotaryPairs === 'halves' ? 'halves' : 'pairs',
    frequencies: (layer) => rotaryFrequencies(config, layer).frequencies,
  }
}

/**
 * The same tokens at other positions, in any order, also repeated: what a sliding window needs, whose keys stand at their place in the cache.
 * Values and `lastHidden` stay as they were computed.
 *
 * @param positions one a token, from 0
 * @throws RangeError when there is not a whole number from 0 for each token
 */
export function repositionCache(cache: KVCache, positions: ArrayLike<number>, rotation: KeyRotation): KVCache {
  const whole = blockCache('reposition', cache)
  const filled = filledLayers('reposition', whole)
  const moved = checkedPositions(positions, whole.length)
  const old = whole.positions
  const steps = moved.map((position, token) => position - (old[token] ?? 0))
  if (steps.every((step) => step === 0)) return whole.fork()
  const result = cacheOf(whole, filled, { positions: moved, sources: whole.sources }, (layer) => {
    const { keys, values } = whole.exportRows(layer)
    rotateRows(keys, steps, {
      width: rowWidth(whole),
      headDim: whole.shape.headDim,
      style: rotation.style,
      frequencies: rotation.frequencies(layer),
    })
    return { keys, values }
  })
  result.lastHidden = whole.lastHidden?.slice()
  return result
}

/** Positions 0, 1, ...: each token at its place in the cache. */
export function slotPositions({ length }: KVCache): Int32Array {
  return Int32Array.from({ length }, (_, index) => index)
}

function checkedPositions(positions: ArrayLike<number>, length: number): Int32Array {
  if (positions.length !== length) throw new RangeError(`Cannot reposition a cache of ${length} tokens by ${positions.length} positions`)
  const wrong = Array.from(positions).find((position) => !Number.isInteger(position) || position < 0)
  if (wrong !== undefined) throw new RangeError(`Cannot reposition a cache as a position is not a whole number from 0: ${wrong}`)
  return Int32Array.from(positions)
}

interface RowRotation {
  readonly width: number
  readonly headDim: number
  readonly style: KeyRotation['style']
  readonly frequencies: ArrayLike<number>
}

/** Rotates each row of `keys` [tokens, width] by `steps` [tokens] positions, in place. */
function rotateRows(keys: Float32Array, steps: Int32Array, { width, headDim, style, frequencies }: RowRotation): void {
  const pairs = frequencies.length
  const [stride, gap] = style === 'pairs' ? [2, 1] : [1, pairs]
  for (const [token, step] of steps.entries()) {
    if (step === 0) continue
    for (let pair = 0; pair < pairs; pair++) {
      const angle = step * (frequencies[pair] as number)
      const cos = Math.cos(angle)
      const sin = Math.sin(angle)
      const end = (token + 1) * width
      for (let at = token * width + pair * stride; at < end; at += headDim) {
        const x = keys[at] as number
        const y = keys[at + gap] as number
        keys[at] = x * cos - y * sin
        keys[at + gap] = x * sin + y * cos
      }
    }
  }
}
