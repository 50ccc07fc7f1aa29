import { DocumentError } from '../../errors/index.ts'
import { decodeText } from '../decode-text.ts'

export interface DecodeBytesOptions {
  /** The encoding, where the caller knows it: any name of iconv-lite. */
  readonly encoding?: string | undefined
}

/** Shorter texts give too little to guess from. */
const LEAST_BYTES = 50
/** Bytes that a guess is made from, and bytes that they are looked for in. */
const SAMPLE = 1 << 16
const SEARCHED = 1 << 20
/** Of 100, chardet's scale. */
const LEAST_CONFIDENCE = 30
const SLICE = 1 << 20

/**
 * Decodes a text: by its byte order mark (UTF-8, UTF-16, UTF-32); else as UTF-8 where it is valid; else as what it declares; else by statistics of its bytes, where
 * they are enough and the result has no control characters.
 *
 * @throws DocumentError `binary` or `encoding`
 * @throws RangeError when `encoding` is not known
 */
export async function decodeBytes(bytes: Uint8Array, source: string, options: DecodeBytesOptions = {}): Promise<string> {
  const { encoding } = options
  if (encoding !== undefined) return decodeAs(bytes, encoding)
  if (isUtf32(bytes)) {
    const text = (await decodeAs(bytes, 'utf-32')).replace(/^\uFEFF/, '')
    if (!CONTROL.test(text)) return text
  }
  try {
    const decoding = decodeText(source)
    for (let at = 0; at < bytes.length; at += SLICE) decoding.add(bytes.subarray(at, at + SLICE))
    return decoding.end()
  } catch (cause) {
    if (!(cause instanceof DocumentError) || hasMark(bytes)) throw cause
    const guessed = cause.reason === 'binary' ? unmarkedUtf16(bytes) : ((await declaredEncoding(bytes)) ?? (await guess(bytes)))
    const text = guessed === undefined ? undefined : await decodeAs(bytes, guessed)
    if (text === undefined || CONTROL.test(text)) throw cause
    return text
  }
}

/** C0 controls but for white space and escape, C1 controls, and the replacement character: no text of a known encoding has them. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000E-\u001A\u007F-\u0084\u0086-\u009F\uFFFD]/

async function decodeAs(bytes: Uint8Array, encoding: string): Promise<string> {
  const { default: iconv } = await import('iconv-lite')
  if (!iconv.encodingExists(encoding)) {
    throw new RangeError(`Cannot decode as the encoding is not known: ${String(encoding)}. Use a name such as windows-1252 or shift_jis`)
  }
  return iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), encoding)
}

function hasMark(bytes: Uint8Array): boolean {
  const [first, second, third] = bytes
  return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || (first === 0xef && second === 0xbb && third === 0xbf)
}

/** The mark of UTF-32LE begins as that of UTF-16LE does, but no text has a NUL behind it. */
function isUtf32(bytes: Uint8Array): boolean {
  return ['fffe0000', '0000feff'].includes(Buffer.from(bytes.subarray(0, 4)).toString('hex'))
}

/**
 * What an XML or HTML text says of its own encoding, in its first kilobyte. A declaration of UTF-8 that does not hold says nothing; Latin-1 is
 * read as its superset, as browsers do.
 */
async function declaredEncoding(bytes: Uint8Array): Promise<string | undefined> {
  const head = latin1(bytes.subarray(0, 1024))
  const declared = /^\s*<\?xml[^>]+encoding=["']([\w:-]+)/.exec(head)?.[1] ?? /<meta[^>]+charset\s*=\s*["']?([\w:-]+)/i.exec(head)?.[1]
  if (declared === undefined || /^utf-?8$/i.test(declared)) return undefined
  const { default: iconv } = await import('iconv-lite')
  if (!iconv.encodingExists(declared)) return undefined
  return /^(?:iso-?8859-?1|latin-?1|us-ascii)$/i.test(declared) ? 'windows-1252' : declared
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** Text of Latin letters without a mark has a NUL in every second byte. */
function unmarkedUtf16(bytes: Uint8Array): string | undefined {
  const length = Math.min(bytes.length, SAMPLE) & ~1
  let even = 0
  let odd = 0
  for (let at = 0; at < length; at += 2) {
    if (bytes[at] === 0) even++
    if (bytes[at + 1] === 0) odd++
  }
  const pairs = length / 2
  if (pairs < LEAST_BYTES / 2) return undefined
  if (odd > 0.6 * pairs && even < 0.02 * pairs) return 'utf-16le'
  return even > 0.6 * pairs && odd < 0.02 * pairs ? 'utf-16be' : undefined
}

/** By the lines that hold more than ASCII, without their tags: markup and English say nothing, and would make the guess unsure. */
async function guess(bytes: Uint8Array): Promise<string | undefined> {
  const first = Math.max(0, bytes.findIndex((byte) => byte >= 0x80) - SAMPLE)
  const lines = latin1(bytes.subarray(first, first + SEARCHED))
    .replace(/<[^>]*>/g, ' ')
    .split('\n')
  const telling = lines.filter((line) => /[\u0080-\u00FF]/.test(line)).join('\n')
  if (telling.length < LEAST_BYTES) return undefined
  const [{ analyse }, { default: iconv }] = await Promise.all([import('chardet'), import('iconv-lite')])
  const best = analyse(Buffer.from(telling.slice(0, SAMPLE), 'latin1')).find(({ name }) => !name.startsWith('UTF-') && name !== 'ASCII')
  if (!best || best.confidence < LEAST_CONFIDENCE || !iconv.encodingExists(best.name)) return undefined
  return best.name === 'ISO-8859-1' ? 'windows-1252' : best.name
}
