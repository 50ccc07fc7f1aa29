/** Writes GGUF files in memory, sound ones and broken ones. */
import type { ByteSource, TensorType } from '../../attention/index.ts'

export interface WrittenTensor {
  readonly name: string
  readonly type: TensorType | number
  readonly dims: readonly number[]
  readonly bytes: Uint8Array
  /** Offset to write instead of the true one. */
  readonly offset?: number
}

export interface WrittenFile {
  readonly magic?: string
  readonly version?: number
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly tensors?: readonly WrittenTensor[]
  /** Counts to write instead of the true ones. */
  readonly tensorCount?: bigint
  readonly metadataCount?: bigint
}

const alignment = 32
const typeNumbers: Readonly<Record<TensorType, number>> = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  BF16: 30,
}

/** Whole numbers are written as uint32, other numbers as float32, bigints as uint64; arrays hold strings or numbers. */
export function writeGguf(file: WrittenFile): Uint8Array {
  const { magic = 'GGUF', version = 3, metadata = {}, tensors = [] } = file
  const parts = [text(magic), uint32(version)]
  parts.push(uint64(file.tensorCount ?? BigInt(tensors.length)), uint64(file.metadataCount ?? BigInt(Object.keys(metadata).length)))
  for (const [key, value] of Object.entries(metadata)) parts.push(string(key), ...typed(value))
  let offset = 0
  for (const tensor of tensors) {
    parts.push(string(tensor.name), uint32(tensor.dims.length), ...tensor.dims.map((size) => uint64(BigInt(size))))
    parts.push(uint32(typeof tensor.type === 'number' ? tensor.type : typeNumbers[tensor.type]), uint64(BigInt(tensor.offset ?? offset)))
    offset += padded(tensor.bytes.length)
  }
  const header = join(parts)
  const whole = new Uint8Array(padded(header.length) + offset)
  whole.set(header)
  let at = padded(header.length)
  for (const { bytes } of tensors) {
    whole.set(bytes, at)
    at += padded(bytes.length)
  }
  return whole
}

/** Bytes in memory as a source; `reads` collects the sizes of reads. */
export function memorySource(bytes: Uint8Array, reads: number[] = []): ByteSource {
  return {
    name: 'tiny.gguf',
    size: bytes.length,
    read: (start, end) => {
      reads.push(end - start)
      return Promise.resolve(bytes.slice(start, end))
    },
  }
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

export function string(value: string): Uint8Array {
  const bytes = text(value)
  return join([uint64(BigInt(bytes.length)), bytes])
}

export function uint32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer)
}

export function uint64(value: bigint): Uint8Array {
  return new Uint8Array(BigUint64Array.of(value).buffer)
}

function typed(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value]
  if (Array.isArray(value)) return [uint32(9), uint32(numberOf(value[0])), uint64(BigInt(value.length)), ...value.map(plain)]
  return [uint32(numberOf(value)), plain(value)]
}

function numberOf(value: unknown): number {
  if (typeof value === 'string' || value === undefined) return 8
  if (typeof value === 'bigint') return 10
  if (typeof value === 'boolean') return 7
  return Number.isInteger(value) ? 4 : 6
}

function plain(value: unknown): Uint8Array {
  if (typeof value === 'string') return string(value)
  if (typeof value === 'bigint') return uint64(value)
  if (typeof value === 'boolean') return Uint8Array.of(Number(value))
  return Number.isInteger(value) ? uint32(value as number) : new Uint8Array(Float32Array.of(value as number).buffer)
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

function padded(length: number): number {
  return Math.ceil(length / alignment) * alignment
}
