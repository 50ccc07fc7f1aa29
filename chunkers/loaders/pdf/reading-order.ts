import type { Segment } from './page-segments.ts'

/** A run of rows that are read from top to bottom: a column, or what stands across the columns. Each row holds its segments from left to right. */
export type Column = readonly (readonly Segment[])[]

/** Segments on each side that make a column of what could be chance. */
const LEAST_LINES = 3
/** Share of the segments that may stand across a gutter: titles, captions. */
const MOST_ACROSS = 0.25

/**
 * Puts the segments of a page into reading order: where a gutter parts them, the left column before the right one, in bands between what
 * stands across the gutter; rows where none does. A cut along white space in the manner of the XY-cut (Nagy, Seth 1984), but never through
 * a table: its cells are short and stand side by side.
 */
export function readingOrder(segments: readonly Segment[]): Column[] {
  const gutter = findGutter(segments)
  if (gutter === undefined) return segments.length === 0 ? [] : [rowsOf(segments)]
  const across = segments.filter((segment) => stands(segment, gutter) === 0).toSorted((a, b) => a.y - b.y)
  const columns: Column[] = []
  let top = -Infinity
  for (const bottom of [...across.map(({ y }) => y), Infinity]) {
    const band = segments.filter((segment) => segment.y > top && segment.y <= bottom && stands(segment, gutter) !== 0)
    columns.push(...readingOrder(band.filter((segment) => stands(segment, gutter) < 0)))
    columns.push(...readingOrder(band.filter((segment) => stands(segment, gutter) > 0)))
    const crossing = across.filter(({ y }) => y === bottom)
    if (crossing.length > 0 && bottom > top) columns.push([crossing])
    top = bottom
  }
  return joinRuns(columns)
}

/** Lines across the columns that follow one another are one run. */
function joinRuns(columns: readonly Column[]): Column[] {
  const joined: Column[] = []
  for (const column of columns) {
    const last = joined.at(-1)
    if (last && column.length === 1 && last.every((row) => row.length === 1) && overlaps(last, column))
      joined[joined.length - 1] = [...last, ...column]
    else joined.push(column)
  }
  return joined
}

function overlaps(above: Column, below: Column): boolean {
  const [a, b] = [above.at(-1)![0]!, below[0]![0]!]
  return b.y > a.y && Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > 0.5 * Math.min(a.width, b.width)
}

/** -1 left of a place, 1 right of it, 0 across. */
function stands({ x, width }: Segment, place: number): number {
  return x + width <= place ? -1 : x >= place ? 1 : 0
}

/** Rows of what has one baseline, from top to bottom. */
function rowsOf(segments: readonly Segment[]): Segment[][] {
  const rows: Segment[][] = []
  for (const segment of segments.toSorted((a, b) => a.y - b.y || a.x - b.x)) {
    const first = rows.at(-1)?.[0]
    if (first && Math.abs(segment.y - first.y) <= 0.45 * Math.max(segment.size, first.size)) rows.at(-1)!.push(segment)
    else rows.push([segment])
  }
  return rows.map((row) => row.toSorted((a, b) => a.x - b.x))
}

/** Where the widest vertical white space is that has columns of text on both sides. */
function findGutter(segments: readonly Segment[]): number | undefined {
  if (segments.length < 2 * LEAST_LINES) return undefined
  const left = Math.min(...segments.map(({ x }) => x))
  const right = Math.max(...segments.map(({ x, width }) => x + width))
  const coverage = covered(segments, left, right)
  const size = median(segments.map((segment) => segment.size))
  const runs = lowRuns(coverage, MOST_ACROSS * segments.length, Math.max(6, 0.6 * size))
  return runs
    .toSorted((a, b) => a.across - b.across || b.width - a.width)
    .map(({ middle }) => left + middle)
    .find((place) => isGutter(segments, place))
}

/** How many segments lie over each point from left to right. */
function covered(segments: readonly Segment[], left: number, right: number): number[] {
  const steps = Array.from({ length: Math.ceil(right - left) + 2 }, () => 0)
  for (const { x, width } of segments) {
    steps[Math.floor(x - left)]!++
    steps[Math.ceil(x + width - left)]!--
  }
  let sum = 0
  return steps.map((step) => (sum += step))
}

interface Run {
  readonly middle: number
  readonly width: number
  /** Segments across it. */
  readonly across: number
}

/** Stretches that few segments cover, within the middle seven tenths. */
function lowRuns(coverage: readonly number[], most: number, leastWidth: number): Run[] {
  const runs: Run[] = []
  const from = Math.floor(coverage.length * 0.15)
  const to = Math.ceil(coverage.length * 0.85)
  for (let start = from; start < to;) {
    const across = coverage[start]!
    let end = start + 1
    while (end < to && coverage[end] === across) end++
    if (across <= most && end - start >= leastWidth) runs.push({ middle: (start + end) / 2, width: end - start, across })
    start = end
  }
  return runs
}

/** Text on both sides, at the same height, in lines that fill their column: not the cells of a table. */
function isGutter(segments: readonly Segment[], place: number): boolean {
  const left = segments.filter((segment) => stands(segment, place) < 0)
  const right = segments.filter((segment) => stands(segment, place) > 0)
  if (left.length < LEAST_LINES || right.length < LEAST_LINES) return false
  const [top, bottom] = [Math.max(topOf(left), topOf(right)), Math.min(bottomOf(left), bottomOf(right))]
  return bottom > top && isRunningText(left) && isRunningText(right)
}

function isRunningText(segments: readonly Segment[]): boolean {
  const span = Math.max(...segments.map(({ x, width }) => x + width)) - Math.min(...segments.map(({ x }) => x))
  const full = segments.filter(({ width }) => width >= 0.5 * span)
  return full.length >= 0.5 * segments.length && median(segments.map(({ text }) => text.length)) >= 12
}

function topOf(segments: readonly Segment[]): number {
  return Math.min(...segments.map(({ y, size }) => y - size))
}

function bottomOf(segments: readonly Segment[]): number {
  return Math.max(...segments.map(({ y }) => y))
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
