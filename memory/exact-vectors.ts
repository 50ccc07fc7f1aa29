import { LRUCache } from 'lru-cache'
import { cosineSimilarity, vectorNorm } from './vectors.ts'

/** A vector with its length. */
interface MeasuredVector {
  readonly vector: Float32Array
  readonly norm: number
}

/** The records with vectors that a search may look at, ascending, and their vectors once an exact scan needs them. */
export interface VectorView {
  readonly keys: readonly number[]
  /** Keys as a set, for the filter of an approximate search. */
  readonly keySet: () => ReadonlySet<number>
  readonly vectors: () => readonly MeasuredVector[]
}

/** Vectors kept in memory between searches, in bytes. */
const maxBytes = 256 * 1024 * 1024

/** Views of what was searched last; all of them go when the database changes. */
export interface VectorViews {
  /** @param stamp changes when the database does */
  get(stamp: string, scope: number, documents: readonly string[] | undefined): VectorView
  clear(): void
}

/** @param bytesOf bytes that a view of so many records may come to hold */
export function createVectorViews(
  keysOf: (scope: number, documents: readonly string[] | undefined) => readonly number[],
  vectorOf: (key: number) => Float32Array,
  bytesOf: (records: number) => number,
): VectorViews {
  const views = new LRUCache<string, VectorView>({
    maxSize: maxBytes,
    sizeCalculation: ({ keys }) => 1 + bytesOf(keys.length),
  })
  let current = ''

  function get(stamp: string, scope: number, documents: readonly string[] | undefined): VectorView {
    if (stamp !== current) views.clear()
    current = stamp
    const name = JSON.stringify([scope, documents])
    const view = views.get(name) ?? createView(keysOf(scope, documents), vectorOf)
    views.set(name, view)
    return view
  }

  return { get, clear: () => views.clear() }
}

function createView(keys: readonly number[], vectorOf: (key: number) => Float32Array): VectorView {
  let vectors: readonly MeasuredVector[] | undefined
  let set: ReadonlySet<number> | undefined
  return { keys, keySet: () => (set ??= new Set(keys)), vectors: () => (vectors ??= keys.map((key) => measure(vectorOf(key)))) }
}

function measure(vector: Float32Array): MeasuredVector {
  return { vector, norm: vectorNorm(vector) }
}

/** Every key of the view with its cosine similarity to the query. */
export function scanVectors(view: VectorView, query: Float32Array): Map<number, number> {
  const vectors = view.vectors()
  const queryNorm = vectorNorm(query)
  const similarities = new Map<number, number>()
  for (const [index, { vector, norm }] of vectors.entries()) {
    similarities.set(view.keys[index] ?? 0, cosineSimilarity(query, vector, queryNorm, norm))
  }
  return similarities
}
