import type { Chunk, Chunker, ChunkOptions } from './chunk.ts'
import type { Document } from './document.ts'
import { type DocumentBorders, documentBorders, LEVELS, type Table } from './document-borders.ts'
import { checkChunkOptions, type ChunkPiece, toChunks } from './make-chunk.ts'
import { type Border, nextPiece, Pace } from './next-piece.ts'
import { trimSpan } from './paragraphs.ts'
import { lastAtOrBefore } from './section-paths.ts'
import { DEFAULT_SEPARATORS, lastSeparator, type Separators } from './separators.ts'
import { withContext } from './with-context.ts'

export interface StructuralOptions {
  /** A chunk at least this full, as a share of the budget, ends before the next section, slide or turn; 0.5 by default, 1 fills it. */
  readonly fill?: number
}

/** Under this limit no header goes along: hardly a row would fit beside it. */
const LEAST_LIMIT = 32

/** A header with more than this share of the limit does not go along. */
const HEADER_SHARE = 0.5

/**
 * Cuts where the document is parted: before sections (the highest first), slides, turns of a speaker, blocks, list items and table rows; what does not
 * fit by itself is cut at lines, sentences, clauses and spaces. A heading stays with what follows it, a page that ends within a sentence is no
 * border, and of a table that is cut each further chunk carries the header as its context.
 *
 * What it knows of the structure takes memory in proportion to the sections, pages and marks.
 *
 * @throws RangeError when `fill` is no share
 */
export function structural(options: StructuralOptions = {}): Chunker {
  const { fill = 0.5 } = options
  if (!(fill >= 0 && fill <= 1)) throw new RangeError(`Cannot cut by structure as fill must be a share from 0 to 1: ${fill}`)
  return {
    name: fill === 0.5 ? 'structural' : `structural(${fill})`,
    version: 1,
    chunk(document: Document, limits: ChunkOptions): Iterable<Chunk> {
      checkChunkOptions(limits)
      return { [Symbol.iterator]: () => toChunks(document, cut(document, fill, limits), limits) }
    },
  }
}

function* cut(document: Document, fill: number, limits: ChunkOptions): Generator<ChunkPiece> {
  const { text } = document
  const borders = documentBorders(document)
  const headerAt = tableHeaders(borders.tables, limits)
  const border: Border = (start, at) => structuralBorder(text, borders, fill, start, at)
  const pace = new Pace()
  let { start, end } = trimSpan(text, 0, text.length)
  while (start < end) {
    const table = headerAt(start)
    const piece = table ? rowsWith(text, start, table, limits, border) : nextPiece(text, { start, end }, limits, pace, border)
    yield piece
    start = trimSpan(text, piece.end, end).start
  }
}

/** Rows of a table that was cut before them, as many as fit with its header in front. */
function rowsWith(text: string, start: number, table: Table, { maxTokens, count }: ChunkOptions, border: Border): ChunkPiece {
  const context = table.header
  const counted = { maxTokens, count: (part: string): number => count(withContext({ context, text: part })) }
  const { end } = trimSpan(text, start, table.end)
  const piece = nextPiece(text, { start, end }, counted, new Pace(), border)
  return { ...piece, tokens: count(text.slice(piece.start, piece.end)), context }
}

/** Gives the table that an offset lies in, past its start, if its header may go along. */
function tableHeaders(tables: readonly Table[], { maxTokens, count }: ChunkOptions): (offset: number) => Table | undefined {
  const starts = tables.map(({ start }) => start)
  return (offset) => {
    const table = tables[lastAtOrBefore(starts, offset - 1)]
    if (!table || offset >= table.end || table.header === '' || maxTokens < LEAST_LIMIT) return undefined
    return count(withContext({ context: table.header, text: '' })) <= HEADER_SHARE * maxTokens ? table : undefined
  }
}

function structuralBorder(text: string, borders: DocumentBorders, fill: number, start: number, at: number): number | undefined {
  const strong = strongest(borders, fill, start, at)
  if (strong && strong.level < LEVELS.block) return strong.offset
  const block = Math.max(strong?.level === LEVELS.block ? strong.offset : 0, lastBlankLine(text, borders, start, at) ?? 0)
  if (block > start) return block
  if (strong) return strong.offset
  const from = Math.min(at, borders.headingEnd(start))
  const plain = lastSeparator(text, from, at, DEFAULT_SEPARATORS) ?? lastSeparator(text, start, at, DEFAULT_SEPARATORS)
  if (plain === undefined || !borders.isBound(plain)) return plain
  return lastSeparator(text, from, at, WITHIN_LINES) ?? plain
}

const WITHIN_LINES = DEFAULT_SEPARATORS.slice(2)

/** Of the strongest borders in (start, at], the first that leaves a chunk full enough where chunks end early, else the last. */
function strongest(
  { offsets, levels, isBound }: DocumentBorders,
  fill: number,
  start: number,
  at: number,
): { readonly offset: number; readonly level: number } | undefined {
  const least = start + fill * (at - start)
  let best: { offset: number; level: number } | undefined
  for (let index = lastAtOrBefore(offsets, at); index >= 0 && offsets[index]! > start; index--) {
    const offset = offsets[index]!
    const level = levels[index]!
    const isEarlier = best && level === best.level && level < LEVELS.block && offset >= least
    if ((!best || level < best.level || isEarlier) && !isBound(offset)) best = { offset, level }
  }
  return best
}

/** Past the last blank line in (start, at] that stands between paragraphs. */
function lastBlankLine(text: string, { unitAround, isBound }: DocumentBorders, start: number, at: number): number | undefined {
  let to = at
  while (to > start) {
    const border = lastSeparator(text, start, to, BLANK_LINE)
    if (border === undefined) return undefined
    const unit = unitAround(border)
    if (!unit && !isBound(border)) return border
    to = unit ? unit.start : border - 1
  }
  return undefined
}

const BLANK_LINE: Separators = [['\n\n', '\n\r\n']]
