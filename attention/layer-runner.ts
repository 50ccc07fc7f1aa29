/** Runs rows of hidden states through a range of layers: projection, attention over the cache, feed-forward. */
import { lastRows, type Segment } from './attention-rows.ts'
import { AttentionRunner } from './attention-runner.ts'
import type { DecoderConfig, ObserveOptions } from './decoder.ts'
import type { DenseLayer, GivenLayer } from './dense-layer.ts'
import { nextTask } from './next-task.ts'
import type { GivenForm } from './packed-weights.ts'
import { RotaryTables } from './rotary-tables.ts'
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

/** The graphs whose weights are given to each run. */
export interface SharedSessions extends SessionPair {
  /** Arithmetic of their products. */
  readonly form: GivenForm
}

export interface RunOptions {
  readonly from: number
  readonly to: number
  readonly signal?: AbortSignal | undefined
  /** Arithmetic of many rows; float32 by default, and where there are no graphs for it. */
  readonly form?: GivenForm
  /** Whether only the last row of each segment is wanted: the result is [segments, hidden]. */
  readonly lastOnly?: boolean
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
  readonly lastOnly: boolean
  readonly form: GivenForm
}

/** From this many rows on, arithmetic with float32 weights gains more than reading them costs. */
const fewestDenseRows = 128

/** All layers together take this many rows no longer than one layer takes hundreds: the event loop need not turn in between. */
const fewRows = 8

export class LayerRunner {
  readonly #config: DecoderConfig
  readonly #pool: SessionPool
  readonly #layers: readonly LayerSessions[]
  readonly #shared: SharedSessions | undefined
  readonly #attention: AttentionRunner
  readonly #tables: RotaryTables

  constructor(config: DecoderConfig, pool: SessionPool, layers: readonly LayerSessions[], shared: SharedSessions | undefined) {
    this.#config = config
    this.#pool = pool
    this.#layers = layers
    this.#shared = shared
    this.#attention = new AttentionRunner(config, pool)
    this.#tables = new RotaryTables(config, pool)
  }

  /**
   * Layers `[from, to)` over `x` [S, hidden] at `positions` [S], where S is the sum of the segments' rows; each segment sees only its own
   * cache and rows, and its cache grows by them. Waits for a task of the event loop and looks at the signal before each layer, or, with few rows,
   * whose layers are soon done, before the first.
   */
  async run(x: Float32Array, positions: Int32Array, segments: readonly Segment[], options: RunOptions): Promise<Float32Array> {
    const ids = this.#pool.integers(positions, [1, positions.length])
    let current = x
    for (let layer = options.from; layer < options.to; layer++) {
      if (layer === options.from || positions.length > fewRows) await nextTask()
      options.signal?.throwIfAborted()
      const lastOnly = options.lastOnly === true && layer === options.to - 1
      current = await this.#runLayer(layer, current, {
        ids,
        positions,
        segments,
        observe: options.observe,
        lastOnly,
        form: options.form ?? 'float32',
      })
      options.onLayer?.()
    }
    return current
  }

  async #runLayer(layer: number, hiddenRows: Float32Array, input: LayerInput): Promise<Float32Array> {
    const { ids, positions, segments, observe } = input
    const sessions = this.#layers[layer]
    if (sessions === undefined) throw new RangeError(`Cannot run layer ${layer} as the model has ${this.#layers.length}`)
    const x = this.#pool.floats(hiddenRows, [positions.length, this.#config.hidden])
    const { projection, feedForward, given } = await this.#forRows(sessions, positions.length, input.form)
    const rows = await this.#pool.run(projection, { x, positions: ids, ...this.#tables.covering(layer, positions), ...given?.projection }, [
      'q',
      'k',
      'v',
    ])
    const attended = await this.#attention.attend(layer, { ...rows, positions }, segments, input.lastOnly)
    if (observe !== undefined) this.#show(layer, rows.q, segments, observe)
    if (input.lastOnly) return this.#lastFeedForward(sessions, input.form, lastRows(hiddenRows, segments, this.#config.hidden), attended)
    const a = this.#pool.floats(attended, [positions.length, this.#queryWidth])
    const { y } = await this.#pool.run(feedForward, { x, a, ...given?.feedForward }, ['y'])
    return y
  }

  async #lastFeedForward(
    sessions: LayerSessions,
    form: GivenForm,
    hiddenRows: Float32Array,
    attended: Float32Array,
  ): Promise<Float32Array> {
    const count = hiddenRows.length / this.#config.hidden
    const { feedForward, given } = await this.#forRows(sessions, count, form)
    const x = this.#pool.floats(hiddenRows, [count, this.#config.hidden])
    const a = this.#pool.floats(attended, [count, this.#queryWidth])
    return (await this.#pool.run(feedForward, { x, a, ...given?.feedForward }, ['y'])).y
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

  /** Rows of a long read stay in its arithmetic however few they are, so that it does not matter how the read is cut. */
  async #forRows(sessions: LayerSessions, count: number, form: GivenForm): Promise<SessionPair & { given?: GivenLayer }> {
    const shared = this.#shared?.form === form ? this.#shared : undefined
    if (sessions.dense === undefined || shared === undefined || (form === 'float32' && count < fewestDenseRows)) return sessions
    return { ...shared, given: await sessions.dense.given() }
  }

  get #queryWidth(): number {
    return this.#config.heads * this.#config.headDim
  }
}
