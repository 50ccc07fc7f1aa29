/** What a cache knows of each token beside its keys and values. */
export class TokenColumns {
  readonly #positions: number[] = []
  readonly #sources: number[] = []
  readonly #ids: number[] = []
  /** 1 where the token ran in the arithmetic of long reads. */
  readonly #forms: number[] = []

  get length(): number {
    return this.#positions.length
  }

  get positions(): Int32Array {
    return Int32Array.from(this.#positions)
  }

  get sources(): Int32Array {
    return Int32Array.from(this.#sources)
  }

  get ids(): Int32Array {
    return Int32Array.from(this.#ids)
  }

  get longReads(): Uint8Array {
    return Uint8Array.from(this.#forms)
  }

  get nextPosition(): number {
    return (this.#positions.at(-1) ?? -1) + 1
  }

  /**
   * Adds tokens from index `start` on, or finds them there.
   *
   * @throws RangeError when tokens are left out, or one is there with another position
   */
  add(start: number, positions: Int32Array): void {
    if (start > this.length)
      throw new RangeError(`Cannot append to the cache as its layers are out of step: ${start} tokens after ${this.length}`)
    // Looked for only where a token is new: all layers but the first find their tokens here.
    let source: number | undefined
    for (const [index, position] of positions.entries()) {
      const known = this.#positions[start + index]
      if (known === undefined) {
        this.#positions.push(position)
        source = source === undefined ? nextSource(this.#sources) : source + 1
        this.#sources.push(source)
        this.#ids.push(-1)
        this.#forms.push(0)
      } else if (known !== position) {
        throw new RangeError(
          `Cannot append position ${position} to the cache as earlier layers hold another for token ${start + index}: ${known}`,
        )
      }
    }
  }

  setSources(start: number, sources: ArrayLike<number>): void {
    this.#set('sources', this.#sources, start, sources)
  }

  setIds(start: number, ids: ArrayLike<number>, longRead: boolean): void {
    this.#set('ids', this.#ids, start, ids)
    this.#forms.fill(longRead ? 1 : 0, start, start + ids.length)
  }

  cut(length: number): void {
    for (const column of [this.#positions, this.#sources, this.#ids, this.#forms]) column.length = Math.min(column.length, length)
  }

  /** Takes over the tokens of `other` in place of its own. */
  copy(other: TokenColumns): void {
    this.cut(0)
    for (const position of other.#positions) this.#positions.push(position)
    for (const source of other.#sources) this.#sources.push(source)
    for (const id of other.#ids) this.#ids.push(id)
    for (const form of other.#forms) this.#forms.push(form)
  }

  #set(what: string, column: number[], start: number, values: ArrayLike<number>): void {
    if (start + values.length > this.length) {
      throw new RangeError(`Cannot name the ${what} of ${values.length} tokens from ${start} on as the cache holds ${this.length}`)
    }
    for (let index = 0; index < values.length; index++) column[start + index] = values[index] as number
  }
}

function nextSource(sources: readonly number[]): number {
  let highest = -1
  for (const source of sources) if (source > highest) highest = source
  return highest + 1
}
