/** Log-probabilities of many continuations of one prefix. Short continuations go through the layers side by side. */
import type { Continuation, Observation, ObserveOptions } from './decoder.ts'
import type { BlockCache } from './kv-cache.ts'
import type { Segment } from './attention-rows.ts'

/** What scoring needs of a decoder. */
export interface ScoringParts {
  /** Most rows that go through the layers together. */
  readonly sliceTokens: number
  readonly width: number
  embed(ids: readonly number[]): Float32Array
  /** Continuations of as many tokens or more do not share a slice with shorter ones, as they may run in another arithmetic. */
  readonly longTokens: number
  /** All layers over rows of several sequences. */
  run(x: Float32Array, positions: Int32Array, segments: readonly Segment[], options: ScoringRun): Promise<Float32Array>
  /** What the caller wants to see: `sequence` is the continuation's index. */
  readonly observe?: ObserveOptions | undefined
  logProbs(hidden: Float32Array, targets: readonly number[]): Promise<Float32Array>
}

export interface ScoringRun {
  /** Whether the rows are of long continuations. */
  readonly isLong: boolean
  readonly observe?: ObserveOptions | undefined
}

/** Tokens `[start, end)` of one continuation that go through the layers in one slice. */
interface Piece {
  readonly index: number
  readonly start: number
  readonly end: number
}

/**
 * log P of each token from `from` on, for each continuation of the sequence in `prefix`.
 *
 * @throws TypeError when a first token is asked for and the prefix does not know its last hidden row
 */
export async function scoreContinuations(
  prefix: BlockCache,
  continuations: readonly Continuation[],
  parts: ScoringParts,
  onProgress?: (share: number) => void,
): Promise<Float32Array[]> {
  const results = continuations.map(({ ids, from = 0 }) => new Float32Array(ids.length - from))
  const firsts = await scoreFirsts(prefix.lastHidden, continuations, parts)
  for (const [index, value] of firsts) results[index]?.set([value], 0)
  const caches = new Map<number, BlockCache>()
  const batches = packPieces(continuations, parts)
  try {
    for (const [done, batch] of batches.entries()) {
      await scoreBatch(prefix, continuations, batch, { caches, results, parts })
      onProgress?.((done + 1) / batches.length)
    }
  } finally {
    for (const cache of caches.values()) cache.dispose()
  }
  return results
}

/** The first token of a continuation follows the prefix's last hidden row; all of them are scored together. */
async function scoreFirsts(
  lastHidden: Float32Array | undefined,
  continuations: readonly Continuation[],
  parts: ScoringParts,
): Promise<Map<number, number>> {
  const wanted = [...continuations.entries()].filter(([, { ids, from = 0 }]) => from === 0 && ids.length > 0)
  if (wanted.length === 0) return new Map()
  if (lastHidden === undefined) {
    throw new TypeError('Cannot score first tokens as the cache does not know its last hidden state. Prefill it, or score from 1')
  }
  const hidden = new Float32Array(wanted.length * parts.width)
  for (const index of wanted.keys()) hidden.set(lastHidden, index * parts.width)
  const found = await parts.logProbs(
    hidden,
    wanted.map(([, { ids }]) => ids[0] ?? 0),
  )
  return new Map(wanted.map(([index], row) => [index, found[row] ?? NaN]))
}

/** Cuts continuations (without their last tokens, which predict nothing that is asked) into pieces and packs these into slices, in order. */
function packPieces(continuations: readonly Continuation[], { sliceTokens: most, longTokens }: ScoringParts): Piece[][] {
  const batches: Piece[][] = []
  let room = 0
  let wasLong = false
  for (const [index, { ids, from = 0 }] of continuations.entries()) {
    if (from >= ids.length) continue
    const isLong = ids.length >= longTokens
    if (isLong !== wasLong) room = 0
    wasLong = isLong
    for (let start = 0; start < ids.length - 1;) {
      if (room === 0) {
        batches.push([])
        room = most
      }
      const end = Math.min(ids.length - 1, start + room)
      batches.at(-1)?.push({ index, start, end })
      room -= end - start
      start = end
    }
  }
  return batches
}

async function scoreBatch(
  prefix: BlockCache,
  continuations: readonly Continuation[],
  batch: readonly Piece[],
  { caches, results, parts }: { caches: Map<number, BlockCache>; results: readonly Float32Array[]; parts: ScoringParts },
): Promise<void> {
  const ids: number[] = []
  const positions: number[] = []
  const segments: Segment[] = []
  let isLong = false
  for (const { index, start, end } of batch) {
    const cache = caches.get(index) ?? prefix.fork()
    caches.set(index, cache)
    const { length } = continuations[index]?.ids ?? []
    isLong = length >= parts.longTokens
    // Whoever looks on reads the keys from the cache.
    segments.push({ cache, rows: end - start, keeps: end < length - 1 || parts.observe !== undefined })
    for (let token = start; token < end; token++) {
      ids.push(continuations[index]?.ids[token] ?? 0)
      positions.push(prefix.nextPosition + token)
    }
  }
  const observe = parts.observe && observeBatch(parts.observe, continuations, batch)
  const hidden = await parts.run(parts.embed(ids), Int32Array.from(positions), segments, { isLong, observe })
  await scoreRows(hidden, continuations, batch, { results, parts })
  for (const { index, end } of batch) {
    if (end < (continuations[index]?.ids.length ?? 0) - 1) continue
    caches.get(index)?.dispose()
    caches.delete(index)
  }
}

/** Shows of each piece what lies in the tail of its continuation. */
function observeBatch(
  { rows: most = Infinity, layers, onQueries }: ObserveOptions,
  continuations: readonly Continuation[],
  batch: readonly Piece[],
): ObserveOptions {
  const show = (seen: Observation): void => {
    const { index, end } = batch[seen.sequence] ?? { index: 0, end: 0 }
    const later = (continuations[index]?.ids.length ?? 0) - 1 - end
    const rows = Math.min(seen.rows, most - later)
    if (rows <= 0) return
    const skipped = seen.rows - rows
    const queries = seen.queries.subarray(skipped * (seen.queries.length / seen.rows))
    onQueries({ ...seen, sequence: index, rows, start: seen.start + skipped, queries })
  }
  return { ...(layers && { layers }), onQueries: show }
}

/** Scores the rows whose next token is asked for: row `token` predicts token + 1. */
async function scoreRows(
  hidden: Float32Array,
  continuations: readonly Continuation[],
  batch: readonly Piece[],
  { results, parts }: { results: readonly Float32Array[]; parts: ScoringParts },
): Promise<void> {
  const rows: number[] = []
  const targets: number[] = []
  const places: { readonly index: number; readonly at: number }[] = []
  let row = 0
  for (const { index, start, end } of batch) {
    const { ids = [], from = 0 } = continuations[index] ?? {}
    for (let token = start; token < end; token++, row++) {
      if (token + 1 < from) continue
      rows.push(row)
      targets.push(ids[token + 1] ?? 0)
      places.push({ index, at: token + 1 - from })
    }
  }
  const wanted = new Float32Array(rows.length * parts.width)
  for (const [to, from] of rows.entries()) wanted.set(hidden.subarray(from * parts.width, (from + 1) * parts.width), to * parts.width)
  const found = await parts.logProbs(wanted, targets)
  for (const [index, place] of places.entries()) results[place.index]?.set([found[index] ?? NaN], place.at)
}
