import { StoreError } from '../errors/index.ts'

/** Cosine similarity of two vectors of one length, from -1 to 1; 0 where one of them is zero. */
export function cosineSimilarity(first: Float32Array, second: Float32Array): number {
  let product = 0
  let firstSquares = 0
  let secondSquares = 0
  for (let index = 0; index < first.length; index++) {
    const a = first[index] ?? 0
    const b = second[index] ?? 0
    product += a * b
    firstSquares += a * a
    secondSquares += b * b
  }
  const norms = Math.sqrt(firstSquares * secondSquares)
  return norms === 0 ? 0 : Math.max(-1, Math.min(1, product / norms))
}

/**
 * Refuses a vector that would spoil an index in silence.
 *
 * @param what the vector's name for the message, such as `record s1`
 * @throws RangeError when it is empty or a component is not finite; StoreError `mismatch` when its length is not the store's
 */
export function checkVector(vector: Float32Array, dimensions: number, what: string, store: string): void {
  if (vector.length === 0) throw new RangeError(`Cannot use the vector of ${what} as it has no components: 0`)
  if (vector.length !== dimensions) {
    throw new StoreError(
      `Cannot use the vector of ${what} as the store ${store} holds vectors of ${dimensions} dimensions: ${vector.length}. ` +
        'Use the embedder that the store was made with, or another store',
      { reason: 'mismatch', store },
    )
  }
  const bad = vector.findIndex((component) => !Number.isFinite(component))
  if (bad >= 0) throw new RangeError(`Cannot use the vector of ${what} as component ${bad} is not a finite number: ${vector[bad]}`)
}

/** Throws a StoreError `mismatch` that names both embedders when they differ. */
export function checkEmbedder(recorded: string | undefined, given: string | undefined, store: string): void {
  if (recorded === undefined || given === undefined || recorded === given) return
  throw new StoreError(
    `Cannot use the store ${store} with the embedder ${given} as its vectors come from another: ${recorded}. ` +
      'Use that embedder, or another store',
    { reason: 'mismatch', store },
  )
}
