import { type Chunker, sentencePacked } from '../chunkers/index.ts'
import { approximateCount } from '../models/index.ts'
import type { Source } from './source.ts'
import type { SourceContext } from './strategy.ts'

/** Tokens of a chunk where neither the caller nor the strategy says. */
const DEFAULT_CHUNK_TOKENS = 1024

export interface SourceContextOptions {
  readonly chunker?: Chunker
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
  return {
    documents: source.documents,
    question,
    signal,
    chunkTokens,
    chunk({ maxTokens = DEFAULT_CHUNK_TOKENS, count = approximateCount } = {}) {
      const size = Math.min(maxTokens, chunkTokens ?? maxTokens)
      return source.documents.flatMap((document) => [...chunker.chunk(document, { maxTokens: size, count, signal })])
    },
  }
}
