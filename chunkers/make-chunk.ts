import type { Chunk, ChunkOptions } from './chunk.ts'
import { sha256 } from './create-document.ts'
import type { CountedSpan } from './cut-long.ts'
import type { Document } from './document.ts'
import { sectionPaths } from './section-paths.ts'

/** A counted span with what its chunk carries besides its text. */
export type ChunkPiece = CountedSpan & Pick<Chunk, 'context' | 'parent' | 'vector'>

/** Turns counted spans, in order, into the chunks of a document. Checks the signal before each chunk. */
export function* toChunks(document: Document, pieces: Iterable<ChunkPiece>, { signal }: ChunkOptions): Generator<Chunk> {
  const make = chunkMaker(document)
  signal?.throwIfAborted()
  for (const piece of pieces) {
    yield make(piece)
    signal?.throwIfAborted()
  }
}

/** `toChunks` for spans that come one by one. */
export async function* toChunksAsync(
  document: Document,
  pieces: AsyncIterable<ChunkPiece>,
  { signal }: ChunkOptions,
): AsyncGenerator<Chunk> {
  const make = chunkMaker(document)
  signal?.throwIfAborted()
  for await (const piece of pieces) {
    yield make(piece)
    signal?.throwIfAborted()
  }
}

function chunkMaker(document: Document): (piece: ChunkPiece) => Chunk {
  const pathAt = sectionPaths(document.sections)
  let index = 0
  return ({ start, end, tokens, context, parent, vector }) => {
    const text = document.slice(start, end)
    return {
      documentId: document.id,
      index: index++,
      start,
      end,
      text,
      tokens,
      sections: pathAt(start),
      hash: sha256(text),
      ...(context ? { context } : {}),
      ...(parent ? { parent } : {}),
      ...(vector ? { vector } : {}),
    }
  }
}

/** @throws RangeError when `maxTokens` is not a whole number above 0 */
export function checkChunkOptions({ maxTokens, count }: ChunkOptions): void {
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw new RangeError(`Cannot chunk as maxTokens is not a whole number of 1 or more: ${maxTokens}`)
  }
  if (typeof count !== 'function') throw new TypeError(`Cannot chunk as count is not a function: ${typeof count}`)
}
