/** What goes into the attention of one layer. */
import type { BlockCache, LayerView } from './kv-cache.ts'

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

/** The last row of each segment of `rows` [S, width]. */
export function lastRows<Values extends Float32Array | Int32Array>(rows: Values, segments: readonly Segment[], width: number): Values {
  const result = rows.slice(0, segments.length * width) as Values
  let end = 0
  for (const [index, segment] of segments.entries()) {
    end += segment.rows
    result.set(rows.subarray((end - 1) * width, end * width), index * width)
  }
  return result
}

/** Consecutive segments with the same past. */
export interface Group {
  readonly past: LayerView
  readonly segments: Segment[]
  rows: number
}

/** Segments beside each other whose caches hold the same blocks, such as forks of one prefix, make one group. */
export function groupByPast(layer: number, segments: readonly Segment[]): Group[] {
  const groups: Group[] = []
  for (const segment of segments) {
    const past = segment.cache.view(layer)
    const group = groups.at(-1)
    if (group !== undefined && isSamePast(group.past, past)) {
      group.segments.push(segment)
      group.rows += segment.rows
    } else groups.push({ past, segments: [segment], rows: segment.rows })
  }
  return groups
}

function isSamePast(left: LayerView, right: LayerView): boolean {
  if (left.fill !== right.fill || left.closed.length !== right.closed.length) return false
  return (left.fill === 0 || left.tail === right.tail) && left.closed.every((block, index) => block === right.closed[index])
}
