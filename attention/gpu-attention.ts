/** Attention of new rows over the cache of their sequence on WebGPU. Closed blocks stay on the device; the tail and the rows are sent with each run. */
import type { RowsShape } from './attention-graph.ts'
import type { NewRows } from './attention-rows.ts'
import type { DecoderConfig } from './decoder.ts'
import { type DistanceMasks, hiddenScore } from './distance-masks.ts'
import { buildGpuAttentionGraph } from './gpu-attention-graph.ts'
import { GpuBlocks } from './gpu-blocks.ts'
import { blockTokens } from './cache-block.ts'
import type { BlockCache, LayerView } from './kv-cache.ts'
import type { OnnxSession, OnnxTensor } from './runtime.ts'
import type { SessionPool } from './session-pool.ts'

/** What the new rows see. */
export interface GpuPast {
  /** One of the caches that hold the past. */
  readonly cache: BlockCache
  readonly view: LayerView
  /** Which of the new rows see each other, added to scores [S, S]. */
  readonly own: Float32Array
  /** Masks of layers that look at distances; they take the place of `own`. */
  readonly distances?: DistanceMasks | undefined
}

/** Bytes of the scores of one run: drivers refuse buffers above 128 MiB. */
const mostScoreBytes = 64 * 1024 ** 2

export class GpuAttention {
  readonly #config: DecoderConfig
  readonly #pool: SessionPool
  readonly #blocks: GpuBlocks
  readonly #sessions = new Map<string, Promise<OnnxSession>>()

  constructor(config: DecoderConfig, pool: SessionPool) {
    this.#config = config
    this.#pool = pool
    this.#blocks = new GpuBlocks(pool)
    pool.onRelease(() => this.#blocks.dispose())
  }

  /** The heads' outputs a [S, H d]. */
  async attend(rows: NewRows, past: GpuPast): Promise<Float32Array> {
    const { kvHeads, headDim, heads } = this.#config
    const count = rows.positions.length
    const { closed, tail } = past.view
    const mask = fullMask(count, past)
    const width = mask.length / count
    const session = await this.#session({ blocks: closed.length, tail: tail !== undefined })
    const fixed: Record<string, OnnxTensor> = {
      k: this.#pool.floats(rows.k, [count, kvHeads * headDim]),
      v: this.#pool.floats(rows.v, [count, kvHeads * headDim]),
    }
    for (const [index, block] of closed.entries()) {
      const { keys, values } = await this.#blocks.get(block, past.cache)
      fixed[`k${index}`] = keys
      fixed[`v${index}`] = values
    }
    if (tail !== undefined) {
      fixed['kt'] = this.#pool.floats(tail.keys, [kvHeads, tail.capacity, headDim])
      fixed['vt'] = this.#pool.floats(tail.values, [kvHeads, tail.capacity, headDim])
    }
    const run = async (start: number, end: number): Promise<Float32Array> => {
      const q = this.#pool.floats(rows.q.subarray(start * heads * headDim, end * heads * headDim), [end - start, heads * headDim])
      const part = this.#pool.floats(mask.subarray(start * width, end * width), [1, 1, end - start, width])
      return (await this.#pool.run(session, { ...fixed, q, mask: part }, ['a'])).a
    }
    const step = Math.max(1, Math.floor(mostScoreBytes / (4 * heads * width)))
    if (count <= step) return run(0, count)
    const attended = new Float32Array(count * heads * headDim)
    for (let start = 0; start < count; start += step) attended.set(await run(start, Math.min(count, start + step)), start * heads * headDim)
    return attended
  }

  #session(shape: Omit<RowsShape, 'form'>): Promise<OnnxSession> {
    const key = JSON.stringify(shape)
    const session = this.#sessions.get(key) ?? this.#pool.open(buildGpuAttentionGraph(this.#config, shape))
    this.#sessions.set(key, session)
    return session
  }
}

/** [S, T] over the closed blocks, the tail's capacity and the new rows. */
function fullMask(count: number, { view, own, distances }: GpuPast): Float32Array {
  const { closed, tail, fill } = view
  const first = closed.length * blockTokens
  const before = first + (tail?.capacity ?? 0)
  const width = before + count
  const mask = new Float32Array(count * width)
  const seen = distances?.own ?? own
  const near = distances === undefined ? 0 : first + fill - distances.start
  for (let row = 0; row < count; row++) {
    const at = row * width
    if (distances !== undefined) {
      mask.fill(hiddenScore, at, at + distances.start)
      mask.set(distances.past.subarray(row * near, (row + 1) * near), at + distances.start)
    }
    mask.fill(hiddenScore, at + first + Math.min(fill, before - first), at + before)
    mask.set(seen.subarray(row * count, (row + 1) * count), at + before)
  }
  return mask
}
