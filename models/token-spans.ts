/** Where tokens lie in their text, and where its words begin and end. */
import type { ByteTokenizer } from '../attention/index.ts'

/** A text as tokens, with places in UTF-16 code units. */
export interface TokenSpans {
  readonly ids: readonly number[]
  /** The place where each token begins, then the end of the text; -1 inside a character. */
  readonly offsets: Int32Array
}

const space = 0x20

/** Tokens of `text` with their places. */
export function tokenSpans(tokenizer: ByteTokenizer, text: string): TokenSpans {
  const ids = tokenizer.encode(text)
  const bytes = new TextEncoder().encode(text)
  const places = placesOfBytes(text, bytes.length)
  const offsets = new Int32Array(ids.length + 1)
  let at = 0
  ids.forEach((id, index) => {
    const written = tokenizer.bytes(id)
    // A space that the tokenizer put before the text is not in it.
    const token = index === 0 && tokenizer.adds?.space === true && written[0] === space ? written.subarray(1) : written
    // Bytes that the vocabulary does not know have no token.
    while (token.length > 0 && at < bytes.length && bytes[at] !== token[0]) at++
    offsets[index] = places[at] ?? -1
    at += token.length
  })
  offsets[ids.length] = places[Math.min(at, bytes.length)] ?? -1
  return { ids, offsets }
}

/** The place in the text of each byte of its UTF-8 form, and of its end; -1 inside a character. A lone surrogate takes three bytes. */
function placesOfBytes(text: string, length: number): Int32Array {
  const places = new Int32Array(length + 1).fill(-1)
  let byte = 0
  let place = 0
  for (const character of text) {
    places[byte] = place
    const code = character.codePointAt(0) ?? 0
    byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    place += character.length
  }
  places[byte] = place
  return places
}

/** Indices of the tokens at which a quotation may begin: their first character that is no space begins a word or stands outside of one. */
export function wordStarts(text: string, { ids, offsets }: TokenSpans): number[] {
  return [...ids.keys()].filter((index) => {
    const start = offsets[index] ?? -1
    const end = offsets[index + 1] ?? -1
    if (start < 0 || end < 0) return false
    const first = skipSpaces(text, start)
    return first < end && isBorder(text, first)
  })
}

/** Indices of the tokens after which a quotation may end: no word goes on there, and the token is more than space. */
export function wordEnds(text: string, { ids, offsets }: TokenSpans): number[] {
  return [...ids.keys()].filter((index) => {
    const start = offsets[index] ?? -1
    const end = offsets[index + 1] ?? -1
    return end >= 0 && isBorder(text, end) && text.slice(Math.max(start, 0), end).trim() !== ''
  })
}

/** The text's span of tokens `[from, to)`, without the space at its ends. */
export function trimmedSpan(text: string, { offsets }: TokenSpans, from: number, to: number): { start: number; end: number } {
  const start = skipSpaces(text, offsets[from] ?? 0)
  const slice = text.slice(start, offsets[to])
  return { start, end: start + slice.trimEnd().length }
}

function skipSpaces(text: string, start: number): number {
  let at = start
  while (at < text.length && text.charAt(at).trim() === '') at++
  return at
}

const endsInWord = /[\p{L}\p{N}\p{M}]$/u
const startsInWord = /^[\p{L}\p{N}\p{M}]/u

/** Whether no word runs across `place`. */
function isBorder(text: string, place: number): boolean {
  if (place <= 0 || place >= text.length) return true
  return !(endsInWord.test(text.slice(Math.max(0, place - 2), place)) && startsInWord.test(text.slice(place, place + 2)))
}
