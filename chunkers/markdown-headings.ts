import type { Span } from './document.ts'
import type { Heading } from './heading.ts'
import { indentEnd, textLines } from './paragraphs.ts'

/** Headings of a Markdown text: ATX (`# Title`) and setext (underlined) ones, outside fenced code and front matter (CommonMark 0.31, 4.2, 4.3, 4.5). */
export function markdownHeadings(text: string): Heading[] {
  const headings: Heading[] = []
  const body = frontMatterEnd(text)
  let fence: string | undefined
  // A setext underline makes a heading of the paragraph above it; only a paragraph of one line is taken.
  let above: Span | undefined
  let aboveLines = 0
  for (const line of textLines(text)) {
    if (line.start < body) continue
    // The first character tells of most lines that they are neither headings nor underlines nor fences.
    const at = indentEnd(text, line)
    if (!fence && !OPENERS.has(text.charCodeAt(at))) {
      const continues = at < line.end && isParagraphStart(text.slice(line.start, Math.min(at + 1, line.start + 4)))
      above = continues ? line : undefined
      aboveLines = continues ? aboveLines + 1 : 0
      continue
    }
    const content = text.slice(line.start, Math.min(line.end, line.start + MAX_HEADING))
    const marker = /^ {0,3}(`{3,}|~{3,})/.exec(content)?.[1]
    if (fence) {
      if (marker && marker.startsWith(fence) && content.trim() === marker) fence = undefined
      continue
    }
    const heading = marker ? undefined : (atx(content, line) ?? (aboveLines === 1 && above ? setext(text, content, above) : undefined))
    if (heading) headings.push(heading)
    if (marker) fence = marker
    const continues = !marker && !heading && isParagraphStart(content)
    above = continues ? line : undefined
    aboveLines = continues ? aboveLines + 1 : 0
  }
  return headings
}

/** What a heading, its underline or a fence starts with. */
const OPENERS: ReadonlySet<number> = new Set(Array.from('#=-`~', (mark) => mark.charCodeAt(0)))

function isParagraphStart(line: string): boolean {
  return /^ {0,3}(?![>#])\S/.test(line)
}

/** Longer lines are no headings, and are not looked at further. */
const MAX_HEADING = 1000

function atx(content: string, line: Span): Heading | undefined {
  const match = /^( {0,3})(#{1,6})(?=[ \t]|$)/.exec(content)
  if (!match) return undefined
  const rest = content.slice(match[0].length).trim()
  const title = plainTitle(/^#+$/.test(rest) ? '' : rest.replace(/[ \t]#+$/, ''))
  if (!title) return undefined
  return { start: line.start + match[1]!.length, end: line.start + content.trimEnd().length, title, level: match[2]!.length }
}

function setext(text: string, content: string, above: Span): Heading | undefined {
  const underline = /^ {0,3}(=+|-{2,})[ \t]*$/.exec(content)?.[1]
  if (!underline || above.end - above.start > MAX_HEADING) return undefined
  const line = text.slice(above.start, above.end)
  if (/^\s*(?:[-*+]|\d+[.)])\s|^\s*\|/.test(line)) return undefined
  const title = plainTitle(line)
  return { start: above.start + line.search(/\S/), end: above.start + line.trimEnd().length, title, level: underline[0] === '=' ? 1 : 2 }
}

/** The text of a heading without its inline marks. */
function plainTitle(title: string): string {
  return title
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[*`]+|(?<![\p{L}\p{N}])_+|_+(?![\p{L}\p{N}])/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Offset past a YAML front matter; 0 without one. */
export function frontMatterEnd(text: string): number {
  if (!/^---[ \t]*\r?\n/.test(text.slice(0, 100))) return 0
  const close = /\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/.exec(text.slice(3, 20_000))
  return close ? 3 + close.index + close[0].length : 0
}
