import type { Span } from './document.ts'
import { isSpace, trimSpan } from './paragraphs.ts'
import { cutsSurrogatePair } from './surrogates.ts'

export interface CutLongOptions {
  readonly maxTokens: number
  readonly count: (text: string) => number
  /** Whether to prefer the ends of clauses over other white space. */
  readonly clauses?: boolean
}

/** A counted span. */
export interface CountedSpan extends Span {
  readonly tokens: number
}

/** A piece at least this full is not made longer by another count. */
const FULL = 0.85

/** A cut is moved back to a better place as far as this share of the piece. */
const BACK = 0.5

/**
 * Cuts a span into pieces of at most `maxTokens` tokens, in order, holding all of it but white space between pieces. Each cut is made at the
 * last good place that fits: the end of a clause, else white space, else between two graphemes, else between two code points.
 *
 * @throws RangeError when a single character has more tokens than `maxTokens`
 */
export function* cutLong(text: string, span: Span, options: CutLongOptions): Generator<CountedSpan> {
  const { clauses = true } = options
  let { start, end } = trimSpan(text, span.start, span.end)
  // Units a token; learned from each piece for the next one.
  let ratio = 4
  while (start < end) {
    const reach = longestFit(text, { start, end }, ratio, options)
    const piece = reach.end === end ? reach : pull(text, reach, clauses, options)
    yield piece
    ratio = Math.max(0.25, (piece.end - piece.start) / Math.max(1, piece.tokens))
    ;({ start, end } = trimSpan(text, piece.end, end))
  }
}

/** A prefix of the span that fits and is nearly full, found by guessing from the ratio of units to tokens: a few counts a piece. */
function longestFit(text: string, { start, end }: Span, ratio: number, { maxTokens, count }: CutLongOptions): CountedSpan {
  let fits: CountedSpan | undefined
  let fitStop = start
  let tooLong = end + 1
  let guess = start + Math.ceil(maxTokens * ratio)
  for (;;) {
    const stop = safeEnd(text, start, Math.min(end, tooLong - 1, Math.max(guess, start + 1)), end)
    if (fits && stop <= fitStop) return fits
    const trimmed = trimSpan(text, start, stop).end
    const tokens = count(text.slice(start, trimmed))
    if (tokens <= maxTokens) {
      fits = { start, end: trimmed, tokens }
      fitStop = stop
      guess = start + Math.floor((stop - start) * Math.min(2, maxTokens / Math.max(1, tokens)))
      if (stop === end || tokens >= FULL * maxTokens || guess <= stop || guess >= tooLong) return fits
    } else if (fits) {
      return fits
    } else if (stop <= firstEnd(text, start)) {
      throw new RangeError(`Cannot cut at offset ${start} as one character has ${tokens} tokens, more than maxTokens: ${maxTokens}`)
    } else {
      tooLong = stop
      guess = start + Math.floor(((stop - start) * maxTokens * 0.95) / tokens)
    }
  }
}

/** Moves the end of a piece back to a good place, and checks that the shorter piece fits (prefixes may have more tokens). */
function pull(text: string, piece: CountedSpan, clauses: boolean, { maxTokens, count }: CutLongOptions): CountedSpan {
  const least = piece.start + Math.ceil((piece.end - piece.start) * BACK)
  const places = [clauses ? clauseEnd(text, least, piece.end) : undefined, spaceEnd(text, least, piece.end), graphemeEnd(text, piece)]
  for (const place of places) {
    if (place === undefined || place <= piece.start) continue
    const { end } = trimSpan(text, piece.start, place)
    if (end === piece.end) return piece
    const tokens = count(text.slice(piece.start, end))
    if (tokens <= maxTokens) return { start: piece.start, end, tokens }
  }
  return piece
}

/** Past the last clause mark in (least, end] that white space follows. */
function clauseEnd(text: string, least: number, end: number): number | undefined {
  for (let at = end; at > least; at--) {
    const mark = text[at - 1]!
    if ('—；，、。：！？'.includes(mark)) return at
    if (',;:.!?)”"'.includes(mark) && at < text.length && isSpace(text.charCodeAt(at))) return at
  }
  return undefined
}

/** The last white space in (least, end]. */
function spaceEnd(text: string, least: number, end: number): number | undefined {
  for (let at = end; at > least; at--) if (at < text.length && isSpace(text.charCodeAt(at))) return at
  return undefined
}

let segmenter: Intl.Segmenter | undefined

/** The last border between graphemes at or before the end, looked for near it: clusters are short. */
function graphemeEnd(text: string, { start, end }: Span): number | undefined {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  let from = Math.max(start, end - 64)
  if (cutsSurrogatePair(text, from)) from--
  let best: number | undefined
  for (const { index } of segmenter.segment(text.slice(from, end + 64))) {
    if (index > 0 && from + index <= end) best = from + index
  }
  return best
}

/** `at` moved back out of a surrogate pair or a CRLF, but never to `start`. */
function safeEnd(text: string, start: number, at: number, end: number): number {
  if (at >= end) return end
  if (!cutsSurrogatePair(text, at)) return at
  return at - 1 > start ? at - 1 : at + 1
}

function firstEnd(text: string, start: number): number {
  return cutsSurrogatePair(text, start + 1) ? start + 2 : start + 1
}
