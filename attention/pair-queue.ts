/** Two neighbours that may be joined. */
export interface QueuedPair {
  /** Index of the left one. */
  readonly left: number
  /** Characters of both together when they were queued. */
  readonly length: number
}

/** A binary heap of pairs, lowest rank first, the leftmost of equals. Its numbers lie in plain arrays, as it may hold millions. */
export class PairQueue {
  readonly #ranks: number[] = []
  readonly #lefts: number[] = []
  readonly #lengths: number[] = []

  push(rank: number, left: number, length: number): void {
    let at = this.#ranks.length
    this.#set(at, rank, left, length)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#precedes(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  pop(): QueuedPair | undefined {
    const left = this.#lefts[0]
    const length = this.#lengths[0]
    if (left === undefined || length === undefined) return undefined
    const rank = this.#ranks.pop() ?? 0
    const lastLeft = this.#lefts.pop() ?? 0
    const lastLength = this.#lengths.pop() ?? 0
    if (this.#ranks.length > 0) {
      this.#set(0, rank, lastLeft, lastLength)
      this.#sink()
    }
    return { left, length }
  }

  #sink(): void {
    const size = this.#ranks.length
    for (let at = 0; ;) {
      const child = 2 * at + 1
      if (child >= size) return
      const lower = child + 1 < size && this.#precedes(child + 1, child) ? child + 1 : child
      if (!this.#precedes(lower, at)) return
      this.#swap(lower, at)
      at = lower
    }
  }

  #precedes(a: number, b: number): boolean {
    const first = this.#ranks[a] ?? 0
    const second = this.#ranks[b] ?? 0
    return first < second || (first === second && (this.#lefts[a] ?? 0) < (this.#lefts[b] ?? 0))
  }

  #set(at: number, rank: number, left: number, length: number): void {
    this.#ranks[at] = rank
    this.#lefts[at] = left
    this.#lengths[at] = length
  }

  #swap(a: number, b: number): void {
    for (const values of [this.#ranks, this.#lefts, this.#lengths]) {
      const held = values[a] ?? 0
      values[a] = values[b] ?? 0
      values[b] = held
    }
  }
}
