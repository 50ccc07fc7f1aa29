import { type AsyncChunker, type Chunk, type Chunker, type ChunkOptions, sentencePacked } from '../chunkers/index.ts'
import { approximateCount } from '../models/index.ts'
import type { Source } from './source.ts'
import type { SourceContext } from './strategy.ts'

/** Tokens of a chunk where neither the caller nor the strategy says. */
const DEFAULT_CHUNK_TOKENS = 1024

export interface SourceContextOptions {
  /** How documents are cut; a chunker that asks a model gives its chunks before anything is read. `sentencePacked()` by default. */
  readonly chunker?: Chunker | AsyncChunker
  readonly chunkTokens?: number
}

/** What a strategy sees of its source, for planning and for running. */
export function createSourceContext(
  source: Source,
  question: string | undefined,
  signal: AbortSignal,
  { chunker = sentencePacked(), chunkTokens }: SourceContextOptions,
): SourceContext {
  if (chunkTokens !== undefined && !(Number.isInteger(chunkTokens) && chunkTokens > 0)) {
    throw new RangeError(`Cannot cut chunks of ${chunkTokens} tokens as chunkTokens must be a whole number > 0`)
  }
  let last: { readonly size: number; readonly count: (text: string) => number; readonly chunks: Promise<readonly Chunk[]> } | undefined
  return {
    documents: source.documents,
    question,
    signal,
    chunkTokens,
    chunk({ maxTokens = DEFAULT_CHUNK_TOKENS, count = approximateCount } = {}) {
      const size = Math.min(maxTokens, chunkTokens ?? maxTokens)
      if (last?.size === size && last.count === count) return last.chunks
      const chunks = cutAll(source, chunker, { maxTokens: size, count, signal })
      last = { size, count, chunks }
      return chunks
    },
  }
}

async function cutAll(source: Source, chunker: Chunker | AsyncChunker, options: ChunkOptions): Promise<readonly Chunk[]> {
  const chunks: Chunk[] = []
  for (const document of source.documents) for await (const chunk of chunker.chunk(document, options)) chunks.push(chunk)
  return chunks
}
