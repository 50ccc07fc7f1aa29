/** Attention of new rows over the caches of their sequences: chooses the graph, builds the masks, and lets the caches grow. */
import { buildAttentionGraph, type AttentionShape } from './attention-graph.ts'
import { type Group, groupByPast, lastRows, type NewRows, type Segment } from './attention-rows.ts'
import type { DecoderConfig } from './decoder.ts'
import { GpuAttention } from './gpu-attention.ts'
import { blockTokens, type CacheBlock } from './cache-block.ts'
import type { LayerView } from './kv-cache.ts'
import { type DistanceMasks, distanceMasks, isDistant, type MaskedRows, needsDistances } from './distance-masks.ts'
import { causalMask, RowMasks } from './row-masks.ts'
import type { OnnxSession, OnnxTensor } from './runtime.ts'
import type { SessionPool } from './session-pool.ts'

/** Up to this many new tokens, blocks of the cache are read where they lie; above, putting them side by side costs less than it saves. */
const mostSeparateRows = 8

/**
 * Scores of one part of a slab, over all heads: few, so that they stay in the processor's caches and few products are masked away; enough
 * for full speed of the products.
 */
const partScores = 2_500_000

/** Fewest and most rows of a part. */
const partRows = { fewest: 32, most: 128 } as const

interface Scratch {
  keys: Float32Array
  values: Float32Array
}

export class AttentionRunner {
  readonly #config: DecoderConfig
  readonly #pool: SessionPool
  readonly #sessions = new Map<string, Promise<OnnxSession>>()
  readonly #tensors = new WeakMap<Float32Array, OnnxTensor>()
  readonly #gpu: GpuAttention | undefined
  readonly #masks: RowMasks
  #scratch: Scratch | undefined

  constructor(config: DecoderConfig, pool: SessionPool) {
    this.#config = config
    this.#pool = pool
    this.#masks = new RowMasks(pool, config.heads / config.kvHeads)
    this.#gpu = pool.device === 'webgpu' ? new GpuAttention(config, pool) : undefined
  }

  /**
   * The heads' outputs a [S, H d]; each segment sees its own cache and rows. Segments beside each other whose caches hold the same blocks, such
   * as forks of one prefix or empty ones, are attended together: the shared past is seen by all, and a mask keeps their rows apart.
   *
   * @param lastOnly whether only the last row of each segment is wanted: the result is [segments, H d]
   */
  async attend(layer: number, rows: NewRows, segments: readonly Segment[], lastOnly = false): Promise<Float32Array> {
    return lastOnly ? this.#attendLast(layer, rows, segments) : this.#attendAll(layer, rows, segments)
  }

  /** All rows but a segment's last are its past once they are in its cache. */
  #attendLast(layer: number, rows: NewRows, segments: readonly Segment[]): Promise<Float32Array> {
    let start = 0
    for (const { cache, rows: count } of segments) {
      const { k, v, positions } = this.#slice(rows, start, start + count - 1)
      if (count > 1) cache.append(layer, k, v, positions)
      start += count
    }
    const last = {
      q: lastRows(rows.q, segments, this.#queryWidth),
      k: lastRows(rows.k, segments, this.#keyWidth),
      v: lastRows(rows.v, segments, this.#keyWidth),
      positions: lastRows(rows.positions, segments, 1),
    }
    return this.#attendAll(
      layer,
      last,
      segments.map((segment) => ({ ...segment, rows: 1 })),
    )
  }

  async #attendAll(layer: number, rows: NewRows, segments: readonly Segment[]): Promise<Float32Array> {
    const [segment] = segments
    if (segment !== undefined && this.#isToken(layer, rows, segment)) return this.#attendToken(layer, rows, segment)
    const groups = groupByPast(layer, segments)
    const [only] = groups
    const attended = only !== undefined && groups.length === 1 ? undefined : new Float32Array(rows.positions.length * this.#queryWidth)
    let start = 0
    for (const group of groups) {
      const end = start + group.rows
      const part = this.#slice(rows, start, end)
      const found = await this.#attendGroup(layer, part, group)
      this.#append(layer, part, group.segments)
      if (attended === undefined) return found
      attended.set(found, start * this.#queryWidth)
      start = end
    }
    return attended ?? new Float32Array(0)
  }

  /** Whether there is but one new token, which its cache keeps and every key of the past is seen by. */
  #isToken(layer: number, { positions }: NewRows, { keeps = true }: Segment): boolean {
    return positions.length === 1 && keeps && this.#gpu === undefined && !isDistant(this.#config, layer)
  }

  async #attendToken(layer: number, { q, k, v, positions }: NewRows, { cache }: Segment): Promise<Float32Array> {
    cache.append(layer, k, v, positions)
    const { closed, tail, fill } = cache.view(layer)
    const session = await this.#session({ form: 'token', blocks: closed.length, tail: tail !== undefined })
    const feeds: Record<string, OnnxTensor> = { q: this.#pool.floats(q, [1, this.#queryWidth]), ...this.#blockFeeds(closed, tail) }
    if (tail !== undefined) feeds['mask'] = this.#masks.tail(tail.capacity, fill)
    return (await this.#pool.run(session, feeds, ['a'])).a
  }

  #append(layer: number, rows: NewRows, segments: readonly Segment[]): void {
    let start = 0
    for (const { cache, rows: count, keeps = true } of segments) {
      const { k, v, positions } = this.#slice(rows, start, start + count)
      if (keeps) cache.append(layer, k, v, positions)
      start += count
    }
  }

  #attendGroup(layer: number, rows: NewRows, group: Group): Promise<Float32Array> {
    const { positions } = rows
    const distances = { positions, past: this.#pastPositions(layer, group), counts: group.segments.map((segment) => segment.rows) }
    if (this.#gpu !== undefined) return this.#attendOnGpu(this.#gpu, layer, rows, group, distances)
    if (needsDistances(this.#config, layer, distances)) return this.#attendSlab(rows, group, distanceMasks(this.#config, layer, distances))
    return group.rows <= mostSeparateRows ? this.#attendRows(rows, group) : this.#attendSlab(rows, group)
  }

  #attendOnGpu(gpu: GpuAttention, layer: number, rows: NewRows, { past, segments }: Group, masked: MaskedRows): Promise<Float32Array> {
    const [segment] = segments
    if (segment === undefined) return Promise.resolve(new Float32Array(0))
    const distances = needsDistances(this.#config, layer, masked) ? distanceMasks(this.#config, layer, masked) : undefined
    return gpu.attend(rows, { cache: segment.cache, view: past, own: causalMask(segments), distances })
  }

  async #attendRows(rows: NewRows, { past, segments }: Group): Promise<Float32Array> {
    const { closed, tail, fill } = past
    const session = await this.#session({ form: 'rows', blocks: closed.length, tail: tail !== undefined })
    const mask = this.#masks.besideTail(segments, tail?.capacity ?? 0, fill)
    return (await this.#pool.run(session, { ...this.#rowFeeds(rows), mask, ...this.#blockFeeds(closed, tail) }, ['a'])).a
  }

  #blockFeeds(closed: readonly CacheBlock[], tail: CacheBlock | undefined): Record<string, OnnxTensor> {
    const feeds: Record<string, OnnxTensor> = {}
    for (const [index, block] of closed.entries()) {
      feeds[`k${index}`] = this.#blockTensor(block.keys, block)
      feeds[`v${index}`] = this.#blockTensor(block.values, block)
    }
    if (tail !== undefined) {
      feeds['kt'] = this.#blockTensor(tail.keys, tail)
      feeds['vt'] = this.#blockTensor(tail.values, tail)
    }
    return feeds
  }

  /** Positions of the keys that came before; empty where no layer asks for distances. */
  #pastPositions(layer: number, { segments: [segment] }: Group): Int32Array {
    if (segment === undefined || !isDistant(this.#config, layer)) return new Int32Array(0)
    return segment.cache.positions.subarray(0, segment.cache.layerLength(layer))
  }

  async #attendSlab(rows: NewRows, { past, segments }: Group, distances?: DistanceMasks): Promise<Float32Array> {
    const count = rows.positions.length
    const { start = 0 } = distances ?? {}
    const tokens = past.closed.length * blockTokens + past.fill - start
    const parts = partsFor(count, (tokens + count) * this.#config.heads)
    const session = await this.#session({ form: 'slab', past: tokens > 0, ...(distances && { masked: true }), parts })
    const own = distances && this.#pool.floats(distances.own, [1, 1, count, count])
    const feeds: Record<string, OnnxTensor> = { ...this.#rowFeeds(rows), mask: own ?? this.#masks.causal(segments, count) }
    if (distances !== undefined && tokens > 0) feeds['pastMask'] = this.#pool.floats(distances.past, [1, 1, count, tokens])
    if (tokens === 0) return (await this.#pool.run(session, feeds, ['a'])).a
    // Taken out while in use, as another call may come to this point before the run ends.
    const scratch = this.#gather(past, tokens, start)
    const { kvHeads, headDim } = this.#config
    const size = kvHeads * tokens * headDim
    feeds['pk'] = this.#pool.floats(scratch.keys.subarray(0, size), [kvHeads, tokens, headDim])
    feeds['pv'] = this.#pool.floats(scratch.values.subarray(0, size), [kvHeads, tokens, headDim])
    const { a } = await this.#pool.run(session, feeds, ['a'])
    this.#scratch = scratch
    return a
  }

  /** Keys and values of the past from index `first` on side by side: [Hkv, tokens, d]. */
  #gather({ closed, tail, fill }: LayerView, tokens: number, first: number): Scratch {
    const { kvHeads, headDim } = this.#config
    const size = kvHeads * tokens * headDim
    const scratch = this.#scratch !== undefined && this.#scratch.keys.length >= size ? this.#scratch : newScratch(size)
    this.#scratch = undefined
    const copy = (block: CacheBlock, start: number, count: number): void => {
      const skipped = Math.min(count, Math.max(0, first - start))
      for (let head = 0; head < kvHeads; head++) {
        const from = (head * block.capacity + skipped) * headDim
        const end = (head * block.capacity + count) * headDim
        const to = (head * tokens + start + skipped - first) * headDim
        if (skipped === count) continue
        scratch.keys.set(block.keys.subarray(from, end), to)
        scratch.values.set(block.values.subarray(from, end), to)
      }
    }
    for (const [index, block] of closed.entries()) copy(block, index * blockTokens, blockTokens)
    if (tail !== undefined) copy(tail, closed.length * blockTokens, fill)
    return scratch
  }

  #session(shape: AttentionShape): Promise<OnnxSession> {
    const key = JSON.stringify(shape)
    const known = this.#sessions.get(key)
    if (known !== undefined) return known
    // Scores are large: memory that is fresh in each run costs more than the arithmetic. Few tokens have small ones, and many shapes.
    // The products of one token are so small that waking a second thread for each costs more than it takes over.
    const options = { arena: shape.form === 'slab', ...(shape.form === 'token' && { threads: 1 }) }
    const session = this.#pool.open(buildAttentionGraph(this.#config, shape), options)
    this.#sessions.set(key, session)
    return session
  }

  #rowFeeds({ q, k, v, positions: { length } }: NewRows): Record<string, OnnxTensor> {
    return {
      q: this.#pool.floats(q, [length, this.#queryWidth]),
      k: this.#pool.floats(k, [length, this.#keyWidth]),
      v: this.#pool.floats(v, [length, this.#keyWidth]),
    }
  }

  /** Tensors of blocks are kept as long as the blocks: making one takes longer than reading a map. */
  #blockTensor(data: Float32Array, { capacity }: CacheBlock): OnnxTensor {
    const known = this.#tensors.get(data)
    if (known !== undefined) return known
    const tensor = this.#pool.floats(data, [this.#config.kvHeads, 1, capacity, this.#config.headDim])
    this.#tensors.set(data, tensor)
    return tensor
  }

  #slice({ q, k, v, positions }: NewRows, start: number, end: number): NewRows {
    if (start === 0 && end === positions.length) return { q, k, v, positions }
    return {
      q: q.subarray(start * this.#queryWidth, end * this.#queryWidth),
      k: k.subarray(start * this.#keyWidth, end * this.#keyWidth),
      v: v.subarray(start * this.#keyWidth, end * this.#keyWidth),
      positions: positions.subarray(start, end),
    }
  }

  get #queryWidth(): number {
    return this.#config.heads * this.#config.headDim
  }

  get #keyWidth(): number {
    return this.#config.kvHeads * this.#config.headDim
  }
}

/** A power of two, so that few different graphs are made. */
function partsFor(count: number, scoresOfRow: number): number {
  const rows = Math.min(partRows.most, Math.max(partRows.fewest, partScores / scoresOfRow))
  let parts = 2 ** Math.max(0, Math.round(Math.log2(count / rows)))
  // The operator makes all parts but the last of equal size, so few tokens may not go round.
  while (Math.ceil(count / parts) * (parts - 1) >= count) parts /= 2
  return parts
}

function newScratch(size: number): Scratch {
  return { keys: new Float32Array(size), values: new Float32Array(size) }
}
