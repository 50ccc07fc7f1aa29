/**
 * Codes, scales and minimums of the block formats of ggml (`ggml-common.h`): a value is scale × code + minimum, where the scale and the
 * minimum belong to a group of values. Super-blocks of 256 values (Q4_K, Q5_K, Q6_K) have small integers as the scales of their groups.
 */
import { halfTable } from './float-formats.ts'
import { tensorLayouts } from './tensor-types.ts'

/** Types that are read here. Q4_0, Q4_1 and Q8_0 have faster ways of their own. */
export type GroupedType = 'Q5_0' | 'Q5_1' | 'Q4_K' | 'Q5_K' | 'Q6_K'

export interface CodedValues {
  /** Values of a group. */
  readonly group: 16 | 32
  /** Bits of a code: 4, or up to 8. */
  readonly bits: 4 | 5 | 6
  /** One a value, not negative. */
  readonly codes: Uint8Array
  /** One a group. */
  readonly scales: Float32Array
  readonly minimums: Float32Array
}

type BlockReader = (bytes: Uint8Array, at: number, values: CodedValues, block: number) => void

const formats: Readonly<Record<GroupedType, { group: 16 | 32; bits: 4 | 5 | 6; read: BlockReader }>> = {
  Q5_0: { group: 32, bits: 5, read: symmetricBlock },
  Q5_1: { group: 32, bits: 5, read: affineBlock },
  Q4_K: { group: 32, bits: 4, read: fourBitSuperBlock },
  Q5_K: { group: 32, bits: 5, read: fiveBitSuperBlock },
  Q6_K: { group: 16, bits: 6, read: sixBitSuperBlock },
}

/** Reads whole blocks of `type`. */
export function readCodes(type: GroupedType, bytes: Uint8Array): CodedValues {
  const layout = tensorLayouts[type]
  const { group, bits, read } = formats[type]
  const blocks = bytes.length / layout.bytes
  const count = blocks * layout.values
  const values = {
    group,
    bits,
    codes: new Uint8Array(count),
    scales: new Float32Array(count / group),
    minimums: new Float32Array(count / group),
  }
  for (let block = 0; block < blocks; block++) read(bytes, block * layout.bytes, values, block)
  return values
}

/** The values themselves. */
export function valuesOfCodes({ group, codes, scales, minimums }: CodedValues): Float32Array {
  const values = new Float32Array(codes.length)
  for (let index = 0; index < scales.length; index++) {
    const scale = scales[index]!
    const minimum = minimums[index]!
    for (let at = index * group; at < (index + 1) * group; at++) values[at] = scale * codes[at]! + minimum
  }
  return values
}

/** Q5_0: d (half), 4 bytes of fifth bits, 16 bytes of two nibbles, the low ones first; w = d (q - 16). */
function symmetricBlock(bytes: Uint8Array, at: number, values: CodedValues, block: number): void {
  const scale = halfAt(bytes, at)
  values.scales[block] = scale
  values.minimums[block] = -16 * scale
  fiveBitCodes(bytes, at + 2, values.codes, block * 32)
}

/** Q5_1: d and m (halves), then as Q5_0; w = d q + m. */
function affineBlock(bytes: Uint8Array, at: number, values: CodedValues, block: number): void {
  values.scales[block] = halfAt(bytes, at)
  values.minimums[block] = halfAt(bytes, at + 2)
  fiveBitCodes(bytes, at + 4, values.codes, block * 32)
}

/** Bit i of the first four bytes is the fifth bit of code i. */
function fiveBitCodes(bytes: Uint8Array, at: number, codes: Uint8Array, to: number): void {
  for (let index = 0; index < 16; index++) {
    const pair = bytes[at + 4 + index]!
    codes[to + index] = (pair & 15) | (bitAt(bytes, at, index) << 4)
    codes[to + 16 + index] = (pair >> 4) | (bitAt(bytes, at, index + 16) << 4)
  }
}

/** Q4_K: d and dmin (halves), 12 bytes of scales and minimums, 128 bytes of nibbles; w = d s q - dmin m. */
function fourBitSuperBlock(bytes: Uint8Array, at: number, values: CodedValues, block: number): void {
  groupScales(bytes, at, values, block)
  pairedNibbles(bytes, at + 16, values.codes, block * 256)
}

/** Q5_K: as Q4_K, with 32 bytes of fifth bits before the nibbles: bit g of byte i belongs to value i of group g. */
function fiveBitSuperBlock(bytes: Uint8Array, at: number, values: CodedValues, block: number): void {
  groupScales(bytes, at, values, block)
  const { codes } = values
  pairedNibbles(bytes, at + 48, codes, block * 256)
  for (let index = 0; index < 256; index++) {
    const fifth = (bytes[at + 16 + (index & 31)]! >> (index >> 5)) & 1
    codes[block * 256 + index] = codes[block * 256 + index]! | (fifth << 4)
  }
}

/** Eight groups of 32: groups 2 g and 2 g + 1 are the low and the high nibbles of the same 32 bytes. */
function pairedNibbles(bytes: Uint8Array, at: number, codes: Uint8Array, to: number): void {
  for (let index = 0; index < 128; index++) {
    const pair = bytes[at + index]!
    const first = to + (index >> 5) * 64 + (index & 31)
    codes[first] = pair & 15
    codes[first + 32] = pair >> 4
  }
}

/**
 * Scales s and minimums m of eight groups, six bits each: those of groups 0 to 3 are the low bits of bytes 0 to 3 and 4 to 7; of groups 4 to 7
 * the low four bits are the nibbles of bytes 8 to 11, and the upper two those that groups 0 to 3 left.
 */
function groupScales(bytes: Uint8Array, at: number, { scales, minimums }: CodedValues, block: number): void {
  const scale = halfAt(bytes, at)
  const minimum = halfAt(bytes, at + 2)
  const packed = at + 4
  for (let group = 0; group < 4; group++) {
    const first = bytes[packed + group]!
    const second = bytes[packed + 4 + group]!
    const third = bytes[packed + 8 + group]!
    scales[block * 8 + group] = scale * (first & 63)
    minimums[block * 8 + group] = -minimum * (second & 63)
    scales[block * 8 + 4 + group] = scale * ((third & 15) | ((first >> 6) << 4))
    minimums[block * 8 + 4 + group] = -minimum * ((third >> 4) | ((second >> 6) << 4))
  }
}

/**
 * Q6_K: 128 bytes of low nibbles, 64 of upper pairs of bits, 16 signed scales, d (half); w = d s (q - 32). Each half of the block has 64 and 32
 * of these bytes: value i of its four runs of 32 has its nibble in byte i + 32 (run mod 2) and its pair of bits in byte i.
 */
function sixBitSuperBlock(bytes: Uint8Array, at: number, { codes, scales, minimums }: CodedValues, block: number): void {
  const scale = halfAt(bytes, at + 208)
  for (let group = 0; group < 16; group++) {
    const own = scale * ((bytes[at + 192 + group]! << 24) >> 24)
    scales[block * 16 + group] = own
    minimums[block * 16 + group] = -32 * own
  }
  for (let index = 0; index < 256; index++) {
    const half = index >> 7
    const run = (index >> 5) & 3
    const low = bytes[at + half * 64 + (run & 1) * 32 + (index & 31)]!
    const high = (bytes[at + 128 + half * 32 + (index & 31)]! >> (2 * run)) & 3
    codes[block * 256 + index] = (run < 2 ? low & 15 : low >> 4) | (high << 4)
  }
}

function bitAt(bytes: Uint8Array, at: number, bit: number): number {
  return (bytes[at + (bit >> 3)]! >> (bit & 7)) & 1
}

function halfAt(bytes: Uint8Array, at: number): number {
  return halfTable()[bytes[at]! | (bytes[at + 1]! << 8)]!
}
