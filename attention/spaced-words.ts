/** How SentencePiece vocabularies write a space, and how a text is cut where none of their pieces lies across. */
export const spaceMark = '\u2581'

const utf8 = new TextEncoder()
const bytePiece = /^<0x([0-9A-Fa-f]{2})>$/

/** `text` with marks for its spaces, and one before it if `lead`. Lone surrogates are read as U+FFFD, as everywhere in UTF-8. */
export function markSpaces(text: string, lead: boolean): string {
  const marked = text.replaceAll(/\p{Surrogate}/gu, '\ufffd').replaceAll(' ', spaceMark)
  return lead ? spaceMark + marked : marked
}

/** The bytes of a piece: those of its text, or the one that it names (`<0x0A>`). */
export function pieceBytes(piece: string, isByte: boolean): Uint8Array {
  const [, hexadecimal] = (isByte && bytePiece.exec(piece)) || []
  return hexadecimal === undefined ? utf8.encode(piece.replaceAll(spaceMark, ' ')) : Uint8Array.of(Number.parseInt(hexadecimal, 16))
}

/**
 * A function that cuts a marked text before each run of marks, or not at all when some piece goes on across such a place: only then can
 * the words be encoded one by one with the same result.
 */
export function wordCutter(pieces: Iterable<string>): (text: string) => string[] {
  for (const piece of pieces) if (/[^\u2581]\u2581/.test(piece)) return (text) => (text === '' ? [] : [text])
  return (text) => text.match(/\u2581+[^\u2581]*|[^\u2581]+/g) ?? []
}

/**
 * Ids of what the vocabulary has no piece for: those of its bytes where there are pieces for them, else the unknown token, else none.
 */
export function byteFallback(ids: ReadonlyMap<string, number>, unknown: number | undefined): (symbol: string) => readonly number[] {
  const byByte = Array.from({ length: 256 }, (_, byte) => ids.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`))
  return (symbol) => {
    const found = Array.from(utf8.encode(symbol), (byte) => byByte[byte])
    if (found.every((id) => id !== undefined)) return found
    return unknown === undefined ? [] : [unknown]
  }
}
