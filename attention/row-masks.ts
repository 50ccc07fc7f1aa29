/** Masks of new rows over the open end of a cache and over each other. */
import type { Segment } from './attention-rows.ts'
import { hiddenScore } from './distance-masks.ts'
import type { OnnxTensor } from './runtime.ts'
import type { SessionPool } from './session-pool.ts'

/** Makes masks; the last one serves all layers of a run. */
export class RowMasks {
  readonly #pool: SessionPool
  /** Query heads of one key head. */
  readonly #copies: number
  #last: { readonly key: string; readonly tensor: OnnxTensor } | undefined

  constructor(pool: SessionPool, copies: number) {
    this.#pool = pool
    this.#copies = copies
  }

  /** [1, 1, copies S, capacity + S]: tail rows below `fill` are seen and, of the new tokens, those of the query's own segment up to itself. */
  besideTail(segments: readonly Segment[], capacity: number, fill: number): OnnxTensor {
    const copies = this.#copies
    return this.#kept(`rows ${lengthsOf(segments)} ${capacity} ${fill}`, () => {
      const own = causalMask(segments)
      const count = Math.sqrt(own.length)
      const width = capacity + count
      const mask = new Float32Array(copies * count * width)
      for (let row = 0; row < copies * count; row++) {
        mask.fill(hiddenScore, row * width + Math.min(fill, capacity), row * width + capacity)
        mask.set(own.subarray((row % count) * count, ((row % count) + 1) * count), row * width + capacity)
      }
      return this.#pool.floats(mask, [1, 1, copies * count, width])
    })
  }

  /** [1, 1, 1, capacity]: tail rows below `fill` are seen. */
  tail(capacity: number, fill: number): OnnxTensor {
    return this.#kept(`tail ${capacity} ${fill}`, () =>
      this.#pool.floats(new Float32Array(capacity).fill(hiddenScore, fill), [1, 1, 1, capacity]),
    )
  }

  /** [1, 1, S, S]: each of `count` rows sees the rows of its segment up to itself. */
  causal(segments: readonly Segment[], count: number): OnnxTensor {
    return this.#kept(`slab ${lengthsOf(segments)}`, () => this.#pool.floats(causalMask(segments), [1, 1, count, count]))
  }

  #kept(key: string, make: () => OnnxTensor): OnnxTensor {
    if (this.#last?.key !== key) this.#last = { key, tensor: make() }
    return this.#last.tensor
  }
}

/** [S, S]: each row sees the rows of its segment up to itself. */
export function causalMask(segments: readonly Segment[]): Float32Array {
  const count = segments.reduce((sum, { rows }) => sum + rows, 0)
  const mask = new Float32Array(count * count).fill(hiddenScore)
  let start = 0
  for (const { rows } of segments) {
    for (let row = start; row < start + rows; row++) mask.fill(0, row * count + start, row * count + row + 1)
    start += rows
  }
  return mask
}

function lengthsOf(segments: readonly Segment[]): string {
  return segments.map(({ rows }) => rows).join()
}
