import { type CachePolicy, range } from './policy.ts'

export interface SnapKvOptions {
  /** Last tokens, which look for what matters and are kept themselves; 32 by default. */
  readonly window?: number
  /** Tokens over which the highest score is taken, so that neighbours of what matters stay; an odd number, 7 by default. */
  readonly kernel?: number
}

/**
 * Keeps the last tokens and those that they attend to most (SnapKV, Li et al., 2024, arXiv 2404.14469, section 4): the scores are attention weights of
 * the last `window` queries, summed. The paper keeps a set for each head; here the scores of all heads and layers are summed too, and one set is kept.
 * Keys keep their rotation.
 *
 * @throws RangeError when an option is not such a number, or a budget leaves no room beside the window
 */
export function snapKv({ window = 32, kernel = 7 }: SnapKvOptions = {}): CachePolicy {
  if (!Number.isInteger(window) || window < 1) throw new RangeError(`Cannot select as the window is not a whole number from 1: ${window}`)
  if (!Number.isInteger(kernel) || kernel < 1 || kernel % 2 === 0)
    throw new RangeError(`Cannot select as the kernel is not an odd number: ${kernel}`)
  return {
    name: 'snapkv',
    parameters: { window, kernel },
    queries: window,
    positions: 'kept',
    keep(scores, budget) {
      const { length } = scores
      if (length <= budget) return Int32Array.from(range(0, length))
      if (budget <= window)
        throw new RangeError(`Cannot keep a window of ${window} tokens and what it looks at as the budget is only ${budget}`)
      const before = length - window
      const pooled = maxPool(scores.subarray(0, before), kernel)
      const best = range(0, before).toSorted((a, b) => (pooled[b] ?? 0) - (pooled[a] ?? 0) || b - a)
      return Int32Array.from([...best.slice(0, budget - window), ...range(before, length)]).sort()
    },
  }
}

/** The highest of the `kernel` values around each. */
function maxPool(values: Float32Array, kernel: number): Float32Array {
  const reach = (kernel - 1) / 2
  return values.map((_, index) => {
    let most = -Infinity
    for (let at = Math.max(0, index - reach); at <= Math.min(values.length - 1, index + reach); at++)
      most = Math.max(most, values[at] as number)
    return most
  })
}
