import type { Chunk, Chunker, ChunkOptions } from './chunk.ts'
import { type CountedSpan, cutLong } from './cut-long.ts'
import type { Document } from './document.ts'
import { graphemeBorder } from './graphemes.ts'
import { checkChunkOptions, toChunks } from './make-chunk.ts'
import { trimSpan } from './paragraphs.ts'
import { cutsSurrogatePair } from './surrogates.ts'

/** A chunker of one's own: where to cut. */
export interface ChunkerDefinition {
  readonly name: string
  /** Raise it when the cuts change: it is part of cache keys. */
  readonly version: number
  /** Yields `[start, end)` offsets, in order; all that lies between them must be white space. */
  cut(text: string): Iterable<readonly [start: number, end: number]>
}

/**
 * Makes a chunker of a function that says where to cut. White space at the ends of its spans is left out, empty ones are dropped, and a span
 * above `maxTokens` is cut at clauses, else white space, else between characters. A cut in a grapheme is moved to its start.
 *
 * While it chunks it throws a RangeError, with the numbers, for a span that is out of order, outside the text, in a surrogate pair, or that
 * leaves out text.
 */
export function defineChunker(definition: ChunkerDefinition): Chunker {
  const { name, version } = definition
  if (!name) throw new TypeError(`Cannot define a chunker as its name is empty: ${JSON.stringify(name)}`)
  if (!Number.isInteger(version)) throw new RangeError(`Cannot define the chunker ${name} as its version is not a whole number: ${version}`)
  return {
    name,
    version,
    chunk(document: Document, options: ChunkOptions): Iterable<Chunk> {
      checkChunkOptions(options)
      return { [Symbol.iterator]: () => toChunks(document, fit(definition, document.text, options), options) }
    },
  }
}

function* fit(definition: ChunkerDefinition, text: string, { maxTokens, count }: ChunkOptions): Generator<CountedSpan> {
  let previous = 0
  for (const [from, to] of definition.cut(text)) {
    checkCut(definition.name, text, previous, from, to)
    previous = to
    const { start, end } = trimSpan(text, graphemeBorder(text, 0, from), graphemeBorder(text, 0, to))
    if (start === end) continue
    const tokens = count(text.slice(start, end))
    if (tokens <= maxTokens) yield { start, end, tokens }
    else yield* cutLong(text, { start, end }, { maxTokens, count })
  }
  checkGap(definition.name, text, previous, text.length)
}

function checkCut(name: string, text: string, previous: number, start: number, end: number): void {
  const span = `[${start}, ${end})`
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end > text.length || end < start) {
    throw new RangeError(`Cannot cut with ${name} as the span lies outside [0, ${text.length}]: ${span}`)
  }
  if (start < previous)
    throw new RangeError(`Cannot cut with ${name} as the span starts before the end of the one in front of it, ${previous}: ${span}`)
  if (cutsSurrogatePair(text, start) || cutsSurrogatePair(text, end)) {
    throw new RangeError(`Cannot cut with ${name} as the span cuts a surrogate pair: ${span}`)
  }
  checkGap(name, text, previous, start)
}

function checkGap(name: string, text: string, start: number, end: number): void {
  const gap = trimSpan(text, start, end)
  if (gap.start < gap.end)
    throw new RangeError(
      `Cannot cut with ${name} as no span holds the text at [${gap.start}, ${gap.end}): all but white space must be in one`,
    )
}
