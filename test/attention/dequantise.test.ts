import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, test } from 'vitest'
import { dequantise, type TensorType } from '../../attention/index.ts'
import { packWeights, type StoredMatrix } from '../../attention/packed-weights.ts'
import { randomValues } from './tiny-model.ts'

const nibbles = Array.from({ length: 16 }, (_, index) => index | ((15 - index) << 4))
const upAndDown = [...nibbles.keys(), ...[...nibbles.keys()].reverse()]
/** Halves of 0.5, -1 and 2. */
const half = [0x00, 0x38]
const minusOne = [0x00, 0xbc]
const two = [0x00, 0x40]

/** Every third code of Q5 has its fifth bit. */
const fifthBits = [0b01001001, 0b10010010, 0b00100100, 0b01001001]
const fiveBits = upAndDown.map((value, index) => value + (index % 3 === 0 ? 16 : 0))

/** Codes of a super-block, written into bytes as ggml's quantisation does: the opposite way of reading. */
const codes = Array.from({ length: 256 }, (_, index) => (index * 7 + (index >> 5) * 3) % 64)
const groupScales = [1, 63, 17, 32, 48, 5, 62, 33]
const groupMinimums = [2, 40, 0, 63, 16, 31, 47, 60]
const signedScales = [1, -1, 127, -128, 5, -7, 64, -64, 3, 2, -3, 9, 100, -100, 11, -11]

function packedScales(): number[] {
  const packed = Array<number>(12).fill(0)
  for (const [group, scale] of groupScales.entries()) {
    const minimum = groupMinimums[group]!
    if (group < 4) {
      packed[group]! |= scale
      packed[group + 4]! |= minimum
    } else {
      packed[group + 4] = (scale & 15) | ((minimum & 15) << 4)
      packed[group - 4]! |= (scale >> 4) << 6
      packed[group]! |= (minimum >> 4) << 6
    }
  }
  return packed
}

function superNibbles(most: number): number[] {
  const low = codes.map((code) => code & most & 15)
  return Array.from({ length: 128 }, (_, index) => {
    const at = 64 * Math.floor(index / 32) + (index % 32)
    return low[at]! | (low[at + 32]! << 4)
  })
}

function superFifths(): number[] {
  const bytes = Array<number>(32).fill(0)
  for (const [index, code] of codes.entries()) if ((code & 31) > 15) bytes[index % 32]! |= 1 << Math.floor(index / 32)
  return bytes
}

/** d = 0.5, dmin = 2. */
function superValues(most: number): number[] {
  return codes.map((code, index) => 0.5 * groupScales[Math.floor(index / 32)]! * (code & most) - 2 * groupMinimums[Math.floor(index / 32)]!)
}

function sixBitCodes(): number[] {
  const low = Array<number>(128).fill(0)
  const high = Array<number>(64).fill(0)
  for (let part = 0; part < 2; part++) {
    for (let index = 0; index < 32; index++) {
      const [a = 0, b = 0, c = 0, d = 0] = [0, 32, 64, 96].map((run) => codes[part * 128 + run + index])
      low[part * 64 + index] = (a & 15) | ((c & 15) << 4)
      low[part * 64 + 32 + index] = (b & 15) | ((d & 15) << 4)
      high[part * 32 + index] = (a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((d >> 4) << 6)
    }
  }
  return [...low, ...high]
}

/** d = 0.5. */
function sixBitValues(): number[] {
  return codes.map((code, index) => 0.5 * signedScales[Math.floor(index / 16)]! * (code - 32))
}

describe('dequantise()', () => {
  const cases: [TensorType, number[], number[]][] = [
    ['F32', [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], [1, -2]],
    ['F16', [...half, ...minusOne, 0x01, 0x00, 0x00, 0x7c], [0.5, -1, 2 ** -24, Infinity]],
    ['BF16', [0x80, 0x3f, 0x00, 0xc0, 0x49, 0x40], [1, -2, 3.140625]],
    [
      'Q8_0',
      [...half, ...Array.from({ length: 32 }, (_, index) => (index - 16) & 255)],
      Array.from({ length: 32 }, (_, index) => (index - 16) / 2),
    ],
    ['Q4_0', [...two, ...nibbles], upAndDown.map((value) => 2 * (value - 8))],
    ['Q4_1', [...half, ...minusOne, ...nibbles], upAndDown.map((value) => value / 2 - 1)],
    ['Q5_0', [...two, ...fifthBits, ...nibbles], fiveBits.map((value) => 2 * (value - 16))],
    ['Q5_1', [...half, ...minusOne, ...fifthBits, ...nibbles], fiveBits.map((value) => value / 2 - 1)],
    ['Q4_K', [...half, ...two, ...packedScales(), ...superNibbles(15)], superValues(15)],
    ['Q5_K', [...half, ...two, ...packedScales(), ...superFifths(), ...superNibbles(31)], superValues(31)],
    ['Q6_K', [...sixBitCodes(), ...signedScales.map((scale) => scale & 255), ...half], sixBitValues()],
  ]
  test.each(cases)('reads hand-made blocks of %s', (type, bytes, values) => {
    expect([...dequantise(type, Uint8Array.from(bytes))].map((value) => value + 0)).toEqual(values.map((value) => value + 0))
  })

  test('reads bytes that start at an odd place of their buffer', () => {
    const bytes = Uint8Array.from([9, 0, 0, 0x80, 0x3f]).subarray(1)
    expect([...dequantise('F32', bytes)]).toEqual([1])
  })

  test('refuses a part of a block', () => {
    expect(() => dequantise('Q4_1', new Uint8Array(21))).toThrow(
      new RangeError('Cannot de-quantise Q4_1 as the bytes are not whole blocks of 20: 21'),
    )
  })
})

describe('packWeights()', () => {
  const types: TensorType[] = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q4_K', 'Q5_K', 'Q6_K']
  test.each(types)('keeps the values of %s', (type) => {
    const generator = xoroshiro128plus(7)
    const inputs = type.endsWith('K') ? 512 : 96
    const bytes = randomValues(type, inputs * 5, () => uniformFloat64(generator))
    const matrix = packWeights(type, bytes, inputs)
    expect([matrix.inputs, matrix.outputs]).toEqual([inputs, 5])
    const values = dequantise(type, bytes)
    const unpacked = Array.from({ length: inputs * 5 }, (_, index) => valueAt(matrix, Math.floor(index / inputs), index % inputs))
    for (const [index, value] of unpacked.entries()) expect(Math.abs(value - (values[index] ?? NaN))).toBeLessThan(1e-6)
  })
})

/** The weight from input `column` to output `row`, read back by the operator's definition. */
function valueAt(matrix: StoredMatrix, row: number, column: number): number {
  if (matrix.kind === 'dense') return matrix.values[column * matrix.outputs + row] ?? NaN
  const { group = 32 } = matrix
  const blocks = matrix.inputs / group
  const block = Math.floor(column / group)
  let value = matrix.offsets?.[block * matrix.outputs + row] ?? 0
  for (let plane = 0; plane < matrix.planes; plane++) {
    const at = row * blocks * matrix.planes + plane * blocks + block
    const pair = matrix.nibbles[(at * group) / 2 + Math.floor((column % group) / 2)] ?? 0
    value += (matrix.scales[at] ?? 0) * ((column % 2 === 0 ? pair & 15 : pair >> 4) - 8)
  }
  return value
}
