/**
 * The map by which SentencePiece normalises characters (`precompiled_charsmap`): four bytes with the size of a double array, the array (a
 * trie over UTF-8 bytes in units of 32 bits, in the layout of the library "darts-clone"), then the replacements, each ended by a zero byte.
 * The longest sequence of bytes in the trie is replaced first.
 */
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** A function that normalises a text by the map in `bytes`; undefined when they are no map. */
export function characterMap(bytes: Uint8Array): ((text: string) => string) | undefined {
  if (bytes.length < 8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = view.getUint32(0, true)
  if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length) return undefined
  const units = Uint32Array.from({ length: size / 4 }, (_, index) => view.getUint32(4 + 4 * index, true))
  const replacements = bytes.subarray(4 + size)
  return (text) => replaceAll(encoder.encode(text), units, replacements)
}

function replaceAll(text: Uint8Array, units: Uint32Array, replacements: Uint8Array): string {
  const written: number[] = []
  for (let at = 0; at < text.length;) {
    const { length, place } = longestMatch(text, at, units)
    if (length > 0) {
      for (let index = place; index < replacements.length && replacements[index] !== 0; index++) written.push(replacements[index] ?? 0)
      at += length
      continue
    }
    // A character that is not in the map stays; the bytes after its first are no beginnings.
    do written.push(text[at++] ?? 0)
    while (((text[at] ?? 0) & 0xc0) === 0x80)
  }
  return decoder.decode(Uint8Array.from(written))
}

/** The longest run of bytes from `start` in the trie, and where its replacement begins. Units outside the array end the search. */
function longestMatch(text: Uint8Array, start: number, units: Uint32Array): { length: number; place: number } {
  let length = 0
  let place = 0
  let node = offsetOf(units[0] ?? 0)
  for (let at = start; at < text.length; at++) {
    const byte = text[at] ?? 0
    if (byte === 0) break
    node ^= byte
    const unit = units[node]
    if (unit === undefined || labelOf(unit) !== byte) break
    node ^= offsetOf(unit)
    if (((unit >>> 8) & 1) === 0) continue
    const leaf = units[node]
    if (leaf === undefined) break
    length = at - start + 1
    place = leaf & 0x7fffffff
  }
  return { length, place }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & (1 << 9)) >>> 6)
}

/** The byte that leads to a node; a leaf, which holds a value, has none. */
function labelOf(unit: number): number {
  return unit & 0x800000ff
}
