/** How texts lie in the database. */

/** Text as it is; text with a lone surrogate, which UTF-8 cannot hold, as a BLOB of UTF-16. */
export function encodeText(text: string): string | Buffer {
  return /\p{Surrogate}/u.test(text) ? Buffer.from(text, 'utf16le') : text
}

export function decodeText(value: string | Buffer): string {
  return typeof value === 'string' ? value : value.toString('utf16le')
}
