/** From the tensor types of GGUF files to float32 (block formats: ggml, `ggml-common.h`). */
import { readCodes, valuesOfCodes } from './coded-blocks.ts'
import { bfloatsToFloats, halfTable } from './float-formats.ts'
import { tensorLayouts, type TensorType } from './tensor-types.ts'

const blockValues = 32

/**
 * Values of `bytes`, which hold whole blocks of `type`.
 *
 * @throws RangeError when the bytes are no whole number of blocks
 */
export function dequantise(type: TensorType, bytes: Uint8Array): Float32Array {
  if (bytes.length % tensorLayouts[type].bytes !== 0) {
    throw new RangeError(`Cannot de-quantise ${type} as the bytes are not whole blocks of ${tensorLayouts[type].bytes}: ${bytes.length}`)
  }
  switch (type) {
    case 'F32':
      return new Float32Array(copy(bytes).buffer)
    case 'F16': {
      const table = halfTable()
      return Float32Array.from(new Uint16Array(copy(bytes).buffer), (bits) => table[bits] ?? 0)
    }
    case 'BF16':
      return bfloatsToFloats(new Uint16Array(copy(bytes).buffer))
    case 'Q8_0':
      return eachBlock(type, bytes, bytesBlock)
    case 'Q4_0':
      return eachBlock(type, bytes, symmetricBlock)
    case 'Q4_1':
      return eachBlock(type, bytes, affineBlock)
    default:
      return valuesOfCodes(readCodes(type, bytes))
  }
}

type BlockReader = (bytes: Uint8Array, at: number, values: Float32Array, to: number) => void

function eachBlock(type: TensorType, bytes: Uint8Array, read: BlockReader): Float32Array {
  const size = tensorLayouts[type].bytes
  const count = bytes.length / size
  const values = new Float32Array(count * blockValues)
  for (let block = 0; block < count; block++) read(bytes, block * size, values, block * blockValues)
  return values
}

/** Q8_0: d (half), 32 signed bytes; w = d q. */
function bytesBlock(bytes: Uint8Array, at: number, values: Float32Array, to: number): void {
  const scale = halfAt(bytes, at)
  for (let index = 0; index < blockValues; index++) values[to + index] = scale * (((bytes[at + 2 + index] ?? 0) << 24) >> 24)
}

/** Q4_0: d (half), 16 bytes of two nibbles, the low ones first; w = d (q - 8). */
function symmetricBlock(bytes: Uint8Array, at: number, values: Float32Array, to: number): void {
  nibbles(bytes, at + 2, values, to, halfAt(bytes, at), -8 * halfAt(bytes, at))
}

/** Q4_1: d and m (halves), nibbles as in Q4_0; w = d q + m. */
function affineBlock(bytes: Uint8Array, at: number, values: Float32Array, to: number): void {
  nibbles(bytes, at + 4, values, to, halfAt(bytes, at), halfAt(bytes, at + 2))
}

function nibbles(bytes: Uint8Array, at: number, values: Float32Array, to: number, scale: number, minimum: number): void {
  for (let index = 0; index < 16; index++) {
    const pair = bytes[at + index] ?? 0
    values[to + index] = scale * (pair & 15) + minimum
    values[to + 16 + index] = scale * (pair >> 4) + minimum
  }
}

function halfAt(bytes: Uint8Array, at: number): number {
  return halfTable()[(bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)] ?? 0
}

/** A copy whose buffer starts at a multiple of the element size. */
function copy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
