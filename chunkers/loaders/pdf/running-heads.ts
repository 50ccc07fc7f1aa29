import type { Line } from './page-lines.ts'

/** Share of a page's height at its top and bottom where headers and footers stand. */
const MARGIN = 0.1
/** Lines at each end of a page that are looked at. */
const LINES = 3
/** Pages on which a line has to stand at one place. */
const LEAST_PAGES = 3

/** A page with its lines, in reading order. */
export interface LinedPage {
  readonly number: number
  readonly height: number
  readonly lines: readonly Line[]
}

/**
 * The lines that are headers and footers: in the margin of three pages or more at the same height and size, with the same words but for
 * numbers, or beginning or ending with a number that counts with the pages. The title of a chapter where it begins stands lower or larger,
 * and stays.
 */
export function runningHeads(pages: readonly LinedPage[]): Set<Line> {
  const places = new Map<string, Line[]>()
  for (const page of pages) {
    for (const line of outerLines(page)) {
      const place = `${Math.round(line.y / 4)}@${Math.round(line.size)}`
      for (const wording of wordings(line)) append(places, `${wording}@${place}`, line)
    }
  }
  return new Set([...places.values()].filter((lines) => new Set(lines.map(({ page }) => page)).size >= LEAST_PAGES).flat())
}

function append<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}

function outerLines({ lines, height }: LinedPage): Line[] {
  const byHeight = lines.toSorted((a, b) => a.y - b.y)
  const top = byHeight.slice(0, LINES).filter(({ y }) => y < MARGIN * height)
  const bottom = byHeight.slice(-LINES).filter(({ y, size }) => y + 0.3 * size > (1 - MARGIN) * height)
  return [...top, ...bottom]
}

/** The words with numbers made equal, Arabic and Roman; and by how much a number at either end differs from that of the page. */
function wordings({ text, page }: Line): string[] {
  const words = text
    .toLowerCase()
    .replace(/\d+/g, '#')
    .replace(/(?<![\p{L}\p{N}])[ivxlcdm]+(?![\p{L}\p{N}])/gu, '#')
    .replace(/\s+/g, ' ')
    .trim()
  const number = /^(\d{1,4})(?![\d.])/.exec(text)?.[1] ?? /(?<![\d.])(\d{1,4})$/.exec(text)?.[1]
  return number === undefined ? [words] : [words, `${Number(number) - page}`]
}
