/** 16-bit floating-point formats, widened through tables of all their values. */

let halves: Float32Array | undefined

/** Values of all 65,536 IEEE 754 half-precision numbers, by bit pattern. */
export function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfToFloat(bits))
  return halves
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** Widens bfloat16 values, which are the upper halves of float32 values. */
export function bfloatsToFloats(bits: Uint16Array): Float32Array {
  const words = Uint32Array.from(bits, (value) => value << 16)
  return new Float32Array(words.buffer)
}
