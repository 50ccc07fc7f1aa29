/** What the pieces of a text should be like, in the units of its sizes. */
export interface BorderRules {
  /** A smaller piece is made only where none else is possible. */
  readonly min: number
  readonly target: number
  /** Never exceeded by a piece of more than one unit. */
  readonly max: number
  /** What a piece of e times the target, or of 1/e of it, costs in the units of the scores. It grows with the square of the logarithm. */
  readonly sizeWeight: number
  /** What a border costs. */
  readonly price: number
}

/** More than all borders of any text can bring. */
const tooSmall = 1e9

/**
 * The borders that bring the most: sum of their scores, less what borders and sizes cost. Exact, by dynamic programming over the last border (as in
 * Utiyama and Isahara, "A statistical model for domain-independent text segmentation", 2001). It looks at each unit once for each unit that a piece
 * of at most `max` can reach, so that its time is in proportion to the length of the text.
 *
 * @param sizes of the units
 * @param scores of the gaps between units, one less; of equal choices the one with the longer last piece is not taken
 * @returns the index of the first unit of each piece, in order
 */
export function chooseBorders(sizes: ArrayLike<number>, scores: ArrayLike<number>, rules: BorderRules): number[] {
  const count = sizes.length
  const best = new Float64Array(count + 1)
  const begins = new Int32Array(count + 1)
  for (let end = 1; end <= count; end++) {
    best[end] = -Infinity
    let size = 0
    for (let start = end - 1; start >= 0; start--) {
      size += sizes[start] ?? 0
      if (size > rules.max && start < end - 1) break
      const border = start === 0 ? 0 : (scores[start - 1] ?? 0) - rules.price
      const value = (best[start] ?? 0) + border - sizeCost(size, rules)
      if (value <= (best[end] ?? 0)) continue
      best[end] = value
      begins[end] = start
    }
  }
  const starts: number[] = []
  for (let end = count; end > 0; end = begins[end] ?? 0) starts.push(begins[end] ?? 0)
  return starts.toReversed()
}

function sizeCost(size: number, { min, target, sizeWeight }: BorderRules): number {
  const distance = Math.log(Math.max(size, 1) / target)
  return sizeWeight * distance * distance + (size < min ? tooSmall : 0)
}
