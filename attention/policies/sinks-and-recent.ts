import { type CachePolicy, range } from './policy.ts'

/**
 * Keeps the first tokens, which draw attention whatever they are, and the latest ones (StreamingLLM, Xiao et al., ICLR 2024, section 3.2). Tokens stand
 * at their place in the cache, so that no position exceeds the budget however much is read.
 *
 * @throws RangeError when `sinks` is not a whole number from 0, or a budget leaves no room beside them
 */
export function sinksAndRecent({ sinks = 4 }: { readonly sinks?: number } = {}): CachePolicy {
  if (!Number.isInteger(sinks) || sinks < 0)
    throw new RangeError(`Cannot keep sinks as their number is not a whole number from 0: ${sinks}`)
  return {
    name: 'sinks-and-recent',
    parameters: { sinks },
    queries: 0,
    positions: 'slots',
    keep({ length }, budget) {
      if (budget <= sinks) throw new RangeError(`Cannot keep ${sinks} sinks and recent tokens as the budget is only ${budget}`)
      if (length <= budget) return Int32Array.from(range(0, length))
      return Int32Array.from([...range(0, sinks), ...range(length - (budget - sinks), length)])
    },
  }
}
