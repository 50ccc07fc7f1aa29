/** Final normalisation and LM head over hidden rows. */
import type { DecoderConfig } from './decoder.ts'
import type { OnnxSession } from './runtime.ts'
import type { SessionPool } from './session-pool.ts'

/** Rows whose logits are computed together: a block of them stays below 13 MB at a vocabulary of 49,152. */
const blockRows = 64

export class Head {
  readonly #config: DecoderConfig
  readonly #pool: SessionPool
  readonly #session: OnnxSession

  constructor(config: DecoderConfig, pool: SessionPool, session: OnnxSession) {
    this.#config = config
    this.#pool = pool
    this.#session = session
  }

  /** Logits [S, vocabulary] of `hidden` [S, width]. */
  async logits(hidden: Float32Array): Promise<Float32Array> {
    const { hidden: width, vocabulary } = this.#config
    if (hidden.length === 0 || hidden.length % width !== 0) {
      throw new RangeError(`Cannot compute logits as the hidden values are not whole rows of ${width}: ${hidden.length}`)
    }
    const count = hidden.length / width
    if (count <= blockRows) return (await this.#run(hidden, Array<number>(count).fill(0), true)).logits
    const result = new Float32Array(count * vocabulary)
    for (let row = 0; row < count; row += blockRows) {
      result.set(await this.logits(hidden.subarray(row * width, (row + blockRows) * width)), row * vocabulary)
    }
    return result
  }

  /** log P of `targets` [S], each given its row of `hidden` [S, width]. */
  async logProbs(hidden: Float32Array, targets: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    const { hidden: width } = this.#config
    const result = new Float32Array(targets.length)
    for (let row = 0; row < targets.length; row += blockRows) {
      signal?.throwIfAborted()
      const part = targets.slice(row, row + blockRows)
      const { log_probs: found } = await this.#run(hidden.subarray(row * width, (row + part.length) * width), part, false)
      result.set(found, row)
    }
    return result
  }

  #run(hidden: Float32Array, targets: readonly number[], wantsLogits: boolean): Promise<Record<'logits' | 'log_probs', Float32Array>> {
    const count = targets.length
    const feeds = {
      x: this.#pool.floats(hidden, [count, this.#config.hidden]),
      rows: this.#pool.integers(wantsLogits ? targets.keys() : [], [wantsLogits ? count : 0]),
      targets: this.#pool.integers(targets, [count, 1]),
    }
    return this.#pool.run(this.#session, feeds, ['logits', 'log_probs'])
  }
}
