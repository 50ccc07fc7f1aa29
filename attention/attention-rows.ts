/** What goes into the attention of one layer. */
import type { BlockCache } from './kv-cache.ts'

/** Consecutive rows that belong to one sequence. */
export interface Segment {
  readonly cache: BlockCache
  readonly rows: number
  /** Whether the cache grows by the rows; false where nothing comes after them. True by default. */
  readonly keeps?: boolean
}

/** New rows of a layer: q [S, H d] and k [S, Hkv d] rotated, v [S, Hkv d]. */
export interface NewRows {
  readonly q: Float32Array
  readonly k: Float32Array
  readonly v: Float32Array
  readonly positions: Int32Array
}
