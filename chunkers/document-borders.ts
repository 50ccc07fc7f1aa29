import type { Document, Mark, Span } from './document.ts'
import { isMarkdownName } from './find-sections.ts'
import { markdownBlocks } from './markdown-blocks.ts'
import { lastAtOrBefore } from './section-paths.ts'

/** How strong a border is: the smaller, the stronger. Sections count by their level, items and rows by how deep they are nested. */
export const LEVELS: {
  readonly section: number
  readonly slide: number
  readonly turn: number
  readonly block: number
  readonly item: number
} = {
  section: 0,
  slide: 10,
  turn: 11,
  block: 12,
  item: 13,
}

/** More than the weakest level: items nest up to ten deep. */
const LEVEL_COUNT = 32

/** Characters by which a heading in the text may be longer than its title: marks of Markdown. */
const HEADING_MARKS = 20

/** A table with its header. */
export interface Table extends Span {
  readonly header: string
}

/** Where a document may be cut for its structure, and where not. */
export interface DocumentBorders {
  /** Offsets of borders, ascending, and how strong each is. */
  readonly offsets: readonly number[]
  readonly levels: readonly number[]
  /** The item, table or block of code around an offset, the outermost: a blank line in it is no border between paragraphs. */
  unitAround(offset: number): Span | undefined
  readonly tables: readonly Table[]
  /** Whether a cut at an offset would part a heading from what follows it, or a sentence that runs on to the next page. */
  isBound(offset: number): boolean
  /** Past the heading that an offset stands in; the offset itself outside of one. */
  headingEnd(offset: number): number
}

/** Collects the borders of a document from its sections, pages and marks; in Markdown from the lines, as a syntax tree takes longer. */
export function documentBorders(document: Document): DocumentBorders {
  const { text, sections, pages } = document
  const isMarkdown = document.format === 'markdown' || isMarkdownName(document.name)
  const marks = isMarkdown ? markdownBlocks(text) : document.marks
  // Offset and level in one number, so that sorting is by offset and then by strength.
  const found: number[] = []
  const add = (offset: number, level: number): void => void found.push(offset * LEVEL_COUNT + level)
  for (const { start, level } of sections) add(start, Math.min(LEVELS.section + level, LEVELS.slide - 1))
  const runOn = new Set<number>()
  for (const { kind, start } of pages) {
    if (kind === 'slide') add(start, LEVELS.slide)
    else if (endsSentence(text, start)) add(start, LEVELS.block)
    else runOn.add(start)
  }
  const { units, tables } = addMarks(text, marks, add)
  const starts = sections.map(({ start }) => start)
  const headingEnd = (offset: number): number => {
    const section = sections[lastAtOrBefore(starts, offset)]
    return section ? Math.max(offset, Math.min(section.start + section.title.length + HEADING_MARKS, section.end)) : offset
  }
  return {
    ...strongestOf(Float64Array.from(found).sort()),
    unitAround: spanAround(units),
    tables,
    isBound: (offset) => runOn.has(offset) || headingEnd(offset - 1) > offset,
    headingEnd,
  }
}

/** Of the borders at one offset, the strongest. */
function strongestOf(sorted: Float64Array): Pick<DocumentBorders, 'offsets' | 'levels'> {
  const offsets: number[] = []
  const levels: number[] = []
  for (const border of sorted) {
    const offset = Math.floor(border / LEVEL_COUNT)
    if (offset === offsets.at(-1)) continue
    offsets.push(offset)
    levels.push(border % LEVEL_COUNT)
  }
  return { offsets, levels }
}

/** Of spans in order without overlap, the one that starts before an offset and ends after it. */
function spanAround(spans: readonly Span[]): (offset: number) => Span | undefined {
  const starts = spans.map(({ start }) => start)
  return (offset) => {
    const span = spans[lastAtOrBefore(starts, offset - 1)]
    return span && span.end > offset ? span : undefined
  }
}

/** Whether the text before an offset ends as a sentence or a heading does, and not within a sentence. */
function endsSentence(text: string, offset: number): boolean {
  const before = text.slice(Math.max(0, offset - 40), offset).trimEnd()
  return before === '' || !/[\p{L}\p{N},;–—-]$/u.test(before)
}

/** Adds the borders that marks make; they come in order of start. */
function addMarks(
  text: string,
  marks: readonly Mark[],
  add: (offset: number, level: number) => void,
): { readonly units: Span[]; readonly tables: Table[] } {
  const units: Span[] = []
  const tables: Table[] = []
  const open: Span[] = []
  let speaker: Mark | undefined
  let rows = 0
  for (const mark of marks) {
    const { type, start, end, value } = mark
    while (open.length > 0 && open.at(-1)!.end <= start) open.pop()
    if (type === 'speaker') {
      if (speaker?.value !== value || text.slice(speaker!.end, start).trim() !== '') add(start, LEVELS.turn)
      speaker = mark
    } else if (type === 'time') {
      add(start, LEVELS.item)
    } else if (type === 'notes') {
      add(start, LEVELS.block)
    } else if (type === 'table' || (type === 'code' && text.slice(start, end).includes('\n'))) {
      add(start, LEVELS.block)
      add(end, LEVELS.block)
      if (type === 'table') tables.push({ start, end, header: value ?? '' })
      rows = 0
    } else if (type === 'row' || type === 'item') {
      // The first row after the header stays with it.
      const isSecond = type === 'row' && tables.length > 0 && tables.at(-1)!.end > start && rows++ === 1
      if (!isSecond) add(start, LEVELS.item + Math.min(open.length, 9))
    } else {
      continue
    }
    if (type !== 'speaker' && type !== 'time' && type !== 'notes') {
      if (open.length === 0) units.push({ start, end })
      open.push(mark)
    }
  }
  return { units, tables }
}
