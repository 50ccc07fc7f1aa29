import type { AsyncChunker, Chunk, Chunker, ChunkOptions } from './chunk.ts'
import type { Document } from './document.ts'
import { checkChunkOptions } from './make-chunk.ts'

/** Changes the chunks of another chunker while they come. */
export interface ChunkPass {
  /** What comes out for one chunk more; chunks may be held back. Their `index` is set afterwards. */
  push(chunk: Chunk): readonly Chunk[]
  /** What was held back. */
  end(): readonly Chunk[]
}

export interface Wrapping {
  readonly name: string
  readonly version: number
  /** The limits that the other chunker is given. */
  limits(options: ChunkOptions): ChunkOptions
  pass(document: Document, options: ChunkOptions): ChunkPass
}

/** A chunker over another one, and of its kind: one that asks no model stays so. */
export function wrapChunker(chunker: Chunker | AsyncChunker, wrapping: Wrapping): Chunker | AsyncChunker {
  const wrapped = {
    name: `${wrapping.name}(${chunker.name}@${chunker.version})`,
    version: wrapping.version,
    chunk(document: Document, options: ChunkOptions): Iterable<Chunk> | AsyncIterable<Chunk> {
      checkChunkOptions(options)
      const chunks = chunker.chunk(document, wrapping.limits(options))
      return Symbol.asyncIterator in chunks
        ? { [Symbol.asyncIterator]: () => passAsync(chunks, wrapping.pass(document, options)) }
        : { [Symbol.iterator]: () => passSync(chunks, wrapping.pass(document, options)) }
    },
  }
  // What its `chunk` gives is of one kind, the other chunker's, though no type says which.
  return wrapped as Chunker | AsyncChunker
}

function* passSync(chunks: Iterable<Chunk>, pass: ChunkPass): Generator<Chunk> {
  let index = 0
  for (const chunk of chunks) for (const out of pass.push(chunk)) yield { ...out, index: index++ }
  for (const out of pass.end()) yield { ...out, index: index++ }
}

async function* passAsync(chunks: AsyncIterable<Chunk>, pass: ChunkPass): AsyncGenerator<Chunk> {
  let index = 0
  for await (const chunk of chunks) for (const out of pass.push(chunk)) yield { ...out, index: index++ }
  for (const out of pass.end()) yield { ...out, index: index++ }
}
