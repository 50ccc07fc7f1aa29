/** Two neighbours that may be joined. */
export interface QueuedPair {
  /** How early. */
  readonly rank: number
  /** Index of the left one. */
  readonly left: number
  /** Characters of both together when they were queued. */
  readonly length: number
}

/** A binary heap of pairs, lowest rank first, the leftmost of equals. */
export class PairQueue {
  readonly #pairs: QueuedPair[] = []

  push(rank: number, left: number, length: number): void {
    const pairs = this.#pairs
    const pair = { rank, left, length }
    let hole = pairs.length
    pairs.push(pair)
    while (hole > 0) {
      const parent = (hole - 1) >> 1
      const above = pairs[parent]
      if (above === undefined || !precedes(pair, above)) break
      pairs[hole] = above
      hole = parent
    }
    pairs[hole] = pair
  }

  pop(): QueuedPair | undefined {
    const [first] = this.#pairs
    const last = this.#pairs.pop()
    if (last !== undefined && this.#pairs.length > 0) this.#sink(last)
    return first
  }

  #sink(pair: QueuedPair): void {
    const pairs = this.#pairs
    let hole = 0
    for (;;) {
      const left = pairs[2 * hole + 1]
      const right = pairs[2 * hole + 2]
      const isRight = left !== undefined && right !== undefined && precedes(right, left)
      const lower = isRight ? right : left
      if (lower === undefined || !precedes(lower, pair)) break
      pairs[hole] = lower
      hole = 2 * hole + (isRight ? 2 : 1)
    }
    pairs[hole] = pair
  }
}

function precedes(a: QueuedPair, b: QueuedPair): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.left < b.left)
}
