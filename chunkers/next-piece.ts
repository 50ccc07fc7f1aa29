import type { ChunkOptions } from './chunk.ts'
import type { Span } from './document.ts'
import { graphemeBorder, graphemeEnd } from './graphemes.ts'
import { isSpace, trimSpan } from './paragraphs.ts'
import { cutsSurrogatePair } from './surrogates.ts'

/** A counted span. */
export interface CountedSpan extends Span {
  readonly tokens: number
}

export type Limits = Pick<ChunkOptions, 'maxTokens' | 'count'>

/** Where a piece that starts at `start` had best end, in (start, at]; undefined where no place is better than another. */
export type Border = (start: number, at: number) => number | undefined

/** UTF-16 code units a token, learned from piece to piece, so that most pieces are counted once. */
export class Pace {
  #ratio: number | undefined
  /** How much the ratio changes from piece to piece, as a share: the more, the lower the first guess. */
  #spread = 0.05

  /** Units that should come near the limit, but seldom above it. */
  reach(maxTokens: number): number {
    return Math.ceil(maxTokens * (this.#ratio ?? 4) * (1 - Math.min(0.15, 1.5 * this.#spread)))
  }

  /** Learns from a piece; from one far below the limit less. */
  learn({ start, end, tokens }: CountedSpan, maxTokens: number): void {
    const ratio = Math.max(0.25, (end - start) / Math.max(1, tokens))
    const weight = Math.min(1, tokens / maxTokens)
    const known = this.#ratio ?? ratio
    this.#spread += 0.3 * weight * (Math.abs(ratio / known - 1) - this.#spread)
    this.#ratio = known + weight * (ratio - known)
  }
}

/** A piece with room for less than this share of the limit is not made longer by another count. */
const FULL = 0.85

/** What is this little longer than the reach is tried as a whole. */
const TAIL = 1.2

/**
 * The first piece of a span that starts with no white space: it fits, is nearly as long as it may be, and ends at a border, else between two graphemes;
 * between two code points only in a grapheme that is above the limit by itself.
 *
 * @throws RangeError when a single character has more tokens than `maxTokens`
 */
export function nextPiece(text: string, span: Span, limits: Limits, pace: Pace, border: Border): CountedSpan {
  const { start, end } = span
  const { maxTokens, count } = limits
  const fits = (stop: number): boolean => count(text.slice(start, stop)) <= maxTokens
  const betweenGraphemes = (at: number): number => {
    const best = border(start, at)
    if (best !== undefined && graphemeBorder(text, start, best) === best) return best
    const last = graphemeBorder(text, start, at)
    return last > start ? last : (graphemeEnd(text, start, end, fits) ?? Infinity)
  }
  // In a grapheme above the limit, white space that it starts with is left out as elsewhere.
  const first = pastSpace(text, start)
  const piece =
    search(text, span, limits, pace, betweenGraphemes) ??
    search(text, { start: first, end }, limits, pace, (at) => codePointEnd(text, first, at))
  if (piece) {
    pace.learn(piece, maxTokens)
    return piece
  }
  const tokens = count(text.slice(first, codePointEnd(text, first, first + 1)))
  throw new RangeError(`Cannot cut at offset ${first} as one character has ${tokens} tokens, more than maxTokens: ${maxTokens}`)
}

function pastSpace(text: string, start: number): number {
  let at = start
  while (isSpace(text.charCodeAt(at))) at++
  return at
}

/**
 * Finds a prefix that fits and ends where `stopAt` allows, by guessing from the ratio of units to tokens: a few counts a piece.
 *
 * @param stopAt the best place to stop at or before an offset; the first of all after it, where there is none
 */
function search(
  text: string,
  { start, end }: Span,
  { maxTokens, count }: Limits,
  pace: Pace,
  stopAt: (at: number) => number,
): CountedSpan | undefined {
  let fits: CountedSpan | undefined
  let fitStop = start
  let tooLong = end + 1
  let guess = start + pace.reach(maxTokens)
  if (start + (guess - start) * TAIL >= end) guess = end
  for (;;) {
    const at = Math.min(end, tooLong - 1, Math.max(guess, start + 1))
    const stop = at === end ? end : Math.min(end + 1, stopAt(at))
    if (stop <= fitStop || stop >= tooLong) return fits
    const trimmed = trimSpan(text, start, stop).end
    const tokens = count(text.slice(start, trimmed))
    const scale = maxTokens / Math.max(1, tokens)
    if (tokens <= maxTokens) {
      fits = { start, end: trimmed, tokens }
      fitStop = stop
      guess = start + Math.floor((stop - start) * Math.min(2, scale))
      if (stop === end || guess <= at || (at - start) / (stop - start) >= FULL * scale) return fits
    } else if (fits) {
      return fits
    } else {
      tooLong = stop
      guess = start + Math.floor((stop - start) * scale * 0.95)
    }
  }
}

/** `at`, out of a surrogate pair and past `start`. */
function codePointEnd(text: string, start: number, at: number): number {
  if (!cutsSurrogatePair(text, at)) return at
  return at - 1 > start ? at - 1 : at + 1
}
