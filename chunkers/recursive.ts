import type { Chunk, Chunker, ChunkOptions } from './chunk.ts'
import type { CountedSpan } from './cut-long.ts'
import type { Document, Span } from './document.ts'
import { checkChunkOptions, toChunks } from './make-chunk.ts'
import { nextPiece, Pace } from './next-piece.ts'
import { trimSpan } from './paragraphs.ts'
import { DEFAULT_SEPARATORS, lastSeparator, type Separators } from './separators.ts'

export interface RecursiveOptions {
  /** Separators from large to small, those of one level together; a chunk ends past one. Blank lines, lines, sentences, clauses and spaces by default. */
  readonly separators?: Separators
}

/**
 * Cuts at the largest separator that comes within the budget, at the last one of its level, so that a paragraph that fits is never cut for a
 * longer chunk: what recursive splitting by ever smaller separators and merging again gives, in one pass. Where none comes, it cuts between
 * graphemes.
 *
 * @throws RangeError when a separator is empty
 */
export function recursive(options: RecursiveOptions = {}): Chunker {
  const { separators = DEFAULT_SEPARATORS } = options
  if (separators.flat().includes('')) throw new RangeError('Cannot cut at separators as one of them is empty: ""')
  const own = separators === DEFAULT_SEPARATORS ? '' : `(${JSON.stringify(separators)})`
  return {
    name: `recursive${own}`,
    version: 1,
    chunk(document: Document, limits: ChunkOptions): Iterable<Chunk> {
      checkChunkOptions(limits)
      const whole = { start: 0, end: document.text.length }
      return { [Symbol.iterator]: () => toChunks(document, cut(document.text, whole, separators, limits), limits) }
    },
  }
}

function* cut(text: string, span: Span, separators: Separators, limits: ChunkOptions): Generator<CountedSpan> {
  const pace = new Pace()
  let { start, end } = trimSpan(text, span.start, span.end)
  while (start < end) {
    const piece = nextPiece(text, { start, end }, limits, pace, (from, at) => lastSeparator(text, from, at, separators))
    yield piece
    ;({ start, end } = trimSpan(text, piece.end, end))
  }
}
