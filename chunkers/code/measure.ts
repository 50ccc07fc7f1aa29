import { lastAtOrBefore } from '../section-paths.ts'
import { cutsSurrogatePair } from '../surrogates.ts'

/** Tells what fits without counting the same text again and again. */
export interface Measure {
  /** About as many tokens as a span has, mostly a few more than less; takes no count. */
  estimate(start: number, end: number): number
  /** Whether a span has at most `maxTokens` tokens: counted where the estimate leaves it open. */
  fits(start: number, end: number): boolean
}

/** A block of the text that is counted by itself, in UTF-16 code units. */
const LARGEST_BLOCK = 256
const SMALLEST_BLOCK = 16
/** Within these shares of the budget the estimate leaves open whether a span fits. */
const SURE_BELOW = 0.85
const SURE_ABOVE = 1.2
/** Counting to settle what fits may take so many times the text; past that, as in nests of thousands, the estimate decides. */
const MOST_COUNTING = 4

/** Counts a text once, block by block. */
export function createMeasure(text: string, maxTokens: number, count: (text: string) => number): Measure {
  const { ends, sums } = countBlocks(text, Math.max(SMALLEST_BLOCK, Math.min(LARGEST_BLOCK, maxTokens)), count)
  let allowance = MOST_COUNTING * text.length
  const upTo = (at: number): number => {
    const block = lastAtOrBefore(ends, at)
    const from = ends[block]!
    const to = ends[block + 1]
    return to === undefined ? sums[block]! : sums[block]! + ((at - from) / (to - from)) * (sums[block + 1]! - sums[block]!)
  }
  const estimate = (start: number, end: number): number => upTo(end) - upTo(start)
  return {
    estimate,
    fits(start, end) {
      const tokens = estimate(start, end)
      if (tokens < SURE_BELOW * maxTokens || tokens > SURE_ABOVE * maxTokens) return tokens <= maxTokens
      allowance -= end - start
      return (allowance < 0 ? tokens : count(text.slice(start, end))) <= maxTokens
    },
  }
}

/** Where blocks end, 0 first, and how many tokens lie in front of each end. */
function countBlocks(text: string, size: number, count: (text: string) => number): { ends: number[]; sums: number[] } {
  const ends = [0]
  const sums = [0]
  for (let start = 0, sum = 0; start < text.length;) {
    const end = blockEnd(text, start, size)
    sum += count(text.slice(start, end))
    ends.push(end)
    sums.push(sum)
    start = end
  }
  return { ends, sums }
}

/** At a line end or white space in the latter half of a block, so that a word is rarely counted in two parts. */
function blockEnd(text: string, start: number, size: number): number {
  const end = start + size
  if (end >= text.length) return text.length
  const part = text.slice(start + (size >> 1), end)
  const at = Math.max(part.lastIndexOf('\n'), part.lastIndexOf(' '))
  if (at >= 0) return start + (size >> 1) + at
  return cutsSurrogatePair(text, end) ? end + 1 : end
}
