/**
 * The suffix automaton of a sequence of tokens (Blumer et al., "The smallest automaton recognizing the subwords of a text", 1985): each way
 * from its start spells a part of the sequence, and each part is spelled. Built in linear time, one token at a time.
 */
export class SuffixAutomaton {
  /** States after each token, by state; 0 is the start. */
  readonly next: Map<number, number>[] = [new Map()]
  /** The state of the longest suffix that occurs elsewhere too; -1 for the start. */
  readonly links: number[] = [-1]
  /** Length of the longest part that leads to each state. */
  readonly lengths: number[] = [0]
  /** Index of a token at which the parts of each state end: the first one. */
  readonly ends: number[] = [-1]
  /** States of the beginnings of the sequence. */
  readonly beginnings: number[] = []
  #last = 0

  add(token: number): void {
    const state = this.#state((this.lengths[this.#last] ?? 0) + 1, new Map(), -1, this.beginnings.length)
    let before = this.#last
    for (; before >= 0 && !this.next[before]!.has(token); before = this.links[before] ?? -1) this.next[before]!.set(token, state)
    this.links[state] = before < 0 ? 0 : this.#shared(before, token)
    this.#last = state
    this.beginnings.push(state)
  }

  /** The state of what `before` and `token` spell, and of nothing longer. */
  #shared(before: number, token: number): number {
    const found = this.next[before]!.get(token) ?? 0
    const length = (this.lengths[before] ?? 0) + 1
    if (this.lengths[found] === length) return found
    const copy = this.#state(length, new Map(this.next[found]), this.links[found] ?? 0, this.ends[found] ?? 0)
    this.links[found] = copy
    for (let at = before; at >= 0 && this.next[at]!.get(token) === found; at = this.links[at] ?? -1) this.next[at]!.set(token, copy)
    return copy
  }

  #state(length: number, next: Map<number, number>, link: number, end: number): number {
    this.lengths.push(length)
    this.links.push(link)
    this.ends.push(end)
    return this.next.push(next) - 1
  }
}
