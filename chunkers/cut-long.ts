import type { Span } from './document.ts'
import { type CountedSpan, type Limits, nextPiece, Pace } from './next-piece.ts'
import { isSpace, trimSpan } from './paragraphs.ts'

export type { CountedSpan } from './next-piece.ts'

export interface CutLongOptions extends Limits {
  /** Whether to prefer the ends of clauses over other white space. */
  readonly clauses?: boolean
}

/** A cut is moved back to a better place as far as this share of the piece. */
const BACK = 0.5

/**
 * Cuts a span into pieces of at most `maxTokens` tokens, in order, holding all of it but white space between pieces. Each cut is made at the
 * last good place that fits: the end of a clause, else white space, else between two graphemes; between two code points only in a grapheme that
 * is above the limit by itself.
 *
 * @throws RangeError when a single character has more tokens than `maxTokens`
 */
export function* cutLong(text: string, span: Span, options: CutLongOptions): Generator<CountedSpan> {
  const { clauses = true } = options
  const pace = new Pace()
  const border = (start: number, at: number): number | undefined => {
    const least = start + Math.ceil((at - start) * BACK)
    return (clauses ? clauseEnd(text, least, at) : undefined) ?? spaceBefore(text, least, at)
  }
  let { start, end } = trimSpan(text, span.start, span.end)
  while (start < end) {
    const piece = nextPiece(text, { start, end }, options, pace, border)
    yield piece
    ;({ start, end } = trimSpan(text, piece.end, end))
  }
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

/** The last place in (least, end] that stands before white space. */
export function spaceBefore(text: string, least: number, end: number): number | undefined {
  for (let at = end; at > least; at--) if (at < text.length && isSpace(text.charCodeAt(at))) return at
  return undefined
}
