/**
 * Weight matrices of a GGUF file in the form the runtime multiplies with fastest.
 *
 * Quantised weights become 4-bit blocks of 32 for the symmetric `MatMulNBits` operator, w = s (n - 8) with nibbles n, plus one float32
 * "offset" for each block: w x = sum over blocks of s (n - 8) x + offset (sum of x over the block). This is exact for every type here:
 *
 * - Q4_0: s = d, no offset.
 * - Q4_1: w = d q + m = d (q - 8) + (m + 8 d). Float zero points would say the same and are many times slower.
 * - Q4_K: as Q4_1, with d s and dmin m of each group.
 * - Q5_0, Q5_1, Q5_K and Q6_K: w = s q + m with q = 16 h + l, so w = 16 s (h - 8) + s (l - 8) + (m + 136 s): two planes, over groups of 16 values
 *   for Q6_K.
 * - Q8_0: q + 128 = 16 h + l, so w = 16 d (h - 8) + d (l - 8) + 8 d: two planes of nibbles over x repeated twice.
 */
import { type CodedValues, readCodes } from './coded-blocks.ts'
import { dequantise } from './dequantise.ts'
import { halfTable } from './float-formats.ts'
import { tensorLayouts, type TensorType } from './tensor-types.ts'

/** A matrix of 4-bit blocks that maps K values to N. */
export interface NibbleMatrix {
  readonly kind: 'nibbles'
  readonly inputs: number
  readonly outputs: number
  /** How often the input is repeated along K: 2 for eight-bit weights. */
  readonly planes: number
  /** Values that share a scale: 32 if undefined. */
  readonly group?: 16
  /** [N, planes K / group, group / 2]; the first value of a pair is the low nibble. */
  readonly nibbles: Uint8Array
  /** [N, planes K / group]. */
  readonly scales: Float32Array
  /** [K / group, N], or undefined where all are zero. */
  readonly offsets: Float32Array | undefined
}

/** A float32 matrix [K, N]. */
export interface DenseMatrix {
  readonly kind: 'dense'
  readonly inputs: number
  readonly outputs: number
  readonly values: Float32Array
}

/** How the numbers of matrices that are given to a run are stored and multiplied. */
export type GivenForm = 'float32' | 'int8'

/**
 * A matrix that is no part of the graph but given to each run, so that one graph serves all layers: float32 [N, K] as the input `name`, or
 * bytes as in `byte-nodes.ts`.
 */
export interface GivenMatrix {
  readonly kind: 'given'
  readonly form: GivenForm
  readonly inputs: number
  readonly outputs: number
  readonly name: string
}

/** A matrix with its values. */
export type StoredMatrix = NibbleMatrix | DenseMatrix

export type WeightMatrix = StoredMatrix | GivenMatrix

const blockValues = 32

/**
 * Packs `bytes`, rows of `inputs` values in blocks of `type`, one row an output. Rows of several tensors of one type may follow each other.
 */
export function packWeights(type: TensorType, bytes: Uint8Array, inputs: number): StoredMatrix {
  const layout = tensorLayouts[type]
  const outputs = bytes.length / ((inputs / layout.values) * layout.bytes)
  switch (type) {
    case 'Q4_0':
      return packFourBits(bytes, inputs, outputs, 2)
    case 'Q4_1':
      return packFourBits(bytes, inputs, outputs, 4)
    case 'Q8_0':
      return packEightBits(bytes, inputs, outputs)
    case 'Q5_0':
    case 'Q5_1':
    case 'Q4_K':
    case 'Q5_K':
    case 'Q6_K':
      return packCodes(readCodes(type, bytes), inputs, outputs)
    default:
      return { kind: 'dense', inputs, outputs, values: transpose(dequantise(type, bytes), outputs, inputs) }
  }
}

function packFourBits(bytes: Uint8Array, inputs: number, outputs: number, header: 2 | 4): NibbleMatrix {
  const halves = halfTable()
  const blocks = inputs / blockValues
  const nibbles = new Uint8Array((outputs * inputs) / 2)
  const scales = new Float32Array(outputs * blocks)
  const offsets = header === 4 ? new Float32Array(outputs * blocks) : undefined
  const isAligned = header === 4 && bytes.byteOffset % 4 === 0
  const words = isAligned
    ? { from: new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2), to: new Uint32Array(nibbles.buffer) }
    : undefined
  let at = 0
  for (let row = 0; row < outputs; row++) {
    for (let block = 0; block < blocks; block++) {
      const index = row * blocks + block
      const scale = halves[bytes[at]! | (bytes[at + 1]! << 8)]!
      scales[index] = scale
      if (offsets !== undefined) offsets[block * outputs + row] = halves[bytes[at + 2]! | (bytes[at + 3]! << 8)]! + 8 * scale
      if (words === undefined) interleave(bytes, at + header, nibbles, index * 16)
      else interleaveWords(words.from, (at + header) >> 2, words.to, index * 4)
      at += header + 16
    }
  }
  return { kind: 'nibbles', inputs, outputs, planes: 1, nibbles, scales, offsets }
}

/** Codes of up to four bits make one plane, wider ones two: q = 16 h + l. */
function packCodes(values: CodedValues, inputs: number, outputs: number): NibbleMatrix {
  const { group, bits } = values
  const planes = bits === 4 ? 1 : 2
  const groups = inputs / group
  const nibbles = new Uint8Array((planes * outputs * inputs) / 2)
  const scales = new Float32Array(planes * outputs * groups)
  const offsets = new Float32Array(outputs * groups)
  for (let index = 0; index < outputs * groups; index++) {
    const row = Math.floor(index / groups)
    const scale = values.scales[index]!
    const high = row * groups * planes + (index % groups)
    const low = high + (planes - 1) * groups
    if (planes === 2) scales[high] = 16 * scale
    scales[low] = scale
    // The operator subtracts 8 from each nibble, which is taken back here.
    offsets[(index % groups) * outputs + row] = values.minimums[index]! + (planes === 1 ? 8 : 8 * 17) * scale
    for (let pair = 0; pair < group / 2; pair++) {
      const first = values.codes[index * group + 2 * pair]!
      const second = values.codes[index * group + 2 * pair + 1]!
      if (planes === 2) nibbles[(high * group) / 2 + pair] = (first >> 4) | (second & 240)
      nibbles[(low * group) / 2 + pair] = (first & 15) | ((second & 15) << 4)
    }
  }
  return { kind: 'nibbles', inputs, outputs, planes, ...(group === 16 && { group }), nibbles, scales, offsets }
}

/** From "low nibbles are values 0 to 15, high nibbles 16 to 31" to "each byte holds two neighbours". */
function interleave(bytes: Uint8Array, from: number, nibbles: Uint8Array, to: number): void {
  for (let pair = 0; pair < 8; pair++) {
    const first = bytes[from + 2 * pair]!
    const second = bytes[from + 2 * pair + 1]!
    nibbles[to + pair] = (first & 15) | ((second & 15) << 4)
    nibbles[to + 8 + pair] = (first >> 4) | (second & 240)
  }
}

/** As `interleave`, four bytes at a time. */
function interleaveWords(words: Uint32Array, from: number, nibbles: Uint32Array, to: number): void {
  for (let half = 0; half < 2; half++) {
    const first = words[from + 2 * half]!
    const second = words[from + 2 * half + 1]!
    nibbles[to + half] = neighbours(first) | (neighbours(second) << 16)
    nibbles[to + 2 + half] = neighbours(first >>> 4) | (neighbours(second >>> 4) << 16)
  }
}

/** The low nibbles of the four bytes of a word, side by side in sixteen bits. */
function neighbours(word: number): number {
  return (word & 0xf) | ((word >>> 4) & 0xf0) | ((word >>> 8) & 0xf00) | ((word >>> 12) & 0xf000)
}

function packEightBits(bytes: Uint8Array, inputs: number, outputs: number): NibbleMatrix {
  const halves = halfTable()
  const blocks = inputs / blockValues
  const nibbles = new Uint8Array(outputs * inputs)
  const scales = new Float32Array(outputs * blocks * 2)
  const offsets = new Float32Array(outputs * blocks)
  let at = 0
  for (let row = 0; row < outputs; row++) {
    for (let block = 0; block < blocks; block++) {
      const high = row * blocks * 2 + block
      const low = high + blocks
      const scale = halves[bytes[at]! | (bytes[at + 1]! << 8)]!
      scales[high] = 16 * scale
      scales[low] = scale
      offsets[block * outputs + row] = 8 * scale
      splitPlanes(bytes, at + 2, nibbles, high * 16, low * 16)
      at += tensorLayouts.Q8_0.bytes
    }
  }
  return { kind: 'nibbles', inputs, outputs, planes: 2, nibbles, scales, offsets }
}

function splitPlanes(bytes: Uint8Array, from: number, nibbles: Uint8Array, high: number, low: number): void {
  for (let pair = 0; pair < 16; pair++) {
    // Adding 128 to a signed byte flips its highest bit.
    const first = bytes[from + 2 * pair]! ^ 128
    const second = bytes[from + 2 * pair + 1]! ^ 128
    nibbles[high + pair] = (first >> 4) | (second & 240)
    nibbles[low + pair] = (first & 15) | ((second & 15) << 4)
  }
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length)
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column]!
  }
  return turned
}
