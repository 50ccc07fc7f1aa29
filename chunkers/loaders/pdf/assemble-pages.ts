import type { Box } from '../../document.ts'
import { TextBuilder } from '../text-builder.ts'
import type { LoadedText } from '../loaded-text.ts'
import { wordJoiner } from './hyphenation.ts'
import { bodySize, headingLevels } from './heading-sizes.ts'
import { type Border, lineBorders } from './line-borders.ts'
import type { OutlineEntry } from './read-outline.ts'
import type { Line } from './page-lines.ts'
import { type LinedPage, runningHeads } from './running-heads.ts'

/** A page as it was read. */
export interface ReadPage extends LinedPage {
  readonly width: number
  readonly label?: string
  /** Whether its lines run from top to bottom; their x and y are those of `PageText`. */
  readonly vertical: boolean
  /** Text that runs in another direction. */
  readonly turned: readonly string[]
  readonly scanned: boolean
  /** What an OCR hook read. */
  readonly ocr?: string
}

/**
 * Makes one text of all pages: headers and footers left out, lines joined to paragraphs, parted words made whole, tables as rows, code as it
 * stands. Sections are those of the outline, else what is set larger than the text.
 */
export function assemblePages(pages: readonly ReadPage[], outline: readonly OutlineEntry[], title: string | undefined): LoadedText {
  return new PageAssembler(pages, outline).run(title)
}

class PageAssembler {
  readonly #pages: readonly ReadPage[]
  readonly #outline: readonly OutlineEntry[]
  readonly #builder = new TextBuilder()
  readonly #lines: readonly Line[]
  readonly #borders: readonly Border[]
  readonly #levels: (line: Line) => number | undefined
  /** Where each line starts in the text. */
  readonly #starts = new Map<Line, number>()
  #next = 0

  constructor(pages: readonly ReadPage[], outline: readonly OutlineEntry[]) {
    const heads = runningHeads(pages)
    this.#pages = pages
    this.#outline = outline
    this.#lines = pages.flatMap(({ lines }) => lines.filter((line) => !heads.has(line)))
    const body = bodySize(this.#lines)
    this.#levels = outline.length > 1 ? () => undefined : headingLevels(this.#lines, body)
    this.#borders = lineBorders(this.#lines, wordJoiner(this.#lines.map(({ text }) => text)))
  }

  run(title: string | undefined): LoadedText {
    const builder = this.#builder
    for (const page of this.#pages) {
      const start = builder.offset
      const boxes = this.#appendPage(page).map((box) => (page.vertical ? upright(box, page.width) : box))
      const { number, width, height, label, scanned } = page
      const first = boxes[0]?.start ?? start
      builder.page(
        { number, kind: 'page', width, height, boxes, ...(label === undefined ? {} : { label }), ...(scanned ? { scanned } : {}) },
        first,
      )
    }
    this.#addOutline()
    return builder.end(title)
  }

  #appendPage(page: ReadPage): Box[] {
    const boxes: Box[] = []
    for (let line = this.#lines[this.#next]; line?.page === page.number; line = this.#lines[this.#next]) {
      if (line.cells) boxes.push(...this.#appendTable())
      else if (line.mono) boxes.push(...this.#appendCode())
      else if (this.#levels(line) !== undefined) boxes.push(...this.#appendHeading(this.#levels(line)!))
      else boxes.push(this.#appendLine())
    }
    for (const text of [...page.turned, page.ocr?.trim() ?? '']) {
      if (text === '') continue
      this.#builder.break()
      this.#builder.add(text)
      this.#builder.break()
    }
    return boxes
  }

  /** Adds the next line and what stands between it and the one after. */
  #appendLine(): Box {
    const line = this.#lines[this.#next]!
    const border = this.#borders[this.#next++]!
    const start = this.#builder.offset
    this.#starts.set(line, start)
    this.#builder.add(border === 'none-without-hyphen' ? line.text.slice(0, -1) : line.text)
    const end = this.#builder.offset
    if (border === 'space') this.#builder.add(' ')
    else if (border === 'line') this.#builder.break(1)
    else if (border === 'paragraph') this.#builder.break(2)
    return boxOf(line, start, end)
  }

  /** Lines of one size under one another are one heading. */
  #appendHeading(level: number): Box[] {
    const first = this.#lines[this.#next]!
    const lines = [first]
    for (let at = this.#next + 1; at < this.#lines.length; at++) {
      const line = this.#lines[at]!
      const last = lines.at(-1)!
      const goesOn =
        line.page === last.page && Math.abs(line.size - last.size) < 0.3 && line.y > last.y && line.y - last.y < 1.6 * line.size
      if (!goesOn || line.cells) break
      lines.push(line)
    }
    this.#next += lines.length
    this.#builder.break()
    const start = this.#builder.offset
    let at = start
    this.#builder.heading(lines.map(({ text }) => text).join(' '), level)
    return lines.map((line) => {
      this.#starts.set(line, at)
      const box = boxOf(line, at, Math.min(at + line.text.length, this.#builder.offset))
      at += line.text.length + 1
      return box
    })
  }

  #appendTable(): Box[] {
    return this.#appendRun(
      (line) => line.cells !== undefined,
      (start, first) => this.#builder.mark('table', start, first.text),
      (start) => this.#builder.mark('row', start),
    )
  }

  #appendCode(): Box[] {
    return this.#appendRun(
      (line) => line.mono && line.cells === undefined,
      (start) => this.#builder.mark('code', start),
    )
  }

  /** Lines of one kind on one page, each on a line of its own. */
  #appendRun(belongs: (line: Line) => boolean, markRun: (start: number, first: Line) => void, markLine?: (start: number) => void): Box[] {
    const boxes: Box[] = []
    const first = this.#lines[this.#next]!
    for (let line: Line | undefined = first; line && line.page === first.page && belongs(line); line = this.#lines[this.#next]) {
      boxes.push(this.#appendLine())
      markLine?.(boxes.at(-1)!.start)
    }
    if (boxes.length > 0) markRun(boxes[0]!.start, first)
    return boxes
  }

  #addOutline(): void {
    if (this.#outline.length < 2) return
    const byPage = new Map<number, Line[]>()
    for (const line of this.#starts.keys()) byPage.set(line.page, [...(byPage.get(line.page) ?? []), line])
    for (const { title, level, page, y } of this.#outline) {
      const lines = byPage.get(page) ?? []
      const line = lines.find(({ text }) => begins(text, title)) ?? lines.find((one) => y !== undefined && one.y >= y - 1) ?? lines[0]
      if (line) this.#builder.section(this.#starts.get(line)!, title, level)
    }
  }
}

/** Whether a line is the heading of an entry, perhaps with its number before it, perhaps only its first line. */
function begins(text: string, title: string): boolean {
  const [line, wanted] = [letters(text), letters(title)]
  return (
    line.length > 2 &&
    (line.endsWith(wanted) ? line.length - wanted.length < 12 : wanted.includes(line) && line.length > 0.4 * wanted.length)
  )
}

function letters(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '')
}

function boxOf({ x, y, width, size }: Line, start: number, end: number): Box {
  return { start, end, x: round(x), y: round(y - 0.8 * size), width: round(width), height: round(size) }
}

/** A box of a line from top to bottom, as it stands on its page. */
function upright({ start, end, x, y, width, height }: Box, pageWidth: number): Box {
  return { start, end, x: round(pageWidth - y - height), y: x, width: height, height: width }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
