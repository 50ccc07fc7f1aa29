import type { AsyncChunker, Chunk, Chunker, ChunkOptions } from './chunk.ts'
import { sha256 } from './create-document.ts'
import type { Document } from './document.ts'
import { withContext } from './with-context.ts'
import { type ChunkPass, wrapChunker } from './wrap-chunker.ts'

export interface MergeTinyOptions {
  /** A chunk below this share of the budget is joined to a neighbour; 0.25 by default. */
  readonly least?: number
}

/**
 * Joins the tiny chunks of another chunker to a neighbour, where both together fit: to one of the same sections first, else to the smaller one. Chunks of
 * different parents, and those with vectors, are not joined; nor are two where the second has a context of its own.
 *
 * @throws RangeError when `least` is no share
 */
export function mergeTiny(chunker: Chunker, options?: MergeTinyOptions): Chunker
export function mergeTiny(chunker: AsyncChunker, options?: MergeTinyOptions): AsyncChunker
export function mergeTiny(chunker: Chunker | AsyncChunker, options: MergeTinyOptions = {}): Chunker | AsyncChunker {
  const { least = 0.25 } = options
  if (!(least >= 0 && least <= 1)) throw new RangeError(`Cannot join tiny chunks as least must be a share from 0 to 1: ${least}`)
  return wrapChunker(chunker, {
    name: `merge-tiny-${least}`,
    version: 1,
    limits: (limits) => limits,
    pass: (document, limits) => mergePass(document, limits, least * limits.maxTokens),
  })
}

/** Holds back two chunks at most, so that a tiny one may go with either neighbour. */
function mergePass(document: Document, limits: ChunkOptions, least: number): ChunkPass {
  let held: readonly Chunk[] = []
  const isTiny = ({ tokens }: Chunk): boolean => tokens < least
  const join = (left: Chunk, right: Chunk): Chunk | undefined =>
    isTiny(left) || isTiny(right) ? joined(document, left, right, limits) : undefined
  return {
    push(next) {
      const [first, second] = held
      held = [...held, next]
      if (!first || !second) return []
      const before = join(first, second)
      const after = isTiny(second) ? join(second, next) : undefined
      if (before && !(after && belongsTo(second, next, first))) held = [before, next]
      else if (after) held = [first, after]
      else {
        held = [second, next]
        return [first]
      }
      return []
    },
    end() {
      const [first, second] = held
      const both = first && second && join(first, second)
      return both ? [both] : held
    },
  }
}

/** Whether a chunk goes with one neighbour rather than with the other: it shares more sections with it, or as many and it is smaller. */
function belongsTo({ sections }: Chunk, neighbour: Chunk, other: Chunk): boolean {
  const shared = (chunk: Chunk): number => sections.findIndex((title, at) => title !== chunk.sections[at])
  const closeness = (chunk: Chunk): number => (shared(chunk) < 0 ? Infinity : shared(chunk))
  const [near, far] = [closeness(neighbour), closeness(other)]
  return near === far ? neighbour.tokens < other.tokens : near > far
}

/** Two neighbours as one chunk; undefined where they must stay apart or do not fit. */
function joined(document: Document, left: Chunk, right: Chunk, { maxTokens, count }: ChunkOptions): Chunk | undefined {
  const sameParent = left.parent?.start === right.parent?.start && left.parent?.end === right.parent?.end
  if (!sameParent || left.vector || right.vector || (right.context !== undefined && right.context !== left.context)) return undefined
  const text = document.slice(left.start, right.end)
  const tokens = count(text)
  const whole = left.context === undefined ? tokens : count(withContext({ text, context: left.context }))
  return whole > maxTokens || tokens > maxTokens ? undefined : { ...left, end: right.end, text, tokens, hash: sha256(text) }
}
