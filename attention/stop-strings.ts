/** Ends a text at the first of some strings, across the borders of the parts in which it comes. */
export class StopStrings {
  readonly #stops: readonly string[]
  #held = ''
  #stopped = false

  /** @throws TypeError when a string is empty */
  constructor(stops: readonly string[]) {
    if (stops.some((stop) => stop === '')) throw new TypeError('Cannot stop at a string as it is empty')
    this.#stops = stops
  }

  /** Whether one of the strings was found. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** The text that is sure to stand before any of the strings; what could become one is held back. */
  push(text: string): string {
    if (this.#stopped) return ''
    this.#held += text
    const found = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((place) => place >= 0)
    this.#stopped = found.length > 0
    return this.#release(this.#stopped ? Math.min(...found) : this.#held.length - longestBeginning(this.#held, this.#stops))
  }

  /** What was held back and became none of the strings. */
  end(): string {
    return this.#stopped ? '' : this.#release(this.#held.length)
  }

  #release(length: number): string {
    const text = this.#held.slice(0, length)
    this.#held = this.#held.slice(length)
    return text
  }
}

/** Length of the longest end of `text` with which one of `stops` begins. */
function longestBeginning(text: string, stops: readonly string[]): number {
  const most = Math.max(0, ...stops.map((stop) => stop.length - 1))
  for (let length = Math.min(most, text.length); length > 0; length--) {
    const tail = text.slice(-length)
    if (stops.some((stop) => stop.startsWith(tail))) return length
  }
  return 0
}
