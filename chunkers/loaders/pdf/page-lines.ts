import type { PageText } from './read-page.ts'
import { fromTheRight, pageSegments, type Segment } from './page-segments.ts'
import { type Column, readingOrder } from './reading-order.ts'

/** A line of a page, in reading order. */
export interface Line {
  readonly text: string
  /** Page, from 1. */
  readonly page: number
  /** Number of its column on the page, in reading order. */
  readonly column: number
  readonly x: number
  /** Of the baseline, from the top. */
  readonly y: number
  readonly width: number
  /** Font size. */
  readonly size: number
  readonly mono: boolean
  readonly rtl: boolean
  /** Edges of its column. */
  readonly left: number
  readonly right: number
  /** Cells, where it is a row of a table. */
  readonly cells?: readonly string[]
}

/** Rows under one another that make a table. */
const LEAST_ROWS = 3

/** The lines of a page in reading order, rows of tables told apart. */
export function pageLines({ items }: PageText, page: number): Line[] {
  return readingOrder(pageSegments(items)).flatMap((rows, column) => columnLines(rows, page, column))
}

function columnLines(rows: Column, page: number, column: number): Line[] {
  const left = Math.min(...rows.map((row) => row[0]!.x))
  const right = Math.max(...rows.flatMap((row) => row.map(({ x, width }) => x + width)))
  const inTable = tableRows(rows)
  return rows.map((row, at): Line => {
    const main = row.reduce((best, one) => (one.text.length > best.text.length ? one : best))
    const rtl = row.filter((one) => one.rtl).length > row.length / 2
    const ordered = rtl && !inTable[at] ? fromTheRight(row) : rtl ? row.toReversed() : row
    const texts = ordered.map(({ text }) => text)
    const end = Math.max(...row.map((one) => one.x + one.width))
    return {
      text: texts.join(inTable[at] ? ' | ' : ' '),
      page,
      column,
      x: row[0]!.x,
      y: main.y,
      width: end - row[0]!.x,
      size: main.size,
      mono: row.every(({ mono }) => mono),
      rtl,
      left,
      right,
      ...(inTable[at] ? { cells: texts } : {}),
    }
  })
}

/** For each row, whether it belongs to a table: rows of several cells under one another whose cells line up. */
function tableRows(rows: Column): boolean[] {
  const inTable = rows.map(() => false)
  for (let from = 0; from < rows.length;) {
    let to = from + 1
    while (to < rows.length && lineUp(rows[to - 1]!, rows[to]!)) to++
    if (rows[from]!.length > 1 && to - from >= LEAST_ROWS) inTable.fill(true, from, to)
    from = to
  }
  return inTable
}

/** Whether two rows have two cells each whose left or right edges, or middles, stand under one another. */
function lineUp(above: readonly Segment[], below: readonly Segment[]): boolean {
  if (above.length < 2 || below.length < 2) return false
  const near = 0.4 * Math.max(above[0]!.size, below[0]!.size)
  const aligned = below.filter((cell) =>
    above.some(
      (other) =>
        Math.abs(cell.x - other.x) < near ||
        Math.abs(cell.x + cell.width - other.x - other.width) < near ||
        Math.abs(cell.x + cell.width / 2 - other.x - other.width / 2) < near,
    ),
  )
  return aligned.length >= 2
}
