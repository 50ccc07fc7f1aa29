/** Components as 32-bit floats, least byte first. */
export function encodeVector(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)
}

export function decodeVector(value: Uint8Array): Float32Array {
  return new Float32Array(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength))
}
