import type { AsyncChunker, Chunk, Chunker, ChunkOptions } from './chunk.ts'
import type { Document, Span } from './document.ts'
import { checkChunkOptions, type ChunkPiece, toChunks, toChunksAsync } from './make-chunk.ts'
import { partsOf } from './parts-of.ts'

export interface ParentChildOptions<Kind extends Chunker | AsyncChunker = Chunker | AsyncChunker> {
  /** Cuts the document into what is read once a chunk is found. */
  readonly parent: Kind
  /** Cuts each parent into what is found. */
  readonly child: Kind
  /** Most tokens of a parent, as a multiple of the budget; 4 by default. */
  readonly times?: number
}

/**
 * Cuts parents and, in each, children: the chunks are the children, and each knows its parent's span. The budget is the children's.
 *
 * @throws RangeError when `times` is below 1
 */
export function parentChild(options: ParentChildOptions<Chunker>): Chunker
export function parentChild(options: ParentChildOptions): AsyncChunker
export function parentChild({ parent, child, times = 4 }: ParentChildOptions): Chunker | AsyncChunker {
  if (!(times >= 1)) throw new RangeError(`Cannot cut parents as times must be 1 or more: ${times}`)
  const wrapped = {
    name: `parent-child-${times}(${parent.name}@${parent.version}, ${child.name}@${child.version})`,
    version: 1,
    chunk(document: Document, options: ChunkOptions): Iterable<Chunk> | AsyncIterable<Chunk> {
      checkChunkOptions(options)
      const parents = parent.chunk(document, { ...options, maxTokens: Math.floor(options.maxTokens * times) })
      const part = partsOf(document)
      const cut = (span: Span): Iterable<Chunk> | AsyncIterable<Chunk> => child.chunk(part(span), options)
      return isSync(parents) && isSync(cut({ start: 0, end: 0 }))
        ? { [Symbol.iterator]: () => toChunks(document, children(parents, cut as (parent: Span) => Iterable<Chunk>), options) }
        : { [Symbol.asyncIterator]: () => toChunksAsync(document, childrenAsync(parents, cut), options) }
    },
  }
  // What its `chunk` gives is of one kind, though no type says which.
  return wrapped as Chunker | AsyncChunker
}

function isSync(chunks: Iterable<Chunk> | AsyncIterable<Chunk>): chunks is Iterable<Chunk> {
  return !(Symbol.asyncIterator in chunks)
}

function* children(parents: Iterable<Chunk>, cut: (parent: Span) => Iterable<Chunk>): Generator<ChunkPiece> {
  for (const parent of parents) for (const child of cut(parent)) yield childOf(parent, child)
}

async function* childrenAsync(
  parents: Iterable<Chunk> | AsyncIterable<Chunk>,
  cut: (parent: Span) => Iterable<Chunk> | AsyncIterable<Chunk>,
): AsyncGenerator<ChunkPiece> {
  for await (const parent of parents) for await (const child of cut(parent)) yield childOf(parent, child)
}

function childOf(parent: Chunk, child: Chunk): ChunkPiece {
  return { ...child, start: parent.start + child.start, end: parent.start + child.end, parent: { start: parent.start, end: parent.end } }
}
