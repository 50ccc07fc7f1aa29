/**
 * Reads the header of a GGUF file, versions 2 and 3 (format: ggml documentation, `gguf.md`).
 * Files come from anywhere: every count, length, size and offset is checked against the file's size before anything is allocated for it.
 */
import { HeaderReader, modelFileError, shown } from './header-reader.ts'
import type { ByteSource } from './runtime.ts'
import { isTensorType, tensorLayouts, tensorTypeName, type TensorType } from './tensor-types.ts'

/** One tensor of the file. */
export interface GgufTensor {
  readonly name: string
  readonly type: TensorType
  /** Sizes, innermost first: a matrix that maps K values to N has `[K, N]`. */
  readonly dims: readonly number[]
  /** Place of its first byte in the file. */
  readonly start: number
  readonly bytes: number
}

export interface GgufFile {
  readonly source: ByteSource
  readonly version: number
  /** Values by key. Integers of 64 bits are numbers where exact, else bigints; arrays are arrays. */
  readonly metadata: ReadonlyMap<string, unknown>
  readonly tensors: ReadonlyMap<string, GgufTensor>
}

const magic = 0x46554747
const defaultAlignment = 32
const mostDimensions = 4
const mostNesting = 4
/** Least bytes an entry takes: for checking counts before reading. */
const leastMetadataBytes = 8 + 4 + 1
const leastTensorBytes = 8 + 4 + 8 + 4 + 8

const stringType = 8
const arrayType = 9

interface Scalar {
  readonly bytes: number
  readonly read: (view: DataView, at: number) => unknown
}

const scalars: Readonly<Record<number, Scalar>> = {
  0: { bytes: 1, read: (view, at) => view.getUint8(at) },
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  3: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  4: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  5: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  6: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  7: { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  10: { bytes: 8, read: (view, at) => exact(view.getBigUint64(at, true)) },
  11: { bytes: 8, read: (view, at) => exact(view.getBigInt64(at, true)) },
  12: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
}

/**
 * Reads the metadata and the list of tensors; no tensor data.
 *
 * @throws ModelFileError when the file is no GGUF file, is cut short, or holds sizes that cannot be
 */
export async function readGguf(source: ByteSource): Promise<GgufFile> {
  const reader = new HeaderReader(source)
  const found = await reader.uint32('the magic number')
  if (found !== magic) throw reader.error(`it does not start with "GGUF": 0x${found.toString(16).padStart(8, '0')}`)
  const version = await reader.uint32('the version')
  if (version !== 2 && version !== 3) throw reader.error(`its GGUF version is neither 2 nor 3: ${version}`)
  const tensorCount = await readCount(reader, 'the number of tensors', leastTensorBytes)
  const metadataCount = await readCount(reader, 'the number of metadata entries', leastMetadataBytes)
  const metadata = await readMetadata(reader, metadataCount)
  const tensors = await readTensors(reader, tensorCount, alignmentOf(source, metadata))
  return { source, version, metadata, tensors }
}

/** The bytes of `tensor`, or of rows `[from, to)` of it (a row is the innermost dimension). */
export async function readTensorBytes(
  file: GgufFile,
  tensor: GgufTensor,
  from: number = 0,
  to: number = rowsOf(tensor),
): Promise<Uint8Array> {
  const rowBytes = tensor.bytes / rowsOf(tensor)
  const start = tensor.start + from * rowBytes
  const end = tensor.start + to * rowBytes
  const bytes = await file.source.read(start, end)
  if (bytes.length !== end - start)
    throw modelFileError(file.source, `tensor ${tensor.name} could not be read whole: ${bytes.length} of ${end - start} bytes`)
  return bytes
}

function rowsOf(tensor: GgufTensor): number {
  return tensor.dims.slice(1).reduce((product, size) => product * size, 1)
}

async function readCount(reader: HeaderReader, what: string, leastBytes: number): Promise<number> {
  const count = await reader.uint64(what)
  if (count * leastBytes > reader.remaining) throw reader.error(`${what} is more than the file can hold: ${count}`)
  return count
}

async function readMetadata(reader: HeaderReader, count: number): Promise<Map<string, unknown>> {
  const metadata = new Map<string, unknown>()
  for (let index = 0; index < count; index++) {
    const key = await reader.string(`the key of metadata entry ${index}`)
    if (metadata.has(key)) throw reader.error(`metadata ${key} are listed twice`)
    const type = await reader.uint32(`the type of ${key}`)
    metadata.set(key, await readValue(reader, type, key, 0))
  }
  return metadata
}

async function readValue(reader: HeaderReader, type: number, key: string, depth: number): Promise<unknown> {
  if (type === stringType) return reader.string(key)
  if (type === arrayType) return readArray(reader, key, depth)
  const scalar = scalars[type]
  if (scalar === undefined) throw reader.error(`${key} has a value type that does not exist: ${type}`)
  if (!reader.has(scalar.bytes)) await reader.fill(scalar.bytes, key)
  return reader.take(scalar.bytes, scalar.read)
}

async function readArray(reader: HeaderReader, key: string, depth: number): Promise<unknown[]> {
  if (depth === mostNesting) throw reader.error(`${key} nests arrays deeper than ${mostNesting}`)
  const type = await reader.uint32(`the element type of ${key}`)
  const count = await readCount(reader, `the length of ${key}`, leastBytesOf(type))
  const values: unknown[] = []
  for (let index = 0; index < count; index++) {
    const scalar = scalars[type]
    if (scalar !== undefined && reader.has(scalar.bytes)) values.push(reader.take(scalar.bytes, scalar.read))
    else values.push(await readValue(reader, type, key, depth + 1))
  }
  return values
}

function leastBytesOf(type: number): number {
  if (type === stringType) return 8
  if (type === arrayType) return 12
  return scalars[type]?.bytes ?? 1
}

function alignmentOf(source: ByteSource, metadata: ReadonlyMap<string, unknown>): number {
  const alignment = metadata.get('general.alignment') ?? defaultAlignment
  const sound =
    typeof alignment === 'number' && Number.isInteger(alignment) && alignment >= 8 && alignment <= 1 << 20 && alignment % 8 === 0
  if (!sound) throw modelFileError(source, `general.alignment is not a multiple of 8: ${shown(alignment)}`)
  return alignment
}

async function readTensors(reader: HeaderReader, count: number, alignment: number): Promise<Map<string, GgufTensor>> {
  const tensors: GgufTensor[] = []
  for (let index = 0; index < count; index++) tensors.push(await readTensor(reader, index, alignment))
  const dataStart = Math.ceil(reader.position / alignment) * alignment
  const dataBytes = reader.position + reader.remaining - dataStart
  const byName = new Map<string, GgufTensor>()
  for (const tensor of tensors) {
    if (byName.has(tensor.name)) throw reader.error(`tensor ${tensor.name} is listed twice`)
    if (tensor.start + tensor.bytes > dataBytes) {
      throw reader.error(
        `tensor ${tensor.name} needs bytes ${tensor.start} to ${tensor.start + tensor.bytes} of the data and there are ${Math.max(0, dataBytes)}`,
      )
    }
    byName.set(tensor.name, { ...tensor, start: dataStart + tensor.start })
  }
  checkOverlap(reader, tensors)
  return byName
}

/** Tensors that share bytes would let a small file ask for any amount of memory. */
function checkOverlap(reader: HeaderReader, tensors: readonly GgufTensor[]): void {
  let before: GgufTensor | undefined
  for (const tensor of tensors.toSorted((a, b) => a.start - b.start)) {
    if (before !== undefined && tensor.start < before.start + before.bytes) {
      throw reader.error(`tensors ${before.name} and ${tensor.name} overlap`)
    }
    before = tensor
  }
}

async function readTensor(reader: HeaderReader, index: number, alignment: number): Promise<GgufTensor> {
  const name = await reader.string(`the name of tensor ${index}`)
  const dims = await readDims(reader, name)
  const typeName = tensorTypeName(await reader.uint32(`the type of tensor ${name}`))
  if (!isTensorType(typeName)) {
    throw reader.error(
      `tensor ${name} has the type ${typeName}, which is not supported. Supported: ${Object.keys(tensorLayouts).join(', ')}`,
    )
  }
  const start = await reader.uint64(`the offset of tensor ${name}`)
  if (start % alignment !== 0) throw reader.error(`the offset of tensor ${name} is not a multiple of ${alignment}: ${start}`)
  return { name, type: typeName, dims, start, bytes: bytesOf(reader, name, typeName, dims) }
}

async function readDims(reader: HeaderReader, name: string): Promise<number[]> {
  const count = await reader.uint32(`the number of dimensions of tensor ${name}`)
  if (count < 1 || count > mostDimensions)
    throw reader.error(`tensor ${name} has a number of dimensions outside 1 to ${mostDimensions}: ${count}`)
  const dims: number[] = []
  for (let index = 0; index < count; index++) {
    const size = await reader.uint64(`a dimension of tensor ${name}`)
    if (size === 0) throw reader.error(`tensor ${name} has an empty dimension`)
    dims.push(size)
  }
  return dims
}

function bytesOf(reader: HeaderReader, name: string, type: TensorType, dims: readonly number[]): number {
  const layout = tensorLayouts[type]
  const [row = 1] = dims
  if (row % layout.values !== 0)
    throw reader.error(`tensor ${name} has rows of ${row} values, no multiple of the ${layout.values} of a ${type} block`)
  const values = dims.reduce((product, size) => product * size, 1)
  const bytes = (values / layout.values) * layout.bytes
  if (!Number.isSafeInteger(values) || bytes > reader.remaining) {
    throw reader.error(`tensor ${name} of ${dims.join(' x ')} values is larger than the file`)
  }
  return bytes
}

function exact(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
