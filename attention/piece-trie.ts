/** Pieces by their code units, to find all that begin at one place of a text. */
export class PieceTrie {
  /** Nodes by (parent, code unit) in one number. */
  readonly #children = new Map<number, number>()
  /** Id of the piece that ends at a node; -1 where none does. */
  readonly #ends: number[] = [-1]

  constructor(pieces: ReadonlyMap<string, number>) {
    for (const [piece, id] of pieces) this.#add(piece, id)
  }

  /** Tells `found` the id and the end of each piece that begins at `start`, the shortest first. */
  match(text: string, start: number, found: (id: number, end: number) => void): void {
    let node = 0
    for (let at = start; at < text.length; at++) {
      const child = this.#children.get(node * 0x10000 + text.charCodeAt(at))
      if (child === undefined) return
      node = child
      const id = this.#ends[node] ?? -1
      if (id >= 0) found(id, at + 1)
    }
  }

  #add(piece: string, id: number): void {
    if (piece === '') return
    let node = 0
    for (let at = 0; at < piece.length; at++) {
      const key = node * 0x10000 + piece.charCodeAt(at)
      const child = this.#children.get(key) ?? this.#ends.push(-1) - 1
      this.#children.set(key, child)
      node = child
    }
    this.#ends[node] = id
  }
}
