/**
 * The alphabet of byte-level BPE (GPT-2): each of the 256 bytes is written as one printable character, so that any text, and any part of a
 * multi-byte character, can be a token. Bytes that are printable in Latin-1 stand for themselves; the others take U+0100 and up, in order.
 */
const toByte = new Map<string, number>()
const toCharacter: string[] = []

for (let byte = 0, spare = 0x100; byte < 0x100; byte++) {
  const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae
  const character = String.fromCharCode(printable ? byte : spare++)
  toByte.set(character, byte)
  toCharacter.push(character)
}

const encoder = new TextEncoder()

/** The bytes that a token of the byte-level alphabet stands for. Characters outside the alphabet stand for their UTF-8 bytes. */
export function tokenBytes(token: string): Uint8Array {
  const bytes: number[] = []
  for (const character of token) {
    const byte = toByte.get(character)
    if (byte === undefined) bytes.push(...encoder.encode(character))
    else bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

/** The UTF-8 bytes of `text` in the byte-level alphabet. A lone surrogate is read as U+FFFD. */
export function byteLevelText(text: string): string {
  let written = ''
  for (const byte of encoder.encode(text)) written += toCharacter[byte]
  return written
}
