/**
 * Keys and values in blocks that TypeScript owns. Closed blocks are full and never change, so forks share them; the tail grows in small
 * steps, because a run reads its whole capacity, and is copied when a fork or a truncated closed block has to grow.
 */
import {
  blockTokens,
  type CacheBlock,
  type CacheShape,
  copyBlock,
  bytesOfBlocks,
  createBlock,
  readBlock,
  writeBlock,
} from './cache-block.ts'
import type { CacheRows, KVCache } from './decoder.ts'
import { TokenColumns } from './token-columns.ts'

/** The tail's capacity is a multiple of this many tokens. */
const tailStep = 64

interface LayerStore {
  closed: CacheBlock[]
  tail: CacheBlock | undefined
  /** False while the tail is shared, so that it must be copied before it is written. */
  ownsTail: boolean
  length: number
}

/** What attention reads of one layer. */
export interface LayerView {
  readonly closed: readonly CacheBlock[]
  readonly tail: CacheBlock | undefined
  /** Tokens in the tail. */
  readonly fill: number
}

/** The cache of the ONNX decoder and of the reference decoder. */
export class BlockCache implements KVCache {
  readonly shape: CacheShape
  /** Hidden row of the last token after the last layer, when it is known. */
  lastHidden: Float32Array | undefined
  readonly #layers: LayerStore[]
  readonly #tokens = new TokenColumns()
  readonly #disposals: (() => void)[] = []
  #disposed = false

  constructor(shape: CacheShape) {
    this.shape = shape
    this.#layers = Array.from({ length: shape.layers }, () => ({ closed: [], tail: undefined, ownsTail: false, length: 0 }))
  }

  get length(): number {
    return this.#tokens.length
  }

  get positions(): Int32Array {
    return this.#tokens.positions
  }

  get sources(): Int32Array {
    return this.#tokens.sources
  }

  get ids(): Int32Array {
    return this.#tokens.ids
  }

  get longReads(): Uint8Array {
    return this.#tokens.longReads
  }

  /** Position id that follows the last token's. */
  get nextPosition(): number {
    return this.#tokens.nextPosition
  }

  get bytes(): number {
    return bytesOfBlocks(this.blocks())
  }

  /** All blocks of all layers; forks have them in common. */
  *blocks(): Generator<CacheBlock, undefined> {
    for (const { closed, tail } of this.#layers) {
      yield* closed
      if (tail !== undefined) yield tail
    }
  }

  /** Tokens that `layer` holds: fewer than `length` while only the layers before it have run. */
  layerLength(layer: number): number {
    return this.#store(layer).length
  }

  view(layer: number): LayerView {
    const { closed, tail, length } = this.#store(layer)
    return { closed, tail, fill: length - closed.length * blockTokens }
  }

  /**
   * Appends rows [S, kvHeads headDim] of keys and values to `layer`; `positions` [S] are those of the rows.
   *
   * @throws RangeError when the layers disagree about the position of a token
   */
  append(layer: number, keys: Float32Array, values: Float32Array, positions: Int32Array): void {
    const store = this.#store(layer)
    this.#tokens.add(store.length, positions)
    let done = 0
    while (done < positions.length) {
      const fill = store.length - store.closed.length * blockTokens
      const count = Math.min(positions.length - done, blockTokens - fill)
      const tail = this.#writableTail(store, fill, fill + count)
      writeBlock(tail, fill, { keys, values }, done, count, this.shape)
      store.length += count
      done += count
      if (fill + count === blockTokens) closeTail(store, tail)
    }
    this.lastHidden = undefined
  }

  fork(): BlockCache {
    this.#alive()
    const copy = new BlockCache(this.shape)
    copy.adopt(this)
    return copy
  }

  /** Holds what `other` holds, in place of its own; rows are shared until one of the two writes. */
  adopt(other: BlockCache): void {
    this.#alive()
    for (const [index, store] of other.#layers.entries()) {
      store.ownsTail = false
      this.#layers[index] = { ...store, closed: [...store.closed] }
    }
    this.#tokens.copy(other.#tokens)
    this.lastHidden = other.lastHidden
  }

  truncate(length: number): void {
    this.#alive()
    if (!Number.isInteger(length) || length < 0 || length > this.length) {
      throw new RangeError(`Cannot truncate a cache of ${this.length} tokens as the length is not a whole number from 0 to that: ${length}`)
    }
    if (length === this.length) return
    for (const store of this.#layers) if (store.length > length) truncateLayer(store, length)
    this.#tokens.cut(length)
    this.lastHidden = undefined
  }

  /**
   * Says where the tokens from index `start` on came from; what is not said counts on from the highest source before it.
   *
   * @throws RangeError when there are more sources than tokens
   */
  setSources(start: number, sources: ArrayLike<number>): void {
    this.#tokens.setSources(start, sources)
  }

  /** Says which tokens stand from index `start` on: tokens fed in order, each seeing all before it. */
  setIds(start: number, ids: ArrayLike<number>, longRead = false): void {
    this.#tokens.setIds(start, ids, longRead)
  }

  exportRows(layer: number): CacheRows {
    const { closed, tail, fill } = this.view(layer)
    const size = this.layerLength(layer) * this.shape.kvHeads * this.shape.headDim
    const rows = { keys: new Float32Array(size), values: new Float32Array(size) }
    for (const [index, block] of closed.entries()) readBlock(block, blockTokens, rows, index * blockTokens, this.shape)
    if (tail !== undefined) readBlock(tail, fill, rows, closed.length * blockTokens, this.shape)
    return rows
  }

  /** @throws RangeError when the rows are not one for each position, or the layers disagree about the position of a token */
  importRows(layer: number, { keys, values }: CacheRows, positions: Int32Array, sources?: Int32Array): void {
    const size = positions.length * this.shape.kvHeads * this.shape.headDim
    if (keys.length !== size || values.length !== size) {
      throw new RangeError(`Cannot import rows as ${keys.length} keys and ${values.length} values are not the ${size} of their positions`)
    }
    if (sources !== undefined && sources.length !== positions.length) {
      throw new RangeError(`Cannot import rows as ${sources.length} sources are not those of ${positions.length} positions`)
    }
    const start = this.layerLength(layer)
    this.append(layer, keys, values, positions)
    if (sources !== undefined) this.setSources(start, sources)
  }

  /** Takes back what a failed run appended to layers `[from, to)`: each keeps `length` tokens at most. */
  rewind(from: number, to: number, length: number): void {
    for (let layer = from; layer < to; layer++) {
      const store = this.#store(layer)
      if (store.length > length) truncateLayer(store, length)
    }
    this.#tokens.cut(Math.max(...this.#layers.map((store) => store.length)))
    this.lastHidden = undefined
  }

  /** Tells `listener` when the cache is disposed of, once. */
  onDispose(listener: () => void): void {
    this.#alive()
    this.#disposals.push(listener)
  }

  dispose(): void {
    for (const listener of this.#disposals.splice(0)) listener()
    this.#layers.length = 0
    this.#tokens.cut(0)
    this.lastHidden = undefined
    this.#disposed = true
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  #alive(): void {
    if (this.#disposed) throw new TypeError('Cannot use the cache as it has been disposed of')
  }

  #store(layer: number): LayerStore {
    this.#alive()
    const store = this.#layers[layer]
    if (store === undefined) throw new RangeError(`Cannot use the cache as it has no such layer: ${layer}`)
    return store
  }

  #writableTail(store: LayerStore, fill: number, needed: number): CacheBlock {
    const { tail } = store
    if (tail !== undefined && store.ownsTail && tail.capacity >= needed) return tail
    const capacity = Math.min(blockTokens, Math.ceil(needed / tailStep) * tailStep)
    const grown = createBlock(this.shape, capacity)
    if (tail !== undefined) copyBlock(tail, grown, fill, this.shape)
    store.tail = grown
    store.ownsTail = true
    return grown
  }
}

function closeTail(store: LayerStore, tail: CacheBlock): void {
  store.closed.push(tail)
  store.tail = undefined
  store.ownsTail = false
}

function truncateLayer(store: LayerStore, length: number): void {
  const blocks = Math.floor(length / blockTokens)
  if (blocks < store.closed.length) {
    store.tail = store.closed[blocks]
    store.ownsTail = false
    store.closed = store.closed.slice(0, blocks)
  }
  if (length === blocks * blockTokens) store.tail = undefined
  store.length = length
}
