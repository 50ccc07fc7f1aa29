import type { Box, Document, Span } from './document.ts'

/** Where a citation stands, for people: `file.pdf p. 12`, `talk.vtt 00:12:31`, `notes.txt line 4`. */
export function placeOf(document: Document, offset: number): string {
  const { place, line } = document.locate(offset)
  return `${document.name} ${place ?? `line ${line}`}`
}

/** A rectangle on a page, in points from its top left corner. */
export interface PageBox extends Omit<Box, keyof Span> {
  /** Number of the page, from 1. */
  readonly page: number
}

/**
 * The rectangles to draw over a span, one a line. Within a line letters are taken to be equally wide. Empty where the source has no boxes.
 *
 * @throws RangeError when the span lies outside
 */
export function pageBoxes(document: Document, { start, end }: Span): PageBox[] {
  document.slice(start, end)
  const found: PageBox[] = []
  for (const { number, boxes = [] } of document.pages) {
    for (const box of boxes) if (box.start < end && box.end > start) found.push(cutBox(box, number, start, end))
  }
  return found
}

function cutBox(box: Box, page: number, start: number, end: number): PageBox {
  const letter = box.width / Math.max(1, box.end - box.start)
  const from = Math.max(start, box.start)
  const to = Math.min(end, box.end)
  return { page, x: box.x + (from - box.start) * letter, y: box.y, width: (to - from) * letter, height: box.height }
}

export interface CitationHtmlOptions {
  /** Code units shown before and after, cut at words; 200 by default. */
  readonly around?: number
}

/**
 * A citation as HTML: the span marked, with the text around it and where it stands. The text runs in the direction of its own script.
 *
 * @throws RangeError when the span lies outside
 */
export function citationHtml(document: Document, { start, end }: Span, options: CitationHtmlOptions = {}): string {
  const { around = 200 } = options
  const { text } = document
  const quote = escapeHtml(document.slice(start, end))
  const from =
    start > around ? `… ${withoutPartWord(text.slice(start - around, start), /^\S{0,30}\s/, /^\p{Surrogate}/u)}` : text.slice(0, start)
  const to =
    end + around < text.length ? `${withoutPartWord(text.slice(end, end + around), /\s\S{0,30}$/, /\p{Surrogate}$/u)} …` : text.slice(end)
  const caption = [placeOf(document, start), ...document.locate(start).sections].map((part) => escapeHtml(part)).join(' · ')
  return `<figure><blockquote dir="auto">${escapeHtml(from)}<mark>${quote}</mark>${escapeHtml(to)}</blockquote><figcaption>${caption}</figcaption></figure>`
}

/** A cut may lie inside a word, whose rest goes; where words are not parted by spaces, only half a character goes. */
function withoutPartWord(text: string, word: RegExp, half: RegExp): string {
  return text.replace(word.test(text) ? word : half, '')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
