import { cutsSurrogatePair } from './surrogates.ts'

/**
 * Code points that may join the one before or after them (UAX 29, table 2: Extend, ZWJ, SpacingMark, Prepend, Regional_Indicator, L, V, T).
 * Between two others there is a border, whatever stands around them, but for CR LF.
 */
const JOINING =
  /[\p{M}\p{Grapheme_Extend}\p{Emoji_Modifier}\p{Regional_Indicator}\u200D\u0E33\u0EB3\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u0D4E\u{110BD}\u{110CD}\u{111C2}\u{111C3}\u{113D1}\u{1193F}\u{11941}\u{11A3A}\u{11A84}-\u{11A89}\u{11D46}\u{11F02}\u1100-\u11FF\uA960-\uA97F\uD7B0-\uD7FF\u{16D63}\u{16D67}-\u{16D6A}]/u

/** First window in which the end of a grapheme is looked for, in UTF-16 code units. */
const WINDOW = 64

let segmenter: Intl.Segmenter | undefined

function containing(text: string, at: number): Intl.SegmentData {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return segmenter.segment(text).containing(at)!
}

/** The last border between graphemes (UAX 29) in (start, at]; `start`, itself a border, where there is none. */
export function graphemeBorder(text: string, start: number, at: number): number {
  if (at <= start) return start
  if (at >= text.length) return text.length
  if (isSureBorder(text, at)) return at
  let from = at - 1
  while (from > start && !isSureBorder(text, from)) from--
  // Whether there is a border depends on no more than the code point after it.
  return from + containing(text.slice(from, at + 2), at - from).index
}

/**
 * Past the grapheme that starts at `start`, `end` at most; undefined as soon as a part of it is not `wanted`, so that a grapheme of any length
 * is not read to its end for each of its parts.
 */
export function graphemeEnd(text: string, start: number, end: number, wanted: (stop: number) => boolean): number | undefined {
  for (let size = WINDOW; ; size *= 2) {
    const near = Math.min(end, start + size)
    const stop = cutsSurrogatePair(text, near) ? near + 1 : near
    const { length } = containing(text.slice(start, stop), 0).segment
    if (start + length < stop || stop >= end) return start + length
    if (!wanted(stop)) return undefined
  }
}

/** Whether the two code points at an offset alone tell that there is a border between them. */
function isSureBorder(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1)
  const after = text.charCodeAt(at)
  if (isPlain(before) && isPlain(after)) return before !== 13 || after !== 10
  if (cutsSurrogatePair(text, at)) return false
  const first = cutsSurrogatePair(text, at - 1) ? at - 2 : at - 1
  return !JOINING.test(text.slice(first, at)) && !JOINING.test(String.fromCodePoint(text.codePointAt(at)!))
}

/** Latin letters, Han and Hangul syllables: what needs no look at the tables. */
function isPlain(unit: number): boolean {
  return unit < 0x300 || (unit >= 0x3400 && unit <= 0x9fff) || (unit >= 0xac00 && unit <= 0xd7a3)
}
