/** Tensors of safetensors files as a GGUF file would hold them: vectors in float32, query and key rows in the order of its rotary pairs. */
import { dequantise } from './dequantise.ts'
import { modelFileError } from './header-reader.ts'
import type { ByteSource } from './runtime.ts'
import type { SafeTensor } from './safetensors.ts'
import { tensorLayouts } from './tensor-types.ts'
import type { VirtualPart } from './virtual-source.ts'

export type FloatType = 'F32' | 'F16' | 'BF16'

/** The type of a tensor; other than floats are refused by name. */
export function floatType(source: ByteSource, { name, dtype }: SafeTensor): FloatType {
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') return dtype
  throw modelFileError(source, `tensor ${name} has the type ${dtype}, which is not supported. Supported: F32, F16, BF16`)
}

/** A tensor as it stands in its file. */
export function plainPart(source: ByteSource, { start, bytes }: SafeTensor): VirtualPart {
  return { bytes, read: (from, to) => source.read(start + from, start + to) }
}

/** A vector in float32, with `added` on each value. */
export function vectorPart(source: ByteSource, tensor: SafeTensor, added: number): VirtualPart {
  const type = floatType(source, tensor)
  const width = tensorLayouts[type].bytes
  const read = async (from: number, to: number): Promise<Uint8Array> => {
    const first = Math.floor(from / 4)
    const start = tensor.start + first * width
    const values = dequantise(type, await source.read(start, tensor.start + Math.ceil(to / 4) * width))
    if (added !== 0) for (let index = 0; index < values.length; index++) values[index] = (values[index] ?? 0) + added
    return new Uint8Array(values.buffer, from - 4 * first, to - from)
  }
  return { bytes: (tensor.bytes / width) * 4, read }
}

/**
 * The part `inner`, rows of `heads` heads, with the rows of each head interleaved: 0, d/2, 1, d/2 + 1, ... Hugging Face files rotate value i
 * of a head with value i + d/2; GGUF files of the architecture `llama` rotate neighbours.
 */
export function interleavedPart(inner: VirtualPart, rows: number, heads: number): VirtualPart {
  const perHead = rows / heads
  const half = perHead / 2
  const width = inner.bytes / rows
  const sourceRow = (row: number): number => {
    const within = row % perHead
    return row - within + (within % 2) * half + Math.floor(within / 2)
  }
  const read = async (from: number, to: number): Promise<Uint8Array> => {
    const head = perHead * width
    const start = Math.floor(from / head) * head
    const end = Math.ceil(to / head) * head
    const given = await inner.read(start, end)
    const first = start / width
    const ordered = new Uint8Array(given.length)
    for (let row = 0; row < given.length / width; row++) {
      const at = (sourceRow(first + row) - first) * width
      ordered.set(given.subarray(at, at + width), row * width)
    }
    return ordered.slice(from - start, to - start)
  }
  return { bytes: inner.bytes, read }
}

/** Float32 values that are computed and not read. */
export function valuesPart(values: Float32Array): VirtualPart {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return { bytes: bytes.length, read: (from, to) => Promise.resolve(bytes.slice(from, to)) }
}
