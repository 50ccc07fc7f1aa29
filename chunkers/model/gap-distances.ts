/** Vectors of units with what each weighs. */
export interface WeightedVectors {
  readonly vectors: readonly Float32Array[]
  readonly weights: readonly number[]
}

/**
 * How far what stands before each gap is from what stands after it: 1 less the cosine of the weighted sums of the vectors on both sides, of as many
 * units as weigh no more than `window`, and of one at least. Takes time in proportion to the number of units.
 */
export function gapDistances({ vectors, weights }: WeightedVectors, window: number): Float64Array {
  const count = vectors.length
  const left = new WindowSum(vectors, weights)
  const right = new WindowSum(vectors, weights)
  const distances = new Float64Array(Math.max(0, count - 1))
  right.add(0)
  for (let gap = 1; gap < count; gap++) {
    left.add(gap - 1)
    while (left.size > 1 && left.weight > window) left.drop()
    right.drop()
    if (right.size === 0) right.add(gap)
    while (right.next < count && right.weight + (weights[right.next] ?? 0) <= window) right.add(right.next)
    distances[gap - 1] = 1 - cosine(left.sum, right.sum)
  }
  return distances
}

/** The weighted sum of neighbouring vectors, from `first` up to before `next`. */
class WindowSum {
  readonly sum: Float64Array
  readonly #vectors: readonly Float32Array[]
  readonly #weights: readonly number[]
  weight = 0
  first = 0
  next = 0

  constructor(vectors: readonly Float32Array[], weights: readonly number[]) {
    this.#vectors = vectors
    this.#weights = weights
    this.sum = new Float64Array(vectors[0]?.length ?? 0)
  }

  get size(): number {
    return this.next - this.first
  }

  /** Takes in the unit `at`, which is the next one. */
  add(at: number): void {
    if (this.size === 0) this.first = at
    this.next = at + 1
    this.#change(at, 1)
  }

  drop(): void {
    this.#change(this.first++, -1)
  }

  #change(at: number, sign: 1 | -1): void {
    const weight = sign * (this.#weights[at] ?? 0)
    const vector = this.#vectors[at] ?? []
    this.weight += weight
    for (let axis = 0; axis < this.sum.length; axis++) this.sum[axis] = (this.sum[axis] ?? 0) + weight * (vector[axis] ?? 0)
  }
}

/** 0 for a vector without length. */
export function cosine(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let [dot, squaresLeft, squaresRight] = [0, 0, 0]
  for (let at = 0; at < left.length; at++) {
    const [a, b] = [left[at] ?? 0, right[at] ?? 0]
    dot += a * b
    squaresLeft += a * a
    squaresRight += b * b
  }
  const length = Math.sqrt(squaresLeft * squaresRight)
  return length > 0 ? dot / length : 0
}
