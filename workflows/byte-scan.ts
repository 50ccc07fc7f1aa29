/** Looks for many texts at once in bytes, such as those of a database's files: what an erasure must not leave behind. */

/** Bytes that are hashed at each place. Shorter contents are not looked for: they stand by chance where they do not belong. */
const windowBytes = 12
/** A long content is looked for by pieces, as a database may cut it in two. */
const pieceBytes = 48
const mostPieces = 8
const multiplier = 0x01000193
const filterBits = 22

/** Bytes that are looked for, with the number of the content that they come from. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly content: number
}

export interface ByteScan {
  /** Adds what is to be looked for, in all forms that it may lie in. */
  add(content: string | Uint8Array): void
  /** The pieces that the bytes hold. */
  search(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Set<Piece>>
  /** How many contents are looked for, and how many were too short. */
  readonly contents: number
  readonly tooShort: number
}

export function createByteScan(): ByteScan {
  const pieces = new Map<number, Piece[]>()
  const filter = new Uint8Array(1 << (filterBits - 3))
  const seen = new Set<string>()
  let contents = 0
  let tooShort = 0

  function add(content: string | Uint8Array): void {
    const forms = formsOf(content)
    if ((forms[0]?.length ?? 0) < windowBytes) {
      tooShort++
      return
    }
    for (const bytes of forms) for (const piece of cut(bytes)) addPiece(piece)
    contents++
  }

  function addPiece(bytes: Uint8Array): void {
    const name = Buffer.from(bytes).toString('latin1')
    if (seen.has(name)) return
    seen.add(name)
    const hash = hashOf(bytes)
    const known = pieces.get(hash)
    if (known) known.push({ bytes, content: contents })
    else pieces.set(hash, [{ bytes, content: contents }])
    const bit = bitOf(hash)
    filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7))
  }

  function searchBytes(bytes: Uint8Array, found: Set<Piece>): void {
    if (bytes.length < windowBytes) return
    let hash = hashOf(bytes)
    for (let start = 0; ; start++) {
      const bit = bitOf(hash)
      if (((filter[bit >> 3] as number) >> (bit & 7)) & 1) {
        for (const piece of pieces.get(hash) ?? []) if (!found.has(piece) && holds(bytes, start, piece.bytes)) found.add(piece)
      }
      const next = start + windowBytes
      if (next >= bytes.length) return
      hash = (Math.imul(hash - Math.imul(bytes[start] as number, highest), multiplier) + (bytes[next] as number)) | 0
    }
  }

  async function search(parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Set<Piece>> {
    const found = new Set<Piece>()
    let end: Uint8Array = new Uint8Array(0)
    for await (const part of parts) {
      const bytes = Buffer.concat([end, part])
      searchBytes(bytes, found)
      // A piece may begin in one part and end in the next.
      end = bytes.subarray(Math.max(0, bytes.length - pieceBytes + 1))
    }
    return found
  }

  return {
    add,
    search,
    get contents() {
      return contents
    },
    get tooShort() {
      return tooShort
    },
  }
}

/** The multiplier to the power of the window less one, which the byte that leaves was multiplied by. */
const highest = Array.from({ length: windowBytes - 1 }).reduce<number>((power) => Math.imul(power, multiplier), 1)

function hashOf(bytes: Uint8Array): number {
  let hash = 0
  for (let index = 0; index < windowBytes; index++) hash = (Math.imul(hash, multiplier) + (bytes[index] as number)) | 0
  return hash
}

function bitOf(hash: number): number {
  return (hash ^ (hash >>> 15)) & ((1 << filterBits) - 1)
}

function holds(bytes: Uint8Array, start: number, piece: Uint8Array): boolean {
  if (start + piece.length > bytes.length) return false
  for (let index = 0; index < piece.length; index++) if (bytes[start + index] !== piece[index]) return false
  return true
}

/** Pieces spread evenly, the first and the last bytes among them. */
function cut(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length < windowBytes) return []
  const count = Math.min(mostPieces, Math.ceil(bytes.length / pieceBytes))
  const step = count === 1 ? 0 : (bytes.length - pieceBytes) / (count - 1)
  return Array.from({ length: count }, (_, index) => {
    const start = Math.floor(index * step)
    return bytes.slice(start, start + pieceBytes)
  })
}

/** The bytes of a text as UTF-8, as JSON holds it, and as JSON within JSON; those of a vector, and of the vector at unit length. */
export function formsOf(content: string | Uint8Array): Uint8Array[] {
  return typeof content === 'string' ? formsOfText(content) : formsOfVector(content)
}

function formsOfText(text: string): Uint8Array[] {
  const inJson = JSON.stringify(text).slice(1, -1)
  const twice = JSON.stringify(inJson).slice(1, -1)
  const forms = [text, inJson, twice].map((form) => Buffer.from(form))
  // A text with a lone surrogate, which UTF-8 cannot hold, lies in SQLite as UTF-16.
  return /\p{Surrogate}/u.test(text) ? [...forms, Buffer.from(text, 'utf16le')] : forms
}

/** The bytes, and where they are a vector those of the vector at unit length, as `hnswlib` keeps it: in the same steps, for the same last bits. */
function formsOfVector(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length % 4 !== 0) return [bytes]
  const vector = new Float32Array(bytes.slice().buffer)
  let sum = 0
  for (const component of vector) sum = Math.fround(sum + Math.fround(component * component))
  const norm = Math.fround(Math.sqrt(sum))
  if (norm === 0) return [bytes]
  const unit = vector.map((component) => component / norm)
  return [bytes, new Uint8Array(unit.buffer)]
}
