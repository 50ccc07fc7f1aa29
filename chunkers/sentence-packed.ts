import type { Chunk, Chunker, ChunkOptions } from './chunk.ts'
import { type CountedSpan, cutLong } from './cut-long.ts'
import type { Document } from './document.ts'
import { checkChunkOptions, toChunks } from './make-chunk.ts'
import { sentences } from './sentences.ts'

/** From this share of the budget on, a chunk ends before a new section rather than run into it. */
const SECTION_FILL = 0.6

/**
 * Packs whole sentences greedily, up to the budget, without overlap: Algorithm 2 of Chain of Agents (Zhang et al. 2024, arXiv 2406.02818), with
 * its holes closed. The tokens of a chunk are those of its joined text, counted, never the sum of its sentences'. A sentence above the budget
 * is cut at clauses, else white space, else between characters. No chunk is empty. A chunk that is 60 % full ends before a new section.
 *
 * Each sentence is counted once; the joined text is counted again only where the sum reaches the budget.
 */
export function sentencePacked(): Chunker {
  return {
    name: 'sentence-packed',
    version: 1,
    chunk(document: Document, options: ChunkOptions): Iterable<Chunk> {
      checkChunkOptions(options)
      return { [Symbol.iterator]: () => toChunks(document, pack(document, options), options) }
    },
  }
}

/** Sentences, those above the budget in pieces, each with the tokens of itself and the white space before it. */
function* units({ text }: Document, { maxTokens, count, signal }: ChunkOptions): Generator<CountedSpan> {
  let previous = 0
  for (const { start, end } of sentences(text)) {
    signal?.throwIfAborted()
    const tokens = count(text.slice(previous, end))
    if (tokens <= maxTokens) yield { start, end, tokens }
    else yield* cutLong(text, { start, end }, { maxTokens, count })
    previous = end
  }
}

function* pack(document: Document, options: ChunkOptions): Generator<CountedSpan> {
  const { text } = document
  const { maxTokens, count } = options
  const isNewSection = sectionBorders(document)
  // Held back: the chunk being filled. `sum` bounds its tokens from above, for counters that do not grow by joining.
  let held: CountedSpan[] = []
  let sum = 0
  for (const unit of units(document, options)) {
    const startsSection = isNewSection(unit.start)
    if (held.length > 0 && startsSection && sum >= SECTION_FILL * maxTokens) {
      yield* close(text, held, options)
      held = []
      sum = 0
    }
    sum += unit.tokens
    if (sum > maxTokens && held.length > 0) {
      const joined = count(text.slice(held[0]!.start, unit.end))
      if (joined > maxTokens) {
        yield* close(text, held, options)
        held = []
        sum = unit.tokens
      } else {
        sum = joined
      }
    }
    held.push(unit)
  }
  if (held.length > 0) yield* close(text, held, options)
}

/**
 * The held units as one chunk with its true count. Where joining adds tokens, as few tokenizers do, the units are parted in halves until each
 * half fits.
 */
function* close(text: string, held: readonly CountedSpan[], options: ChunkOptions): Generator<CountedSpan> {
  const start = held[0]!.start
  const end = held.at(-1)!.end
  const tokens = options.count(text.slice(start, end))
  if (tokens <= options.maxTokens) {
    yield { start, end, tokens }
  } else if (held.length === 1) {
    yield* cutLong(text, { start, end }, options)
  } else {
    const middle = held.length >> 1
    yield* close(text, held.slice(0, middle), options)
    yield* close(text, held.slice(middle), options)
  }
}

/** Makes a test for ascending offsets: whether a section starts between the last offset asked for and this one. */
function sectionBorders({ sections }: Document): (offset: number) => boolean {
  let next = 0
  return (offset) => {
    const before = next
    while (next < sections.length && sections[next]!.start <= offset) next++
    return next > before
  }
}
