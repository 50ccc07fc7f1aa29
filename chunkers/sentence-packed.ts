import type { Chunk, Chunker, ChunkOptions } from './chunk.ts'
import type { CountedSpan } from './cut-long.ts'
import type { Document } from './document.ts'
import { checkChunkOptions, toChunks } from './make-chunk.ts'
import { closeUnits, sentenceUnits } from './sentence-units.ts'

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

function* pack(document: Document, options: ChunkOptions): Generator<CountedSpan> {
  const { text } = document
  const { maxTokens, count } = options
  const isNewSection = sectionBorders(document)
  // Held back: the chunk being filled. `sum` bounds its tokens from above, for counters that do not grow by joining; `known` are its tokens, where
  // it was counted as it is.
  let held: CountedSpan[] = []
  let sum = 0
  let known: number | undefined
  function* close(): Generator<CountedSpan> {
    if (known === undefined) yield* closeUnits(text, held, options)
    else yield { start: held[0]!.start, end: held.at(-1)!.end, tokens: known }
    held = []
    sum = 0
  }
  for (const unit of sentenceUnits(text, 0, options)) {
    const startsSection = isNewSection(unit.start)
    if (held.length > 0 && startsSection && sum >= SECTION_FILL * maxTokens) yield* close()
    let joined: number | undefined
    if (held.length > 0 && sum + unit.tokens > maxTokens) {
      joined = count(text.slice(held[0]!.start, unit.end))
      if (joined > maxTokens) {
        yield* close()
        joined = undefined
      }
    }
    sum = joined ?? sum + unit.tokens
    known = joined
    held.push(unit)
  }
  if (held.length > 0) yield* close()
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
