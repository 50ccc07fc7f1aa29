import type { ByteSource } from './runtime.ts'

/** A piece of a virtual file. */
export interface VirtualPart {
  readonly bytes: number
  /** Bytes [from, to) of the piece. */
  read(from: number, to: number): Promise<Uint8Array>
}

const alignment = 32

/** A file that is put together from pieces of others, and read as one. */
export class VirtualSource implements ByteSource {
  readonly name: string
  readonly #parts: { readonly start: number; readonly part: VirtualPart }[] = []
  #size = 0

  constructor(name: string) {
    this.name = name
  }

  get size(): number {
    return this.#size
  }

  /** Puts `part` at the end, at a multiple of 32; returns its place. */
  add(part: VirtualPart): number {
    const start = this.#size
    this.#parts.push({ start, part })
    this.#size = start + Math.ceil(part.bytes / alignment) * alignment
    return start
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    const first = this.#partAt(start)
    const only = this.#parts[first]
    if (only !== undefined && end <= only.start + only.part.bytes) return only.part.read(start - only.start, end - only.start)
    const bytes = new Uint8Array(Math.max(0, Math.min(end, this.#size) - start))
    for (const { start: at, part } of this.#parts.slice(Math.max(0, first))) {
      if (at >= end) break
      const from = Math.max(start, at)
      const to = Math.min(end, at + part.bytes)
      if (from < to) bytes.set(await part.read(from - at, to - at), from - start)
    }
    return bytes
  }

  /** Index of the last part that begins at or before `place`. */
  #partAt(place: number): number {
    let low = 0
    let high = this.#parts.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#parts[middle]?.start ?? 0) <= place) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
