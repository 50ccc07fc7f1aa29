import { createHash } from 'node:crypto'
import { endianness } from 'node:os'
import { ModelFileError } from '../errors/index.ts'
import type { FileSource } from './file-source.ts'

export const checksumBytes = 32

/** Parts of a cache file begin at multiples of this many bytes, so that a mapped file is read in place. */
const alignment = 64

/** Bytes from `at` to the next place where a part begins. */
export function paddingAt(at: number): number {
  return (alignment - (at % alignment)) % alignment
}

/** Reads a cache file in order, and takes the checksum of what it read. */
export class HashedReader {
  readonly #source: FileSource
  readonly #hash = createHash('sha256')
  #at = 0

  constructor(source: FileSource) {
    this.#source = source
  }

  get at(): number {
    return this.#at
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

  /** The next part, of `count` bytes, and what fills up to the one after it. */
  async part(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await this.bytes(count)
    const padding = paddingAt(this.#at)
    if (padding > 0) await this.bytes(padding)
    return bytes
  }

  async integers(count: number): Promise<Int32Array> {
    return new Int32Array(nativeOrder(await this.part(count * 4)).buffer)
  }

  async floats(count: number): Promise<Float32Array> {
    return new Float32Array(nativeOrder(await this.part(count * 4)).buffer)
  }

  /**
   * @returns the checksum, hexadecimal
   * @throws ModelFileError when the checksum at the end is not that of what was read
   */
  async checkHash(): Promise<string> {
    const found = this.#hash.digest('hex')
    const stated = Buffer.from(await this.#source.read(this.#at, this.#at + checksumBytes)).toString('hex')
    if (found !== stated) throw this.error(`its file is damaged: its content has the SHA-256 ${found}, not ${stated}`)
    return found
  }

  error(why: string): ModelFileError {
    const { name: file } = this.#source
    return new ModelFileError(`Cannot load a cache as ${why}: ${file}. Open the cache from its text and save it again`, { file })
  }
}

/** The bytes of numbers of 4 bytes, in the order of the file. */
export function littleEndian(numbers: Int32Array | Float32Array): Uint8Array {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  return endianness() === 'LE' ? bytes : nativeOrder(new Uint8Array(bytes))
}

/** Turns numbers of 4 bytes round, in place, where the machine's order is not the file's. */
function nativeOrder(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (endianness() === 'BE') Buffer.from(bytes.buffer).swap32()
  return bytes
}
