import type { PageItem } from './read-page.ts'

/** Words that stand together on a line, without a gap as wide as one between columns. */
export type Segment = PageItem

/** A gap in font sizes from which words do not belong together; what was parted too often is joined again as a line. */
const PARTING = 0.9
/** A gap in font sizes from which there is a space. */
const SPACE = 0.15

/** Joins the pieces of text that a page draws into segments. */
export function pageSegments(items: readonly PageItem[]): Segment[] {
  return rowsOf(items).flatMap(partRow)
}

/** Pieces on one baseline; a raised or lowered small piece beside a large one is on its baseline too. */
function rowsOf(items: readonly PageItem[]): PageItem[][] {
  const rows: PageItem[][] = []
  let baseline = 0
  let size = 0
  for (const item of items.toSorted((a, b) => a.y - b.y || a.x - b.x)) {
    const row = rows.at(-1)
    if (row && Math.abs(item.y - baseline) <= 0.45 * Math.max(size, item.size)) {
      row.push(item)
      if (item.size > size) [baseline, size] = [item.y, item.size]
    } else {
      rows.push([item])
      baseline = item.y
      size = item.size
    }
  }
  return rows
}

function partRow(row: readonly PageItem[]): Segment[] {
  const segments: Segment[] = []
  let open: PageItem[] = []
  let right = 0
  for (const item of row.toSorted((a, b) => a.x - b.x)) {
    if (open.length > 0 && item.x - right > PARTING * Math.max(item.size, open.at(-1)!.size)) {
      segments.push(toSegment(open))
      open = []
    }
    right = open.length === 0 ? item.x + item.width : Math.max(right, item.x + item.width)
    open.push(item)
  }
  if (open.length > 0) segments.push(toSegment(open))
  return segments
}

function toSegment(items: readonly PageItem[]): Segment {
  const main = items.reduce((best, item) => (item.text.length * item.size > best.text.length * best.size ? item : best))
  const rtl = items.reduce((sum, item) => sum + (item.rtl ? item.text.length : -item.text.length), 0) > 0
  const x = items[0]!.x
  const width = Math.max(...items.map((item) => item.x + item.width)) - x
  return {
    text: joinItems(rtl ? fromTheRight(items) : items),
    x,
    y: main.y,
    width,
    size: main.size,
    mono: items.every(({ mono }) => mono),
    rtl,
  }
}

/**
 * What stands from left to right on a line, in the order in which it is read from the right: backwards, but runs of pieces from left to right, such as
 * the words of another script, forwards.
 */
export function fromTheRight<T extends { readonly rtl: boolean }>(pieces: readonly T[]): T[] {
  const ordered: T[] = []
  let run: T[] = []
  for (const piece of pieces.toReversed()) {
    if (piece.rtl) {
      ordered.push(...run, piece)
      run = []
    } else run.unshift(piece)
  }
  return [...ordered, ...run]
}

function joinItems(items: readonly PageItem[]): string {
  let text = ''
  items.forEach((item, at) => {
    const before = items[at - 1]
    const gap = before ? Math.max(item.x - before.x - before.width, before.x - item.x - item.width) : 0
    const parted = before !== undefined && gap > SPACE * Math.max(item.size, before.size)
    text += parted && !/\s$/.test(text) && !/^\s/.test(item.text) ? ` ${item.text}` : item.text
  })
  return text.replace(/\s+/g, ' ').trim()
}
