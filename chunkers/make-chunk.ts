import type { Chunk, ChunkOptions } from './chunk.ts'
import { sha256 } from './create-document.ts'
import type { CountedSpan } from './cut-long.ts'
import type { Document } from './document.ts'
import { sectionPaths } from './section-paths.ts'

/** Turns counted spans, in order, into the chunks of a document. Checks the options first and the signal before each chunk. */
export function* toChunks(document: Document, spans: Iterable<CountedSpan>, { signal }: ChunkOptions): Generator<Chunk> {
  const pathAt = sectionPaths(document.sections)
  let index = 0
  signal?.throwIfAborted()
  for (const { start, end, tokens } of spans) {
    const text = document.slice(start, end)
    yield { documentId: document.id, index, start, end, text, tokens, sections: pathAt(start), hash: sha256(text) }
    index++
    signal?.throwIfAborted()
  }
}

/** @throws RangeError when `maxTokens` is not a whole number above 0 */
export function checkChunkOptions({ maxTokens, count }: ChunkOptions): void {
  if (!Number.isInteger(maxTokens) || maxTokens < 1) {
    throw new RangeError(`Cannot chunk as maxTokens is not a whole number of 1 or more: ${maxTokens}`)
  }
  if (typeof count !== 'function') throw new TypeError(`Cannot chunk as count is not a function: ${typeof count}`)
}
