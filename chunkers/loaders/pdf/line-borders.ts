import type { JoinWords } from './hyphenation.ts'
import type { Line } from './page-lines.ts'
import { median } from './reading-order.ts'

/** What stands between a line and the next. */
export type Border = 'space' | 'none' | 'none-without-hyphen' | 'line' | 'paragraph'

/** Lines whose sizes differ by more are not of one paragraph. */
const SAME_SIZE = 0.07
const LIST_SIGN = /^(?:[•◦▪‣·∙●○–*-]\s|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)]\s)/u
const SENTENCE_END = /[.!?:;。!?…]["'”’»)\]]*$/u
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303F\uFF00-\uFFEF]/u

/** What stands after each line; after the last, a paragraph ends. */
export function lineBorders(lines: readonly Line[], joinWords: JoinWords): Border[] {
  const pitch = linePitch(lines)
  return lines.map((line, at) => {
    const next = lines[at + 1]
    return next ? borderOf(line, next, pitch, joinWords) : 'paragraph'
  })
}

/** Baseline to baseline within paragraphs, in font sizes. */
function linePitch(lines: readonly Line[]): number {
  const pitches: number[] = []
  lines.forEach((line, at) => {
    const before = lines[at - 1]
    if (before && sameColumn(before, line) && line.y > before.y) pitches.push((line.y - before.y) / line.size)
  })
  return Math.min(2.5, Math.max(1, median(pitches) || 1.2))
}

function sameColumn(a: Line, b: Line): boolean {
  return a.page === b.page && a.column === b.column
}

function borderOf(line: Line, next: Line, pitch: number, joinWords: JoinWords): Border {
  if (line.cells || next.cells) return line.cells && next.cells && sameColumn(line, next) ? 'line' : 'paragraph'
  if (line.mono || next.mono) return line.mono && next.mono && !isApart(line, next, pitch) ? 'line' : 'paragraph'
  if (Math.abs(line.size - next.size) > SAME_SIZE * Math.max(line.size, next.size)) return 'paragraph'
  if (!sameColumn(line, next)) return goesOn(line, next) ? joined(line, next, joinWords) : 'paragraph'
  if (isApart(line, next, pitch)) return 'paragraph'
  if (LIST_SIGN.test(next.text)) return 'line'
  return startsParagraph(line, next) ? 'paragraph' : joined(line, next, joinWords)
}

/** Further below than a line within a paragraph, or above. */
function isApart(line: Line, next: Line, pitch: number): boolean {
  return next.y < line.y || next.y - line.y > 1.3 * pitch * next.size
}

/** The next line is indented, or this one ends a sentence well before its column ends. */
function startsParagraph(line: Line, next: Line): boolean {
  const indent = indentOf(next)
  // What hangs under the sign of a list goes on.
  const isIndented = !LIST_SIGN.test(line.text) && indent > 0.8 * next.size && indentOf(line) < 0.3 * line.size && indent < 5 * next.size
  if (isIndented) return true
  const room = line.right - line.left - line.width - indentOf(line)
  return SENTENCE_END.test(line.text) && room > Math.max(3 * line.size, 0.15 * (line.right - line.left))
}

/** From the edge of the column where lines begin. */
function indentOf({ x, width, left, right, rtl }: Line): number {
  return rtl ? right - x - width : x - left
}

/** Whether a paragraph goes on in the next column or on the next page. */
function goesOn(line: Line, next: Line): boolean {
  return !SENTENCE_END.test(line.text) && (/^[\p{Ll}\p{Lo}]/u.test(next.text) || /[-,\u00AD]$/.test(line.text))
}

function joined(line: Line, next: Line, joinWords: JoinWords): Border {
  const way = joinWords(line.text, next.text)
  if (way === 'none') return 'none-without-hyphen'
  if (way === 'hyphen') return 'none'
  return WIDE.test(line.text.at(-1) ?? '') && WIDE.test(next.text[0] ?? '') ? 'none' : 'space'
}
