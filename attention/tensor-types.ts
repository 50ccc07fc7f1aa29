/** Tensor types of GGUF files that the core reads. */

export type FloatTensorType = 'F32' | 'F16' | 'BF16'

/** Types that store codes in blocks: a value is its code times a scale, and a minimum is added. */
export type CodedTensorType = 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'Q4_K' | 'Q5_K' | 'Q6_K'

export type TensorType = FloatTensorType | CodedTensorType

export interface TensorTypeLayout {
  /** Values in one block. */
  readonly values: number
  /** Bytes of one block. */
  readonly bytes: number
}

/** Block layout of each type. */
export const tensorLayouts: Readonly<Record<TensorType, TensorTypeLayout>> = {
  F32: { values: 1, bytes: 4 },
  F16: { values: 1, bytes: 2 },
  BF16: { values: 1, bytes: 2 },
  Q8_0: { values: 32, bytes: 34 },
  Q4_0: { values: 32, bytes: 18 },
  Q4_1: { values: 32, bytes: 20 },
  Q5_0: { values: 32, bytes: 22 },
  Q5_1: { values: 32, bytes: 24 },
  Q4_K: { values: 256, bytes: 144 },
  Q5_K: { values: 256, bytes: 176 },
  Q6_K: { values: 256, bytes: 210 },
}

/** Names by the number that stands in the file; those missing from `tensorLayouts` are known but not read. */
const tensorTypeNames: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
}

/** Name of the tensor type with number `id`, whether or not it is read here. */
export function tensorTypeName(id: number): string {
  return tensorTypeNames[id] ?? `number ${id}`
}

export function isTensorType(name: string): name is TensorType {
  return Object.hasOwn(tensorLayouts, name)
}
