/**
 * The file of a cache. Little endian throughout: 8 bytes `SCRCACHE`; uint32 version; uint32 length of the header; the header, JSON in UTF-8;
 * position ids, int32 [tokens]; the last hidden row, float32 [hidden]; for each layer keys and then values, float32 [tokens, kvHeads headDim];
 * the SHA-256 of all bytes before it.
 */
import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { endianness } from 'node:os'
import type { KVCache } from '../attention/index.ts'
import { errorCode, ModelFileError } from '../errors/index.ts'
import { type FileSource, openFileSource } from './file-source.ts'
import type { CacheIdentity, CallContext } from './local-protocol.ts'

const magic = 'SCRCACHE'
const version = 1
/** Bytes before the header. */
const preambleBytes = 16
const checksumBytes = 32
/** Far more than a header needs; a longer one is damage. */
const longestHeader = 1 << 16

/** The fields of a header that must be those of the model, most telling first, and what they are called. */
const identityFields: readonly (readonly [keyof CacheIdentity, string])[] = [
  ['weightForm', 'weight form'],
  ['model', 'model'],
  ['layers', 'number of layers'],
  ['hidden', 'hidden width'],
  ['kvHeads', 'number of key/value heads'],
  ['headDim', 'head dimension'],
  ['ropeBase', 'base of the rotary embedding'],
]

/**
 * Writes `cache` to `temporary` and renames that to `path`, so that there is never half a file at `path`.
 *
 * @throws ModelFileError when the file cannot be written
 */
export async function writeCacheFile(path: string, temporary: string, cache: KVCache, identity: CacheIdentity): Promise<void> {
  const { lastHidden } = cache
  if (lastHidden === undefined) throw new TypeError('Cannot save a cache as it does not know its last hidden state. Prefill it first')
  try {
    await writeParts(temporary, partsOf(cache, lastHidden, identity))
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    const code = cause instanceof Error ? errorCode(cause) : ''
    if (code === '') throw cause
    const message = `Cannot save a cache as its file cannot be written (${code}): ${path}. Check the folder, its permissions and its space`
    throw new ModelFileError(message, { file: path, cause })
  }
}

/**
 * Reads a cache that `writeCacheFile` wrote into the one that `create` gives, which is not called for a file that does not belong to the model.
 *
 * @throws ModelFileError when the file is missing, of another model, weight form or version, cut short or damaged
 */
export async function readCacheFile(
  path: string,
  identity: CacheIdentity,
  create: () => Promise<KVCache>,
  { signal, progress, giveWay }: Pick<CallContext, 'signal' | 'progress' | 'giveWay'>,
): Promise<KVCache> {
  await using source = await openFileSource(path, 'cache')
  const reader = new HashedReader(source)
  const tokens = await readTokens(reader, identity)
  const positions = await reader.integers(tokens)
  const lastHidden = await reader.floats(identity.hidden)
  const size = tokens * identity.kvHeads * identity.headDim
  const cache = await create()
  try {
    for (let layer = 0; layer < identity.layers; layer++) {
      signal.throwIfAborted()
      cache.importRows(layer, { keys: await reader.floats(size), values: await reader.floats(size) }, positions)
      progress((layer + 1) / identity.layers)
      await giveWay()
    }
    await reader.checkHash()
    cache.lastHidden = lastHidden
    return cache
  } catch (error) {
    cache.dispose()
    throw error
  }
}

function* partsOf(cache: KVCache, lastHidden: Float32Array, identity: CacheIdentity): Generator<Uint8Array, undefined> {
  const header = new TextEncoder().encode(JSON.stringify({ ...identity, tokens: cache.length }))
  const preamble = new Uint8Array(preambleBytes)
  preamble.set(new TextEncoder().encode(magic))
  const view = new DataView(preamble.buffer)
  view.setUint32(8, version, true)
  view.setUint32(12, header.length, true)
  yield preamble
  yield header
  yield littleEndian(cache.positions)
  yield littleEndian(lastHidden)
  for (let layer = 0; layer < identity.layers; layer++) {
    const { keys, values } = cache.exportRows(layer)
    yield littleEndian(keys)
    yield littleEndian(values)
  }
}

async function writeParts(path: string, parts: Iterable<Uint8Array>): Promise<void> {
  const hash = createHash('sha256')
  const file = await open(path, 'w')
  try {
    for (const part of parts) {
      hash.update(part)
      await file.appendFile(part)
    }
    await file.appendFile(hash.digest())
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Checks everything before the positions, and the size of the file; gives the number of tokens. */
async function readTokens(reader: HashedReader, identity: CacheIdentity): Promise<number> {
  reader.need(preambleBytes)
  const preamble = await reader.bytes(preambleBytes)
  const found = new TextDecoder('latin1').decode(preamble.subarray(0, magic.length))
  if (found !== magic) throw reader.error(`its file is not one: it begins with ${JSON.stringify(found)}, not ${JSON.stringify(magic)}`)
  const view = new DataView(preamble.buffer)
  const foundVersion = view.getUint32(8, true)
  if (foundVersion !== version) throw reader.error(`its file has another version: ${foundVersion}, not ${version}`)
  const header = await readHeader(reader, view.getUint32(12, true))
  for (const [field, name] of identityFields) {
    if (header[field] === identity[field]) continue
    throw reader.error(`it was made with another ${name}: ${JSON.stringify(header[field])}, not ${JSON.stringify(identity[field])}`)
  }
  const tokens = header['tokens']
  if (typeof tokens !== 'number' || !Number.isInteger(tokens) || tokens < 1)
    throw reader.error(`its number of tokens is not a whole number from 1: ${JSON.stringify(tokens)}`)
  reader.needExactly(tokens * 4 + identity.hidden * 4 + identity.layers * 2 * tokens * identity.kvHeads * identity.headDim * 4)
  return tokens
}

async function readHeader(reader: HashedReader, length: number): Promise<Readonly<Record<string, unknown>>> {
  if (length > longestHeader) throw reader.error(`its header is longer than any: ${length} bytes, not up to ${longestHeader}`)
  reader.need(length)
  const text = new TextDecoder().decode(await reader.bytes(length))
  try {
    const header: unknown = JSON.parse(text)
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>
  } catch {
    // The error below says more than the parser's.
  }
  throw reader.error(`its header is not a JSON object: ${JSON.stringify(text.slice(0, 40))}`)
}

/** Reads a cache file in order, and takes the checksum of what it read. */
class HashedReader {
  readonly #source: FileSource
  readonly #hash = createHash('sha256')
  #at = 0

  constructor(source: FileSource) {
    this.#source = source
  }

  /** @throws ModelFileError when fewer than `count` bytes and a checksum are left */
  need(count: number): void {
    const end = this.#at + count + checksumBytes
    if (this.#source.size < end) throw this.error(`its file is cut short: ${this.#source.size} bytes, not ${end} or more`)
  }

  /** @throws ModelFileError when not exactly `count` bytes and a checksum are left */
  needExactly(count: number): void {
    const end = this.#at + count + checksumBytes
    if (this.#source.size === end) return
    throw this.error(`its file is ${this.#source.size < end ? 'cut short' : 'too long'}: ${this.#source.size} bytes, not ${end}`)
  }

  async bytes(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(await this.#source.read(this.#at, this.#at + count))
    this.#at += count
    this.#hash.update(bytes)
    return bytes
  }

  async integers(count: number): Promise<Int32Array> {
    return new Int32Array(nativeOrder(await this.bytes(count * 4)).buffer)
  }

  async floats(count: number): Promise<Float32Array> {
    return new Float32Array(nativeOrder(await this.bytes(count * 4)).buffer)
  }

  /** @throws ModelFileError when the checksum at the end is not that of what was read */
  async checkHash(): Promise<void> {
    const found = this.#hash.digest('hex')
    const stated = Buffer.from(await this.#source.read(this.#at, this.#at + checksumBytes)).toString('hex')
    if (found !== stated) throw this.error(`its file is damaged: its content has the SHA-256 ${found}, not ${stated}`)
  }

  error(why: string): ModelFileError {
    const { name: file } = this.#source
    return new ModelFileError(`Cannot load a cache as ${why}: ${file}. Open the cache from its text and save it again`, { file })
  }
}

/** The bytes of numbers of 4 bytes, in the order of the file. */
function littleEndian(numbers: Int32Array | Float32Array): Uint8Array {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  return endianness() === 'LE' ? bytes : nativeOrder(new Uint8Array(bytes))
}

/** Turns numbers of 4 bytes round, in place, where the machine's order is not the file's. */
function nativeOrder(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (endianness() === 'BE') Buffer.from(bytes.buffer).swap32()
  return bytes
}
