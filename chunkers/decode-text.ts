import { isUtf8 } from 'node:buffer'
import { DocumentError } from '../errors/index.ts'

/** Decodes the bytes of a text, part by part. UTF-8, and UTF-16 where a byte order mark says so; the mark is left out. */
export interface TextDecoding {
  add(bytes: Uint8Array): void
  /** The text so far, whole. */
  end(): string
}

/** Bytes of the longest byte order mark. */
const LONGEST_MARK = 3

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
      if (held.length < LONGEST_MARK && !last) return
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
  if (nul >= 0) throw binary(source, offset + nul)
  if (!isUtf8(bytes)) throw undecodable(source, 'UTF-8', offset + firstInvalid(bytes))
  return bytes.toString('utf8')
}

function fromUtf16(source: string, bytes: Buffer, offset: number, encoding: Encoding): string {
  if (bytes.length % 2 === 1) throw undecodable(source, 'UTF-16', offset + bytes.length - 1)
  // A copy, as swapping is done in place.
  const text = (encoding === 'utf-16be' ? Buffer.from(bytes).swap16() : bytes).toString('utf16le')
  const nul = text.indexOf('\0')
  if (nul >= 0) throw binary(source, offset + 2 * nul)
  return text
}

function binary(source: string, byte: number): DocumentError {
  const hint = 'convert it to UTF-8 text first (UTF-16 needs a byte order mark)'
  return new DocumentError(`Cannot read ${source} as it is not text, with a NUL at byte ${byte}: ${hint}`, { reason: 'binary', source })
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
