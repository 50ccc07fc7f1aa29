/** The contract of policies, which say what a cache keeps when it may not keep everything. A new one is one file and a line in `index.ts`. */

/**
 * What is kept: plain data and a plain function. One set of tokens is kept in all layers, as a cache's layers hold the same tokens.
 */
export interface CachePolicy {
  readonly name: string
  /** What it was made with: part of the identity of what it leaves. */
  readonly parameters: Readonly<Record<string, number>>
  /** How many of the last tokens' queries score the tokens before them; 0 where scores are not looked at. */
  readonly queries: number
  /** Whether kept tokens stay where they were read, or move to their place in the cache: 0, 1, ... */
  readonly positions: 'kept' | 'slots'
  /**
   * Which tokens to keep: at most `budget`, as indices in rising order.
   *
   * @param scores one a token, higher for what matters more; all 0 where `queries` is 0
   */
  keep(scores: Float32Array, budget: number): Int32Array
}

/** Indices `[from, to)`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index)
}
