/**
 * Reads the header of a safetensors file: eight bytes with the length of a JSON object, that object (tensors by name), then the data.
 * Files come from anywhere: every length and offset is checked against the file's size before anything is allocated for it.
 */
import { modelFileError, shown } from './header-reader.ts'
import { isObject, parseObject } from './json-file.ts'
import type { ByteSource } from './runtime.ts'

/** One tensor of the file. */
export interface SafeTensor {
  readonly name: string
  /** Its type as the file names it. */
  readonly dtype: string
  /** Sizes, outermost first: a matrix that maps K values to N has `[N, K]`. */
  readonly shape: readonly number[]
  /** Place of its first byte in the file. */
  readonly start: number
  readonly bytes: number
}

/** Bytes of a value by the name of its type. */
const valueBytes: ReadonlyMap<unknown, number> = new Map(
  Object.entries({
    F64: 8,
    I64: 8,
    U64: 8,
    F32: 4,
    I32: 4,
    U32: 4,
    F16: 2,
    BF16: 2,
    I16: 2,
    U16: 2,
    F8_E4M3: 1,
    F8_E5M2: 1,
    I8: 1,
    U8: 1,
    BOOL: 1,
  }),
)

/** The format's own bound. */
const mostHeaderBytes = 100_000_000
const mostDimensions = 8

/**
 * Reads the list of tensors; no tensor data.
 *
 * @throws ModelFileError when the file is no safetensors file, is cut short, or holds sizes that cannot be
 */
export async function readSafetensors(source: ByteSource): Promise<Map<string, SafeTensor>> {
  const headerBytes = await readLength(source)
  const header = await source.read(8, 8 + headerBytes)
  if (header.length !== headerBytes)
    throw modelFileError(source, `its header could not be read whole: ${header.length} of ${headerBytes} bytes`)
  const dataStart = 8 + headerBytes
  const tensors = new Map<string, SafeTensor>()
  for (const [name, entry] of Object.entries(parseObject(source, new TextDecoder().decode(header)))) {
    if (name !== '__metadata__') tensors.set(name, readEntry(source, name, entry, dataStart))
  }
  checkOverlap(source, [...tensors.values()])
  return tensors
}

async function readLength(source: ByteSource): Promise<number> {
  if (source.size < 8) throw modelFileError(source, `it is too short for a safetensors file: ${source.size} bytes`)
  const bytes = await source.read(0, 8)
  if (bytes.length !== 8) throw modelFileError(source, `its first 8 bytes could not be read: ${bytes.length}`)
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
  if (length < 2n || length > BigInt(Math.min(mostHeaderBytes, source.size - 8))) {
    throw modelFileError(source, `its header of ${length} bytes does not fit the file of ${source.size}`)
  }
  return Number(length)
}

function readEntry(source: ByteSource, name: string, entry: unknown, dataStart: number): SafeTensor {
  if (!isObject(entry)) throw modelFileError(source, `its entry ${name} is no object: ${shown(entry)}`)
  const { dtype, shape, data_offsets: offsets } = entry
  const size = valueBytes.get(dtype)
  if (size === undefined) throw modelFileError(source, `tensor ${name} has a type that does not exist: ${shown(dtype)}`)
  if (!isSizes(shape) || shape.length > mostDimensions)
    throw modelFileError(source, `tensor ${name} has no shape of up to ${mostDimensions} sizes`)
  if (!isSizes(offsets) || offsets.length !== 2) throw modelFileError(source, `tensor ${name} has no two offsets`)
  const [from = 0, to = 0] = offsets
  const bytes = shape.reduce((product, length) => product * length, size)
  if (to - from !== bytes || !Number.isSafeInteger(bytes)) {
    throw modelFileError(source, `tensor ${name} of ${shape.join(' x ')} ${String(dtype)} takes ${bytes} bytes and has ${to - from}`)
  }
  if (to > source.size - dataStart) {
    throw modelFileError(source, `tensor ${name} needs bytes ${from} to ${to} of the data and there are ${source.size - dataStart}`)
  }
  return { name, dtype: String(dtype), shape, start: dataStart + from, bytes }
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0)
}

function checkOverlap(source: ByteSource, tensors: SafeTensor[]): void {
  tensors.sort((a, b) => a.start - b.start || a.bytes - b.bytes)
  let end = 0
  let before = ''
  for (const { name, start, bytes } of tensors) {
    if (start < end) throw modelFileError(source, `tensors ${before} and ${name} overlap`)
    if (bytes > 0) before = name
    end = Math.max(end, start + bytes)
  }
}
