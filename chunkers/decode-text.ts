import { isUtf8 } from 'node:buffer'
import { DocumentError } from '../errors/index.ts'

/** Decodes the bytes of a text, part by part. UTF-8, and UTF-16 where a byte order mark says so; the mark is left out. */
export interface TextDecoding {
  add(bytes: Uint8Array): void
  /** The text so far, whole. */
  end(): string
}

/** Beginnings of files that hold no text. */
const MAGIC: readonly (readonly [name: string, hex: string])[] = [
  ['a PDF', '255044462d'],
  ['a ZIP archive (DOCX, EPUB, ODT and the like are such)', '504b0304'],
  ['a gzip archive', '1f8b08'],
  ['a PNG image', '89504e470d0a1a0a'],
  ['a JPEG image', 'ffd8ff'],
  ['a GIF image', '47494638'],
  ['a GGUF model', '47475546'],
  ['an old Office file', 'd0cf11e0a1b11ae1'],
  ['a program', '7f454c46'],
  ['an SQLite database', '53514c69746520666f726d6174203300'],
  ['UTF-32 text', 'fffe0000'],
  ['UTF-32 text', '0000feff'],
]

/** Longest beginning that tells what a file is. */
const HEAD = 16

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be'

/**
 * Makes a decoder.
 *
 * @param source path or label, for messages
 * @throws DocumentError, from `add` and `end`: `binary`, or `encoding` with the byte offset
 */
export function decodeText(source: string): TextDecoding {
  const parts: string[] = []
  let encoding: Encoding | undefined
  // Bytes held back: until the encoding is known, then those of an unfinished character. `offset` is where in the file they start.
  let held: Buffer = Buffer.alloc(0)
  let offset = 0
  const run = (last: boolean): void => {
    if (!encoding) {
      if (held.length < HEAD && !last) return
      refuseMagic(source, held)
      const mark = markOf(held)
      encoding = mark.encoding
      offset = mark.length
      held = held.subarray(mark.length)
    }
    const ready = held.subarray(0, held.length - (last ? 0 : unfinished(held, encoding)))
    parts.push(encoding === 'utf-8' ? fromUtf8(source, ready, offset) : fromUtf16(source, ready, offset, encoding))
    offset += ready.length
    // A copy: the caller may use its buffer again.
    held = Buffer.from(held.subarray(ready.length))
  }
  return {
    add(bytes) {
      held = Buffer.concat([held, bytes])
      run(false)
    },
    end() {
      run(true)
      return parts.join('')
    },
  }
}

function refuseMagic(source: string, head: Buffer): void {
  const hex = head.toString('hex', 0, HEAD)
  const found = MAGIC.find(([, magic]) => hex.startsWith(magic))
  if (!found) return
  throw new DocumentError(`Cannot read ${source} as it is ${found[0]}, not text in UTF-8: convert it to plain text or Markdown first`, {
    reason: 'binary',
    source,
  })
}

function markOf(head: Buffer): { encoding: Encoding; length: number } {
  const hex = head.toString('hex', 0, 3)
  if (hex.startsWith('fffe')) return { encoding: 'utf-16le', length: 2 }
  if (hex.startsWith('feff')) return { encoding: 'utf-16be', length: 2 }
  return { encoding: 'utf-8', length: hex === 'efbbbf' ? 3 : 0 }
}

/** Bytes at the end that begin a character whose rest has not come yet. */
function unfinished(bytes: Buffer, encoding: Encoding): number {
  if (encoding !== 'utf-8') return bytes.length % 2
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0
  }
  return 0
}

function fromUtf8(source: string, bytes: Buffer, offset: number): string {
  const nul = bytes.indexOf(0)
  if (nul >= 0) {
    throw new DocumentError(
      `Cannot read ${source} as it is not text, with a NUL at byte ${offset + nul}: convert it to UTF-8 text first (UTF-16 needs a byte order mark)`,
      { reason: 'binary', source },
    )
  }
  if (!isUtf8(bytes)) throw undecodable(source, 'UTF-8', offset + firstInvalid(bytes))
  return bytes.toString('utf8')
}

function fromUtf16(source: string, bytes: Buffer, offset: number, encoding: Encoding): string {
  if (bytes.length % 2 === 1) throw undecodable(source, 'UTF-16', offset + bytes.length - 1)
  // A copy, as swapping is done in place.
  return (encoding === 'utf-16be' ? Buffer.from(bytes).swap16() : bytes).toString('utf16le')
}

function undecodable(source: string, encoding: string, byte: number): DocumentError {
  const hint = 'convert it to UTF-8 first, for example with: iconv -f WINDOWS-1252 -t UTF-8'
  return new DocumentError(`Cannot read ${source} as it is not valid ${encoding} at byte ${byte}: ${hint}`, { reason: 'encoding', source })
}

/** Decodes leniently and looks for the first replacement character that was not in the bytes themselves. */
function firstInvalid(bytes: Buffer): number {
  const text = bytes.toString('utf8')
  let byte = 0
  let from = 0
  for (let at = text.indexOf(REPLACEMENT); at >= 0; at = text.indexOf(REPLACEMENT, at + 1)) {
    byte += Buffer.byteLength(text.slice(from, at))
    from = at
    if (bytes.toString('hex', byte, byte + 3) !== 'efbfbd') return byte
  }
  return bytes.length
}

const REPLACEMENT = '\uFFFD'
