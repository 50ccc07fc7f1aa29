import { PairQueue } from './pair-queue.ts'

/** How early two neighbours are joined: the lowest first; undefined where they never are. */
export type PairRank = (left: string, right: string) => number | undefined

/**
 * Joins neighbouring symbols, at each step the pair of the lowest rank, the leftmost of equals, until none is left (Sennrich et al., "Neural
 * Machine Translation of Rare Words with Subword Units", 2016, section 3.2). Takes O(n log n) steps for n symbols, so that a word of
 * megabytes is as good as many short ones.
 */
export function mergePieces(symbols: readonly string[], rankOf: PairRank): string[] {
  const pieces = [...symbols]
  const next = Int32Array.from(symbols, (_, index) => index + 1)
  const previous = Int32Array.from(symbols, (_, index) => index - 1)
  const queue = new PairQueue()

  function offer(left: number): void {
    const right = next[left] ?? pieces.length
    const first = pieces[left]
    const second = pieces[right]
    if (first === undefined || second === undefined) return
    const rank = rankOf(first, second)
    if (rank !== undefined) queue.push(rank, left, first.length + second.length)
  }

  for (let left = 0; left < pieces.length - 1; left++) offer(left)
  for (let pair = queue.pop(); pair !== undefined; pair = queue.pop()) {
    const { left, length } = pair
    const right = next[left] ?? pieces.length
    const first = pieces[left] ?? ''
    const second = pieces[right] ?? ''
    // A pair whose halves were joined with others in the meantime is no more.
    if (first === '' || second === '' || first.length + second.length !== length) continue
    pieces[left] = first + second
    pieces[right] = ''
    const after = next[right] ?? pieces.length
    next[left] = after
    if (after < pieces.length) previous[after] = left
    offer(left)
    const before = previous[left] ?? -1
    if (before >= 0) offer(before)
  }
  return pieces.filter((piece) => piece !== '')
}
