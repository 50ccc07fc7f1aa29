/** Measures spans of one text in tokens: additive, so that parts of what several chunkers cut can be compared. */
import type { Span } from '../chunkers/index.ts'

export interface TokenRuler {
  tokens(span: Span): number
  /** Where a span from an offset on reaches so many tokens; the end of the text at most. */
  reach(start: number, tokens: number): number
}

/** Words are counted one by one with the white space before them; inside a word, tokens are taken to be evenly spread. */
export function tokenRuler(text: string, count: (text: string) => number): TokenRuler {
  const ends: number[] = [0]
  const sums: number[] = [0]
  for (const { 0: word, index } of text.matchAll(/\s*\S+/g)) {
    ends.push(index + word.length)
    sums.push(sums.at(-1)! + count(word))
  }
  if (ends.at(-1)! < text.length) {
    ends.push(text.length)
    sums.push(sums.at(-1)!)
  }
  const at = (offset: number): number => interpolate(ends, sums, offset)
  return {
    tokens: ({ start, end }) => at(end) - at(start),
    reach: (start, tokens) => Math.floor(interpolate(sums, ends, at(start) + tokens)),
  }
}

/** The value at `x` of the line through ascending points; that of the last point beyond it. */
function interpolate(xs: readonly number[], ys: readonly number[], x: number): number {
  let low = 0
  let high = xs.length - 1
  if (x >= xs[high]!) return ys[high]!
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (xs[middle]! <= x) low = middle
    else high = middle
  }
  return ys[low]! + ((ys[high]! - ys[low]!) * (x - xs[low]!)) / (xs[high]! - xs[low]!)
}
