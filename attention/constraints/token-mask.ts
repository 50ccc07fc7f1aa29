/** A set of token ids, one bit each. */
export class TokenMask implements Iterable<number> {
  readonly #words: Uint32Array

  /** An empty set of ids below `vocabulary`. */
  constructor(vocabulary: number | Uint32Array) {
    this.#words = typeof vocabulary === 'number' ? new Uint32Array(Math.ceil(vocabulary / 32)) : vocabulary
  }

  add(id: number): void {
    const word = id >>> 5
    this.#words[word] = (this.#words[word] ?? 0) | (1 << (id & 31))
  }

  delete(id: number): void {
    const word = id >>> 5
    this.#words[word] = (this.#words[word] ?? 0) & ~(1 << (id & 31))
  }

  has(id: number): boolean {
    return (((this.#words[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1
  }

  copy(): TokenMask {
    return new TokenMask(this.#words.slice())
  }

  /** The ids, in order. */
  ids(): Int32Array {
    const found = new Int32Array(this.#words.length * 32)
    let count = 0
    for (let word = 0; word < this.#words.length; word++) {
      for (let bits = this.#words[word] ?? 0; bits !== 0; bits &= bits - 1) found[count++] = word * 32 + (31 - Math.clz32(bits & -bits))
    }
    return found.slice(0, count)
  }

  [Symbol.iterator](): Iterator<number> {
    return this.ids().values()
  }
}
