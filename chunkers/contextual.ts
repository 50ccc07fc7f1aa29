import type { AsyncChunker, Chunk, Chunker, ChunkOptions } from './chunk.ts'
import type { Document } from './document.ts'
import { fitContext } from './with-context.ts'
import { wrapChunker } from './wrap-chunker.ts'

/** A line of a chunk's context: the document's title, the path of sections, the page, speaker and time. */
export type ContextPart = 'title' | 'sections' | 'place'

export interface ContextualOptions {
  /** What goes into the context; all of it by default. */
  readonly parts?: readonly ContextPart[]
  /** Share of the budget that is kept free for the context; 0.2 by default. */
  readonly share?: number
}

/** Under this limit nothing is kept free, and context goes along where it happens to fit. */
const LEAST_LIMIT = 32

/**
 * Puts in front of each chunk of another chunker where it stands: the document's title, the titles of its sections, page, speaker and time, then
 * the context that it had. Where they do not all fit, the title is left out first. Its chunks are cut smaller by the room that the context may take.
 *
 * @throws RangeError when `share` is no share below 1
 */
export function contextual(chunker: Chunker, options?: ContextualOptions): Chunker
export function contextual(chunker: AsyncChunker, options?: ContextualOptions): AsyncChunker
export function contextual(chunker: Chunker | AsyncChunker, options: ContextualOptions = {}): Chunker | AsyncChunker {
  const { parts = ['title', 'sections', 'place'], share = 0.2 } = options
  if (!(share >= 0 && share < 1)) throw new RangeError(`Cannot add contexts as share must be from 0 to below 1: ${share}`)
  return wrapChunker(chunker, {
    name: `contextual-${parts.join('-')}-${share}`,
    version: 1,
    limits: (limits) => {
      const room = limits.maxTokens < LEAST_LIMIT ? 0 : Math.floor(limits.maxTokens * share)
      return { ...limits, maxTokens: limits.maxTokens - room }
    },
    pass: (document, limits) => ({ push: (chunk) => [withHeader(document, chunk, parts, limits)], end: () => [] }),
  })
}

function withHeader(document: Document, chunk: Chunk, parts: readonly ContextPart[], limits: ChunkOptions): Chunk {
  const { context: own, ...bare } = chunk
  const lines = parts.map((part) => lineOf(part, document, chunk)).filter((line) => line !== undefined && line !== '')
  const context = fitContext(
    [...lines, own].filter((line) => line !== undefined),
    chunk.text,
    limits,
  )
  return context ? { ...bare, context } : bare
}

function lineOf(part: ContextPart, document: Document, { start, sections }: Chunk): string | undefined {
  if (part === 'title') return document.title
  if (part === 'sections') return sections.join(' › ')
  const { place, speaker } = document.locate(start)
  return [place, speaker].filter((what) => what !== undefined).join(', ')
}
