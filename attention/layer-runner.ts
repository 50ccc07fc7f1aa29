/** Runs rows of hidden states through a range of layers: projection, attention over the cache, feed-forward. */
import { buildAttentionGraph, type AttentionShape } from './attention-graph.ts'
import type { DecoderConfig, ObserveOptions } from './decoder.ts'
import type { DenseLayer, GivenLayer } from './dense-layer.ts'
import type { BlockCache, CacheBlock } from './kv-cache.ts'
import { nextTask } from './next-task.ts'
import { rotaryTables } from './rotary-tables.ts'
import type { OnnxSession, OnnxTensor } from './runtime.ts'
import type { SessionPool } from './session-pool.ts'

/** The two graphs of a layer. */
export interface SessionPair {
  readonly projection: OnnxSession
  readonly feedForward: OnnxSession
}

/** What runs one layer. */
export interface LayerSessions extends SessionPair {
  /** Weights for the graphs that serve all layers. */
  readonly dense: DenseLayer | undefined
}

/** Consecutive rows that belong to one sequence. */
export interface Segment {
  readonly cache: BlockCache
  readonly rows: number
}

export interface RunOptions {
  readonly from: number
  readonly to: number
  readonly signal?: AbortSignal | undefined
  /** Told after each layer. */
  readonly onLayer?: (() => void) | undefined
  /** Shows the queries of the last rows of each segment; `sequence` is the segment's index. */
  readonly observe?: ObserveOptions | undefined
}

interface LayerInput {
  readonly ids: OnnxTensor
  readonly positions: Int32Array
  readonly segments: readonly Segment[]
  readonly observe: ObserveOptions | undefined
}

interface Rows {
  readonly q: Float32Array
  readonly k: Float32Array
  readonly v: Float32Array
}

/** Up to this many new tokens, blocks of the cache are read where they lie; above, putting them side by side costs less than it saves. */
const mostSeparateRows = 8

/** From this many rows on, arithmetic with float32 weights gains more than reading them costs. */
const fewestDenseRows = 64

/**
 * Rows of a part of a slab: few, so that the scores of one part stay in the processor's caches and few products are masked away; enough for
 * full speed of the products.
 */
const partRows = 64

/** Most parts of a slab: each makes the graph longer. */
const mostParts = 16

/** Added to the score of a key that must not be seen; finite, so that no row of scores can become NaN. */
const hidden = -1e30

export class LayerRunner {
  readonly #config: DecoderConfig
  readonly #pool: SessionPool
  readonly #layers: readonly LayerSessions[]
  readonly #shared: SessionPair
  readonly #attention = new Map<string, Promise<OnnxSession>>()
  readonly #tensors = new WeakMap<Float32Array, OnnxTensor>()
  readonly #tables: { readonly cos: OnnxTensor; readonly sin: OnnxTensor }
  #mask: { readonly key: string; readonly tensor: OnnxTensor } | undefined

  /** `shared` are the graphs whose weights are inputs. */
  constructor(config: DecoderConfig, pool: SessionPool, layers: readonly LayerSessions[], shared: SessionPair) {
    this.#config = config
    this.#pool = pool
    this.#layers = layers
    this.#shared = shared
    const { cos, sin } = rotaryTables(config)
    const dims = [config.window, config.headDim / 2]
    this.#tables = { cos: pool.floats(cos, dims), sin: pool.floats(sin, dims) }
  }

  /**
   * Layers `[from, to)` over `x` [S, hidden] at `positions` [S], where S is the sum of the segments' rows; each segment sees only its own
   * cache and rows, and its cache grows by them. Waits for a task of the event loop and looks at the signal before each layer.
   */
  async run(x: Float32Array, positions: Int32Array, segments: readonly Segment[], options: RunOptions): Promise<Float32Array> {
    const ids = this.#pool.integers(positions, [1, positions.length])
    let current = x
    for (let layer = options.from; layer < options.to; layer++) {
      await nextTask()
      options.signal?.throwIfAborted()
      current = await this.#runLayer(layer, current, { ids, positions, segments, observe: options.observe })
      options.onLayer?.()
    }
    return current
  }

  async #runLayer(
    layer: number,
    hiddenRows: Float32Array,
    { ids, positions, segments, observe }: LayerInput,
  ): Promise<Float32Array> {
    const sessions = this.#layers[layer]
    if (sessions === undefined) throw new RangeError(`Cannot run layer ${layer} as the model has ${this.#layers.length}`)
    const x = this.#pool.floats(hiddenRows, [positions.length, this.#config.hidden])
    const { projection, feedForward, given } = await this.#forRows(sessions, positions.length)
    const rows = await this.#pool.run(projection, { x, positions: ids, ...this.#tables, ...given?.projection }, ['q', 'k', 'v'])
    const attended = await this.#attendAll(layer, rows, positions, segments)
    if (observe !== undefined) this.#show(layer, rows.q, segments, observe)
    const a = this.#pool.floats(attended, [positions.length, this.#queryWidth])
    const { y } = await this.#pool.run(feedForward, { x, a, ...given?.feedForward }, ['y'])
    return y
  }

  #show(layer: number, q: Float32Array, segments: readonly Segment[], { layers, rows: most = Infinity, onQueries }: ObserveOptions): void {
    if (layers?.includes(layer) === false) return
    let end = 0
    for (const [sequence, { cache, rows: count }] of segments.entries()) {
      end += count
      const rows = Math.min(count, most)
      const queries = q.subarray((end - rows) * this.#queryWidth, end * this.#queryWidth)
      if (rows > 0) onQueries({ layer, queries, rows, start: cache.layerLength(layer) - rows, cache, sequence })
    }
  }

  async #forRows(sessions: LayerSessions, count: number): Promise<SessionPair & { given?: GivenLayer }> {
    if (sessions.dense === undefined || count < fewestDenseRows) return sessions
    return { ...this.#shared, given: await sessions.dense.given() }
  }

  async #attendAll(layer: number, rows: Rows, positions: Int32Array, segments: readonly Segment[]): Promise<Float32Array> {
    const [only] = segments
    if (segments.length === 1 && only !== undefined) return this.#attend(layer, rows, positions, only.cache)
    const attended = new Float32Array(positions.length * this.#queryWidth)
    let start = 0
    for (const { cache, rows: count } of segments) {
      const end = start + count
      const part = await this.#attend(layer, this.#slice(rows, start, end), positions.subarray(start, end), cache)
      attended.set(part, start * this.#queryWidth)
      start = end
    }
    return attended
  }

  async #attend(layer: number, { q, k, v }: Rows, positions: Int32Array, cache: BlockCache): Promise<Float32Array> {
    const count = positions.length
    const { closed, tail, fill } = cache.view(layer)
    const form = count <= mostSeparateRows ? 'rows' : 'slab'
    const parts = form === 'rows' ? 1 : this.#partsFor(count)
    const session = await this.#attentionSession({ blocks: closed.length, tail: tail !== undefined, form, parts })
    const capacity = form === 'rows' ? (tail?.capacity ?? 0) : 0
    const feeds: Record<string, OnnxTensor> = {
      q: this.#pool.floats(q, [count, this.#queryWidth]),
      k: this.#pool.floats(k, [count, this.#keyWidth]),
      v: this.#pool.floats(v, [count, this.#keyWidth]),
      mask: this.#maskFor(count, capacity, fill, form),
    }
    for (const [index, block] of closed.entries()) {
      feeds[`k${index}`] = this.#blockTensor(block.keys, block)
      feeds[`v${index}`] = this.#blockTensor(block.values, block)
    }
    if (tail !== undefined) {
      feeds['kt'] = this.#blockTensor(tail.keys, tail)
      feeds['vt'] = this.#blockTensor(tail.values, tail)
      if (form === 'slab') feeds['fill'] = this.#pool.integers([fill], [1])
    }
    const { a } = await this.#pool.run(session, feeds, ['a'])
    cache.append(layer, k, v, positions)
    return a
  }

  #attentionSession(shape: AttentionShape): Promise<OnnxSession> {
    const key = Object.values(shape).join()
    const known = this.#attention.get(key)
    if (known !== undefined) return known
    const session = this.#pool.open(buildAttentionGraph(this.#config, shape))
    this.#attention.set(key, session)
    return session
  }

  /** A power of two, so that few different graphs are made. */
  #partsFor(count: number): number {
    let parts = Math.min(2 ** Math.max(0, Math.round(Math.log2(count / partRows))), mostParts)
    // The operator makes all parts but the last of equal size, so few tokens may not go round.
    while (Math.ceil(count / parts) * (parts - 1) >= count) parts /= 2
    return parts
  }

  /** Tensors of blocks are kept as long as the blocks: making one takes longer than reading a map. */
  #blockTensor(data: Float32Array, { capacity }: CacheBlock): OnnxTensor {
    const known = this.#tensors.get(data)
    if (known !== undefined) return known
    const tensor = this.#pool.floats(data, [this.#config.kvHeads, capacity, this.#config.headDim])
    this.#tensors.set(data, tensor)
    return tensor
  }

  /** Mask of `attention-graph.ts`: tail rows below `fill` and, of the new tokens, those up to the query's own are seen. */
  #maskFor(count: number, capacity: number, fill: number, form: AttentionShape['form']): OnnxTensor {
    const key = `${form} ${count} ${capacity} ${capacity === 0 ? 0 : fill}`
    if (this.#mask?.key === key) return this.#mask.tensor
    const width = capacity + count
    const rows = form === 'rows' ? (this.#config.heads / this.#config.kvHeads) * count : count
    const mask = new Float32Array(rows * width)
    for (let row = 0; row < rows; row++) {
      mask.fill(hidden, row * width + Math.min(fill, capacity), row * width + capacity)
      mask.fill(hidden, row * width + capacity + (row % count) + 1, (row + 1) * width)
    }
    const tensor = this.#pool.floats(mask, form === 'rows' ? [1, rows, width] : [1, 1, rows, width])
    this.#mask = { key, tensor }
    return tensor
  }

  #slice({ q, k, v }: Rows, start: number, end: number): Rows {
    return {
      q: q.subarray(start * this.#queryWidth, end * this.#queryWidth),
      k: k.subarray(start * this.#keyWidth, end * this.#keyWidth),
      v: v.subarray(start * this.#keyWidth, end * this.#keyWidth),
    }
  }

  get #queryWidth(): number {
    return this.#config.heads * this.#config.headDim
  }

  get #keyWidth(): number {
    return this.#config.kvHeads * this.#config.headDim
  }
}
