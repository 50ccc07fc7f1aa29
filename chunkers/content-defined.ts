import type { Chunk, Chunker, ChunkOptions } from './chunk.ts'
import type { CountedSpan } from './cut-long.ts'
import type { Document } from './document.ts'
import { checkChunkOptions, toChunks } from './make-chunk.ts'
import { hasBlankLine, isSpace } from './paragraphs.ts'
import { lastAtOrBefore } from './section-paths.ts'
import { closeUnits, sentenceUnits } from './sentence-units.ts'

export interface ContentDefinedOptions {
  /** Share of `maxTokens` that a chunk has before a border is looked for, from 0 to below 1; 0.6 by default. The nearer to 1, the fuller the chunks and the further an edit reaches. */
  readonly fill?: number
}

/** Code units on each side of a border that decide for it. */
export const REACH = 64

/** A border outranks every hash of a lower kind. */
const KIND = 2 ** 32

/**
 * Packs whole sentences and ends each chunk at the border that its neighbourhood recommends most, of those at which it is at least `fill` full: before
 * the section of the highest level, else between paragraphs, else between sentences; among equals where a hash of the words around it is greatest. So
 * a border depends on the words near it and not on what stands far before, and after an edit the cuts soon fall where they fell: chunks far from it
 * keep text and hash. The hash as a local maximum instead of a divisor: Bjørner, Blass and Gurevich, "Content-dependent chunking for differential
 * compression, the local maximum approach" (2010).
 *
 * Chunks are four fifths full on average by default. `rechunk` cuts an edited document around the edit only.
 *
 * @throws RangeError when `fill` is not from 0 to below 1
 */
export function contentDefined(options: ContentDefinedOptions = {}): Chunker {
  const fill = checkFill(options)
  return {
    name: fill === DEFAULT_FILL ? 'content-defined' : `content-defined-${fill}`,
    version: 1,
    chunk(document: Document, chunkOptions: ChunkOptions): Iterable<Chunk> {
      checkChunkOptions(chunkOptions)
      return { [Symbol.iterator]: () => toChunks(document, cutByContent(document, 0, { ...chunkOptions, fill }), chunkOptions) }
    },
  }
}

const DEFAULT_FILL = 0.6

/** @throws RangeError when it is not from 0 to below 1 */
export function checkFill({ fill = DEFAULT_FILL }: ContentDefinedOptions): number {
  if (!(fill >= 0 && fill < 1)) throw new RangeError(`Cannot cut by content as fill is not from 0 to below 1: ${fill}`)
  return fill
}

/** The spans from an offset on where a chunk starts: those of the whole document. */
export function* cutByContent(
  document: Document,
  from: number,
  options: ChunkOptions & Required<ContentDefinedOptions>,
): Generator<CountedSpan> {
  const { text } = document
  const { maxTokens, fill } = options
  const rankOf = createRanks(document)
  let held: CountedSpan[] = []
  let sum = 0
  for (const unit of sentenceUnits(text, from, options)) {
    while (held.length > 0 && sum + unit.tokens > maxTokens) {
      const size = bestSize([...held, unit], fill * maxTokens, rankOf)
      held = held.slice(yield* closeFirst(text, held, size, rankOf, options))
      sum = held.reduce((total, { tokens }) => total + tokens, 0)
    }
    held.push(unit)
    sum += unit.tokens
  }
  while (held.length > 0) held = held.slice(yield* closeFirst(text, held, held.length, rankOf, options))
}

/**
 * Ends a chunk after `size` units, or after fewer where they have more tokens together than one by one, and gives how many it took: what follows
 * depends on where the next chunk starts and on nothing else.
 */
function* closeFirst(
  text: string,
  units: readonly CountedSpan[],
  size: number,
  rankOf: Rank,
  options: ChunkOptions & Required<ContentDefinedOptions>,
): Generator<CountedSpan, number> {
  const { maxTokens, count, fill } = options
  const { start } = units[0]!
  for (let taken = size; taken > 1; taken = bestSize(units.slice(0, taken), fill * maxTokens, rankOf)) {
    const { end } = units[taken - 1]!
    const tokens = count(text.slice(start, end))
    if (tokens > maxTokens) continue
    yield { start, end, tokens }
    return taken
  }
  yield* closeUnits(text, units.slice(0, 1), options)
  return 1
}

/** How many of the units, the last one left out, stand before the border of the greatest rank; at least as many as reach `least` tokens. */
function bestSize(units: readonly CountedSpan[], least: number, rankOf: Rank): number {
  let best = units.length - 1
  let bestRank = -1
  let sum = 0
  for (let size = 1; size < units.length; size++) {
    sum += units[size - 1]!.tokens
    if (sum < least) continue
    const rank = rankOf(units[size - 1]!.end, units[size]!.start)
    if (rank > bestRank) {
      best = size
      bestRank = rank
    }
  }
  return best
}

/** What speaks for a border between the end of one unit and the start of the next. */
type Rank = (end: number, start: number) => number

function createRanks({ text, sections }: Document): Rank {
  const starts = sections.map((section) => section.start)
  return (end, start) => {
    let level = Infinity
    for (let at = lastAtOrBefore(starts, start); at >= 0 && starts[at]! >= end; at--) level = Math.min(level, sections[at]!.level)
    const kind = level < Infinity ? 2 + 1 / level : Number(hasBlankLine(text, end, start))
    return kind * KIND + hashAround(text, end, start)
  }
}

/** FNV-1a, 32 bit, over the code units on both sides of a border, white space left out so that wrapping lines anew changes nothing. */
function hashAround(text: string, end: number, start: number): number {
  let hash = 0x811c9dc5
  for (const [from, to] of [
    [Math.max(0, end - REACH), end],
    [start, Math.min(text.length, start + REACH)],
  ] as const) {
    for (let at = from; at < to; at++) {
      const unit = text.charCodeAt(at)
      if (!isSpace(unit)) hash = Math.imul(hash ^ unit, 0x01000193)
    }
  }
  return hash >>> 0
}
