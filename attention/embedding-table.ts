/** Looks up embedding rows in the quantised table, so that no float32 copy of it is held. */
import { dequantise } from './dequantise.ts'
import { readTensorBytes, type GgufFile } from './gguf.ts'
import { tensorNamed } from './model-config.ts'
import type { TensorType } from './tensor-types.ts'

export class EmbeddingTable {
  readonly rows: number
  readonly #type: TensorType
  readonly #bytes: Uint8Array
  readonly #width: number
  readonly #scale: number

  /** @param scale what rows are multiplied by */
  constructor(type: TensorType, bytes: Uint8Array, rows: number, width: number, scale = 1) {
    this.rows = rows
    this.#type = type
    this.#bytes = bytes
    this.#width = width
    this.#scale = scale
  }

  static async load(file: GgufFile, scale = 1): Promise<EmbeddingTable> {
    const tensor = tensorNamed(file, 'token_embd.weight')
    const [width = 0, rows = 0] = tensor.dims
    return new EmbeddingTable(tensor.type, await readTensorBytes(file, tensor), rows, width, scale)
  }

  /**
   * Rows of `ids`: [ids.length, width].
   *
   * @throws RangeError for an id outside the vocabulary
   */
  lookUp(ids: readonly number[]): Float32Array {
    const result = new Float32Array(ids.length * this.#width)
    const rowBytes = this.#bytes.length / this.rows
    for (const [index, id] of ids.entries()) {
      if (!Number.isInteger(id) || id < 0 || id >= this.rows) {
        throw new RangeError(`Cannot embed token ${id} as ids are whole numbers from 0 to ${this.rows - 1}`)
      }
      result.set(dequantise(this.#type, this.#bytes.subarray(id * rowBytes, (id + 1) * rowBytes)), index * this.#width)
    }
    return this.#scale === 1 ? result : result.map((value) => value * this.#scale)
  }
}
