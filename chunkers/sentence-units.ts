import type { ChunkOptions } from './chunk.ts'
import { type CountedSpan, cutLong } from './cut-long.ts'
import { trimSpan } from './paragraphs.ts'
import { sentences } from './sentences.ts'

/**
 * Sentences, those above the budget in pieces, each with the tokens of itself and the white space before it.
 *
 * @param from where they start: the beginning, or the start of a paragraph, which gives the same as a start further in front
 */
export function* sentenceUnits(text: string, from: number, { maxTokens, count, signal }: ChunkOptions): Generator<CountedSpan> {
  let previous = trimSpan(text, 0, from).end
  for (const { start, end } of sentences(from === 0 ? text : text.slice(from), from)) {
    signal?.throwIfAborted()
    const tokens = count(text.slice(previous, end))
    if (tokens <= maxTokens) yield { start, end, tokens }
    else yield* cutLong(text, { start, end }, { maxTokens, count })
    previous = end
  }
}

/**
 * The held units as one chunk with its true count. Where joining adds tokens, as few tokenizers do, the units are parted in halves until each
 * half fits.
 */
export function* closeUnits(text: string, held: readonly CountedSpan[], options: ChunkOptions): Generator<CountedSpan> {
  const start = held[0]!.start
  const end = held.at(-1)!.end
  const tokens = options.count(text.slice(start, end))
  if (tokens <= options.maxTokens) {
    yield { start, end, tokens }
  } else if (held.length === 1) {
    yield* cutLong(text, { start, end }, options)
  } else {
    const middle = held.length >> 1
    yield* closeUnits(text, held.slice(0, middle), options)
    yield* closeUnits(text, held.slice(middle), options)
  }
}
