import type { ChunkOptions } from '../chunk.ts'
import { cutLong } from '../cut-long.ts'
import type { ChunkPiece } from '../make-chunk.ts'
import { trimSpan } from '../paragraphs.ts'
import { fitContext, withContext } from '../with-context.ts'
import { type Border, GLUED } from './borders.ts'
import type { Measure } from './measure.ts'
import { signaturesOf } from './scope.ts'

/** A chunk this full may end at a better border than the last one that fits. */
const FULL = 0.5
/** A chunk less full than this is filled up even if that parts a comment or a signature from what it belongs to. */
const LEAST_FULL = 0.2
/** Share of the budget that is kept free for signatures; outer ones go first where they would take more. */
const CONTEXT_SHARE = 0.25
/** Under this limit nothing is kept free, and signatures go along where they happen to fit. */
const LEAST_LIMIT = 32

/**
 * Packs the units between borders into chunks, as many as fit beside the signatures around them. A chunk ends at the best of the borders that leave it at
 * least half full, the last of equal ones. A unit that fits without its signatures stays whole and loses them; one above the budget is cut at
 * clauses, white space or characters.
 */
export function* packBorders(text: string, borders: readonly Border[], measure: Measure, options: ChunkOptions): Generator<ChunkPiece> {
  const { maxTokens, count } = options
  for (let first = 0; first < borders.length;) {
    const { at, scope } = borders[first]!
    const { lines, limit } = roomBeside(signaturesOf(text, scope, at), options)
    let next = first
    for (let most = limit; next === first;) {
      const last = chooseEnd(borders, first, most, measure, text.length)
      const to = borders[last]?.at ?? text.length
      const span = trimSpan(text, at, to)
      const tokens = span.start === span.end ? 0 : count(text.slice(span.start, span.end))
      const isOne = last === first + 1
      if (tokens <= (isOne ? maxTokens : limit)) {
        if (span.start < span.end) yield withLines({ ...span, tokens })
        next = last
      } else if (isOne) {
        for (const piece of cutLong(text, span, { maxTokens: limit, count })) yield withLines(piece)
        next = last
      } else {
        most = Math.min(0.95, limit / tokens) * measure.estimate(at, to)
      }
    }
    first = next

    function withLines(piece: ChunkPiece): ChunkPiece {
      const context = fitContext(lines, text.slice(piece.start, piece.end), options)
      return context === undefined ? piece : { ...piece, context }
    }
  }
}

/** The innermost signatures that leave enough of the budget to the text, and what they leave. */
function roomBeside(lines: readonly string[], options: ChunkOptions): { readonly lines: readonly string[]; readonly limit: number } {
  const { maxTokens, count } = options
  if (lines.length === 0 || maxTokens < LEAST_LIMIT) return { lines, limit: maxTokens }
  const context = fitContext(lines, '', { maxTokens: Math.floor(CONTEXT_SHARE * maxTokens), count })
  if (context === undefined) return { lines: [], limit: maxTokens }
  return { lines: context.split('\n'), limit: maxTokens - count(withContext({ context, text: '' })) }
}

/** The border, as its place among `borders`, that a chunk from `first` on ends at; one past the last for the end of the text. */
function chooseEnd(borders: readonly Border[], first: number, limit: number, measure: Measure, length: number): number {
  const start = borders[first]!.at
  let best = first + 1
  let least = Infinity
  for (let end = first + 1; end <= borders.length; end++) {
    const tokens = measure.estimate(start, borders[end]?.at ?? length)
    if (tokens > limit) return best
    const badness = end === borders.length ? 0 : badnessOf(borders[end]!.rank, tokens / limit)
    if (badness > least) continue
    best = end
    least = badness
  }
  return best
}

/** Of borders in a chunk that is full enough the rank tells, of others that they come late; parts that belong together are parted last. */
function badnessOf(rank: number, share: number): number {
  if (rank < GLUED) return share >= FULL ? rank : share >= LEAST_FULL ? GLUED : 4 * GLUED
  return share >= FULL ? GLUED + rank : 4 * GLUED
}
