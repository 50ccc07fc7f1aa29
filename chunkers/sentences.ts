import { endsInAbbreviation } from './abbreviations.ts'
import type { Span } from './document.ts'
import { graphemeBorder } from './graphemes.ts'
import { type Paragraph, paragraphs, trimSpan } from './paragraphs.ts'
import { isPlainHeading } from './plain-headings.ts'
import { cutsSurrogatePair } from './surrogates.ts'

/** Longest span taken as one sentence, in UTF-16 code units; what is longer is cut, at white space where there is some. */
export const MAX_SENTENCE = 8192

/** Code units given to the segmenter at once: on Node 20 its time grows with the square of the length. */
const WINDOW = 2048

/** A line this much shorter than the widest of its paragraph was ended on purpose. */
const SHORT_LINE = 0.6

/** No hard wrap is wider than this; a longer line ends where its writer ended it. */
const WIDEST_WRAP = 160

/**
 * The sentences of a text, in order: spans without white space at their ends, that together hold all of the text but white space.
 * Sentences never cross a blank line; hard-wrapped lines are joined; headings, list items and lines that were ended on purpose stand
 * alone; "Mr. Hussey", "No. 7", "J. R. R. Tolkien" and "e.g. this" are not parted. Boundaries are those of Unicode UAX 29 (`Intl.Segmenter`).
 * Takes time in proportion to the length, on a line without a space too.
 *
 * @param base added to all offsets
 */
export function* sentences(text: string, base = 0): Generator<Span> {
  for (const paragraph of paragraphs(text)) {
    for (const run of runs(text, paragraph)) {
      for (const { start, end } of segment(text, run)) yield { start: base + start, end: base + end }
    }
  }
}

/** Parts of a paragraph between line breaks that were made on purpose. */
function* runs(text: string, paragraph: Paragraph): Generator<Span & { readonly whole?: boolean }> {
  const { lines } = paragraph
  if (lines.length <= 3 && isPlainHeading(text, paragraph)) {
    yield { ...trimSpan(text, paragraph.start, paragraph.end), whole: true }
    return
  }
  let width = 0
  for (const { start, end } of lines) width = Math.max(width, end - start)
  let start = paragraph.start
  for (let i = 1; i < lines.length; i++) {
    if (!isBreak(text, lines[i - 1]!, lines[i]!, width)) continue
    yield trimSpan(text, start, lines[i - 1]!.end)
    start = lines[i]!.start
  }
  yield trimSpan(text, start, paragraph.end)
}

/** Whether the line end between two lines was made on purpose, and not by wrapping at `width`. */
function isBreak(text: string, line: Span, next: Span, width: number): boolean {
  const opening = text.slice(next.start, Math.min(next.end, next.start + 80)).trimStart()
  if (/^(?:[-*+•‣–—][ \t]|\(?\d{1,3}[.)][ \t]|#{1,6}[ \t]|\||>|`{3}|~{3})/u.test(opening)) return true
  const length = line.end - line.start
  const closing = text.slice(line.start, Math.min(line.end, line.start + 8)).trimStart()
  if (/^(?:#{1,6}[ \t]|\||`{3}|~{3})/.test(closing)) return true
  if (length > WIDEST_WRAP) return true
  if (/^\p{Ll}/u.test(opening)) return false
  const word = /^\S*/.exec(opening)![0].length
  return length + 1 + word <= SHORT_LINE * width
}

/** Sentences of one run. The last segment of a window may go on in the next one, so the next window starts with it. */
function* segment(text: string, run: Span & { readonly whole?: boolean }): Generator<Span> {
  if (run.whole) {
    yield trimSpan(text, run.start, run.end)
    return
  }
  let open: Span | undefined
  for (const piece of windowed(text, run)) {
    if (open && piece.end - open.start <= MAX_SENTENCE && joins(text, open, piece)) {
      open = { start: open.start, end: piece.end }
      continue
    }
    if (open) yield open
    open = piece
  }
  if (open) yield open
}

function* windowed(text: string, run: Span): Generator<Span> {
  let size = WINDOW
  for (let start = run.start; start < run.end;) {
    const limit = start + size < run.end ? windowEnd(text, start, start + size) : run.end
    const parts = boundaries(text, start, limit)
    const isLast = limit === run.end
    if (parts.length < 2 && !isLast && size < MAX_SENTENCE) {
      size *= 2
      continue
    }
    const sure = isLast || parts.length < 2 ? parts : parts.slice(0, -1)
    let next = limit
    for (const part of sure) {
      const span = trimSpan(text, part.start, part.end)
      if (span.end > span.start) yield span
      next = part.end
    }
    start = next
    size = WINDOW
  }
}

/** Moves a window's end back to white space where there is some in its last quarter; never into a grapheme that is shorter. */
function windowEnd(text: string, start: number, limit: number): number {
  if (limit >= text.length) return limit
  const least = start + Math.floor(((limit - start) * 3) / 4)
  for (let at = limit; at > least; at--) {
    const unit = text.charCodeAt(at)
    if (unit === 32 || (unit === 10 && text.charCodeAt(at - 1) !== 13)) return at
  }
  const border = graphemeBorder(text, start, limit)
  if (border > start) return border
  return cutsSurrogatePair(text, limit) ? limit - 1 : limit
}

let segmenter: Intl.Segmenter | undefined

function boundaries(text: string, start: number, end: number): Span[] {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'sentence' })
  // A line end always ends a sentence in UAX 29; as a blank of the same length it does not.
  const window = text.slice(start, end).replace(/[\r\n\u2028\u2029\u0085]/g, ' ')
  const spans: Span[] = []
  for (const { index, segment: part } of segmenter.segment(window)) {
    // After a full stop a sentence may end within a grapheme.
    const open = graphemeBorder(text, start, start + index) < start + index ? spans.pop() : undefined
    spans.push({ start: open?.start ?? start + index, end: start + index + part.length })
  }
  return spans
}

/** Whether two neighbouring segments are one sentence. */
function joins(text: string, left: Span, right: Span): boolean {
  const next = text.slice(right.start, Math.min(right.end, right.start + 40))
  if (/^\p{Ll}/u.test(next)) return true
  return endsInAbbreviation(text.slice(Math.max(left.start, left.end - 40), left.end), next)
}
