/**
 * Caches in 8 or 4 bits a value. Keys are quantised by channel, as some channels are large in all tokens, in groups of consecutive tokens; values by
 * token and head (KIVI, Liu et al., ICML 2024, arXiv 2402.02750, section 3). Both asymmetrically: code = round((x - least) / step).
 */
import { blockCache, cacheOf, filledLayers } from './cache-rows.ts'
import type { CacheRows, KVCache } from './decoder.ts'
import type { CacheShape } from './cache-block.ts'
import { BlockCache } from './kv-cache.ts'

export type CacheForm = 'int8' | 'int4'

/** Tokens whose keys share the bounds of a channel. */
export const keyGroupTokens = 128

/** Codes with the bounds that they lie in: x = least + code × step. */
export interface QuantisedValues {
  /** One byte a code, or two codes a byte, the low half first. */
  readonly codes: Uint8Array
  /** Least value and step of each group, side by side: [groups, 2]. */
  readonly bounds: Float32Array
}

export interface QuantisedRows {
  /** Groups: [ceil(tokens / 128), kvHeads headDim]. */
  readonly keys: QuantisedValues
  /** Groups: [tokens, kvHeads]. */
  readonly values: QuantisedValues
}

/** What a quantised cache consists of. */
export interface QuantisedParts {
  readonly form: CacheForm
  readonly shape: CacheShape
  readonly positions: Int32Array
  readonly sources: Int32Array
  readonly lastHidden: Float32Array | undefined
  /** Of the layers that are filled. */
  readonly layers: readonly QuantisedRows[]
}

/** A cache in few bits: it does not run, and `dequantise` gives one that does. */
export interface QuantisedCache extends QuantisedParts {
  readonly length: number
  /** Bytes of codes and bounds. */
  readonly bytes: number
  dequantise(): KVCache
  dispose(): void
  [Symbol.dispose](): void
}

/** @throws TypeError when it is not a cache of this program */
export function quantiseCache(cache: KVCache, form: CacheForm): QuantisedCache {
  const whole = blockCache('quantise', cache)
  const { shape, positions, sources } = whole
  const layers = Array.from({ length: filledLayers('quantise', whole) }, (_, layer) => quantiseRows(whole.exportRows(layer), shape, form))
  return new CodedCache({ form, shape, positions, sources, lastHidden: whole.lastHidden?.slice(), layers })
}

/** One layer's rows in few bits. */
export function quantiseRows({ keys, values }: CacheRows, shape: CacheShape, form: CacheForm): QuantisedRows {
  return {
    keys: quantise(keys, keyLayout(keys.length, shape.kvHeads * shape.headDim), form),
    values: quantise(values, valueLayout(values.length, shape), form),
  }
}

/** The rows of `tokens` tokens that `quantiseRows` gave, within half a step. */
export function dequantiseRows({ keys, values }: QuantisedRows, tokens: number, shape: CacheShape, form: CacheForm): CacheRows {
  const width = shape.kvHeads * shape.headDim
  return {
    keys: dequantise(keys, keyLayout(tokens * width, width), form),
    values: dequantise(values, valueLayout(tokens * width, shape), form),
  }
}

class CodedCache implements QuantisedCache {
  readonly form: CacheForm
  readonly shape: CacheShape
  readonly positions: Int32Array
  readonly sources: Int32Array
  readonly lastHidden: Float32Array | undefined
  #layers: readonly QuantisedRows[] | undefined

  constructor({ form, shape, positions, sources, lastHidden, layers }: QuantisedParts) {
    this.form = form
    this.shape = shape
    this.positions = positions
    this.sources = sources
    this.lastHidden = lastHidden
    this.#layers = layers
  }

  get length(): number {
    return this.positions.length
  }

  get layers(): readonly QuantisedRows[] {
    if (this.#layers === undefined) throw new TypeError('Cannot use the quantised cache as it has been disposed of')
    return this.#layers
  }

  get bytes(): number {
    return (this.#layers ?? [])
      .flatMap(({ keys, values }) => [keys, values])
      .reduce((sum, { codes, bounds }) => sum + codes.length + bounds.byteLength, 0)
  }

  dequantise(): KVCache {
    const { layers, shape, form } = this
    const cache = cacheOf(new BlockCache(shape), layers.length, this, (layer) =>
      dequantiseRows(layers[layer] as QuantisedRows, this.length, shape, form),
    )
    cache.lastHidden = this.lastHidden?.slice()
    return cache
  }

  dispose(): void {
    this.#layers = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Which group each value belongs to. */
interface Layout {
  readonly size: number
  readonly groups: number
  groupOf(index: number): number
}

function keyLayout(size: number, width: number): Layout {
  const tokens = size / width
  const perGroup = keyGroupTokens * width
  return {
    size,
    groups: Math.ceil(tokens / keyGroupTokens) * width,
    groupOf: (index) => Math.floor(index / perGroup) * width + (index % width),
  }
}

function valueLayout(size: number, { headDim }: CacheShape): Layout {
  return { size, groups: size / headDim, groupOf: (index) => Math.floor(index / headDim) }
}

/** Codes and bounds of `tokens` in bytes and numbers: what a stored layer must have. */
export function quantisedSizes(
  tokens: number,
  shape: CacheShape,
  form: CacheForm,
): { readonly codes: number; readonly keyBounds: number; readonly valueBounds: number } {
  const width = shape.kvHeads * shape.headDim
  const size = tokens * width
  return {
    codes: form === 'int8' ? size : Math.ceil(size / 2),
    keyBounds: 2 * keyLayout(size, width).groups,
    valueBounds: 2 * valueLayout(size, shape).groups,
  }
}

function quantise(values: Float32Array, { size, groups, groupOf }: Layout, form: CacheForm): QuantisedValues {
  const highest = form === 'int8' ? 255 : 15
  const bounds = new Float32Array(2 * groups)
  const most = new Float32Array(groups).fill(-Infinity)
  for (let group = 0; group < groups; group++) bounds[2 * group] = Infinity
  for (let index = 0; index < size; index++) {
    const group = groupOf(index)
    const value = values[index] as number
    if (value < (bounds[2 * group] as number)) bounds[2 * group] = value
    if (value > (most[group] as number)) most[group] = value
  }
  for (let group = 0; group < groups; group++) bounds[2 * group + 1] = ((most[group] as number) - (bounds[2 * group] as number)) / highest
  const codes = new Uint8Array(form === 'int8' ? size : Math.ceil(size / 2))
  for (let index = 0; index < size; index++) {
    const group = groupOf(index)
    const step = bounds[2 * group + 1] as number
    const code = step > 0 ? Math.min(highest, Math.round(((values[index] as number) - (bounds[2 * group] as number)) / step)) : 0
    if (form === 'int8') codes[index] = code
    else codes[index >> 1] = (codes[index >> 1] as number) | (code << (4 * (index & 1)))
  }
  return { codes, bounds }
}

function dequantise({ codes, bounds }: QuantisedValues, { size, groupOf }: Layout, form: CacheForm): Float32Array {
  const values = new Float32Array(size)
  for (let index = 0; index < size; index++) {
    const group = groupOf(index)
    const code = form === 'int8' ? (codes[index] as number) : ((codes[index >> 1] as number) >> (4 * (index & 1))) & 15
    values[index] = (bounds[2 * group] as number) + code * (bounds[2 * group + 1] as number)
  }
  return values
}
