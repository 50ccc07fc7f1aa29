import type { Chunk, Chunker, ChunkOptions } from './chunk.ts'
import { cutLong } from './cut-long.ts'
import type { Document } from './document.ts'
import { checkChunkOptions, toChunks } from './make-chunk.ts'

/** Cuts at white space, as near the budget as a few counts come, with no regard to sentences and sections: the plain baseline. */
export function fixedTokens(): Chunker {
  return {
    name: 'fixed-tokens',
    version: 1,
    chunk(document: Document, options: ChunkOptions): Iterable<Chunk> {
      checkChunkOptions(options)
      const whole = { start: 0, end: document.text.length }
      const { maxTokens, count } = options
      return { [Symbol.iterator]: () => toChunks(document, cutLong(document.text, whole, { maxTokens, count, clauses: false }), options) }
    },
  }
}
