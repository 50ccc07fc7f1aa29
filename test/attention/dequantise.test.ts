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
  ]
  test.each(cases)('reads hand-made blocks of %s', (type, bytes, values) => {
    expect([...dequantise(type, Uint8Array.from(bytes))]).toEqual(values)
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
  const types: TensorType[] = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1']
  test.each(types)('keeps the values of %s', (type) => {
    const generator = xoroshiro128plus(7)
    const bytes = randomValues(type, 96 * 5, () => uniformFloat64(generator))
    const matrix = packWeights(type, bytes, 96)
    expect([matrix.inputs, matrix.outputs]).toEqual([96, 5])
    const values = dequantise(type, bytes)
    const unpacked = Array.from({ length: 96 * 5 }, (_, index) => valueAt(matrix, Math.floor(index / 96), index % 96))
    for (const [index, value] of unpacked.entries()) expect(Math.abs(value - (values[index] ?? NaN))).toBeLessThan(1e-6)
  })
})

/** The weight from input `column` to output `row`, read back by the operator's definition. */
function valueAt(matrix: StoredMatrix, row: number, column: number): number {
  if (matrix.kind === 'dense') return matrix.values[column * matrix.outputs + row] ?? NaN
  const blocks = matrix.inputs / 32
  const block = Math.floor(column / 32)
  let value = matrix.offsets?.[block * matrix.outputs + row] ?? 0
  for (let plane = 0; plane < matrix.planes; plane++) {
    const at = row * blocks * matrix.planes + plane * blocks + block
    const pair = matrix.nibbles[at * 16 + Math.floor((column % 32) / 2)] ?? 0
    value += (matrix.scales[at] ?? 0) * ((column % 2 === 0 ? pair & 15 : pair >> 4) - 8)
  }
  return value
}
