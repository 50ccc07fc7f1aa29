import type { Span } from './document.ts'
import { graphemeBorder } from './graphemes.ts'

/** Lines that stand together, between blank lines. */
export interface Paragraph extends Span {
  /** The lines, without their line ends; never empty, none blank. */
  readonly lines: readonly Span[]
}

/** Lines after which a paragraph ends without a blank one, so that no text is held as one list of lines. */
const MOST_LINES = 1000

/** The paragraphs of a text, in order: what lies between blank lines. One pass. */
export function* paragraphs(text: string): Generator<Paragraph> {
  let lines: Span[] = []
  for (const line of textLines(text)) {
    const blank = isBlank(text, line)
    if (!blank) lines.push(line)
    if (!blank && lines.length < MOST_LINES) continue
    if (lines.length > 0) yield toParagraph(lines)
    lines = []
  }
  if (lines.length > 0) yield toParagraph(lines)
}

/** The lines of a text without their line ends, a last empty one not counted. */
export function* textLines(text: string): Generator<Span> {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start)
    const next = newline < 0 ? text.length : newline
    const end = newline > start && text.charCodeAt(newline - 1) === 13 ? newline - 1 : next
    yield { start, end }
    start = next + 1
  }
}

/** Offset of the first character of a line that is no space or tab; the line's end where it holds nothing else. */
export function indentEnd(text: string, { start, end }: Span): number {
  let at = start
  while (at < end && (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9)) at++
  return at
}

function toParagraph(lines: readonly Span[]): Paragraph {
  return { start: lines[0]!.start, end: lines.at(-1)!.end, lines }
}

function isBlank(text: string, { start, end }: Span): boolean {
  for (let i = start; i < end; i++) if (!isSpace(text.charCodeAt(i))) return false
  return true
}

/** Whether a blank line stands between two offsets with only white space between them. */
export function hasBlankLine(text: string, start: number, end: number): boolean {
  const newline = text.indexOf('\n', start)
  return newline >= 0 && newline < end && text.slice(newline + 1, end).includes('\n')
}

/** Whether a UTF-16 unit is white space as `trim` sees it. */
export function isSpace(unit: number): boolean {
  if (unit <= 32) return unit === 32 || (unit >= 9 && unit <= 13)
  if (unit < 0x1680) return unit === 0xa0
  return (
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000 ||
    unit === 0xfeff ||
    unit === 0x1680
  )
}

/**
 * The span without white space at its ends; empty where it holds nothing else. White space that is one grapheme with a character of the span, as
 * under a combining mark, stays with it.
 */
export function trimSpan(text: string, start: number, end: number): Span {
  let from = start
  let to = end
  while (from < to && isSpace(text.charCodeAt(from))) from++
  while (to > from && isSpace(text.charCodeAt(to - 1))) to--
  if (from === to) return { start: from, end: to }
  return {
    start: from === start ? from : graphemeBorder(text, start, from),
    end: to === end || graphemeBorder(text, from, to) === to ? to : to + 1,
  }
}
