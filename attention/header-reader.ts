/** Sequential reading of a file's header through a byte source, with every length checked against what is left of the file. */
import { ModelFileError } from '../errors/index.ts'
import type { ByteSource } from './runtime.ts'

const sliceBytes = 1 << 20

/** Longest string that is read: far above any template or token, and below what a string can hold. */
const mostStringBytes = 1 << 28

/** Reads little-endian values in order. Nothing is allocated for a length before it is known to fit in the file. */
export class HeaderReader {
  readonly #source: ByteSource
  readonly #decoder: InstanceType<typeof TextDecoder> = new TextDecoder()
  #bytes: Uint8Array = new Uint8Array(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #start = 0
  #offset = 0

  constructor(source: ByteSource) {
    this.#source = source
  }

  /** Place in the file of the next byte to be read. */
  get position(): number {
    return this.#start + this.#offset
  }

  /** Bytes from here to the end of the file. */
  get remaining(): number {
    return this.#source.size - this.position
  }

  /** True when `count` bytes are at hand, so that the read that follows needs no waiting. */
  has(count: number): boolean {
    return this.#bytes.length - this.#offset >= count
  }

  /**
   * Makes `count` bytes available.
   * @throws ModelFileError when the file ends before them
   */
  async fill(count: number, what: string): Promise<void> {
    if (count > this.remaining)
      throw this.error(`${what} at byte ${this.position} needs ${count} bytes and the file has ${this.remaining} left`)
    const start = this.position
    const end = Math.min(this.#source.size, start + Math.max(count, sliceBytes))
    const bytes = await this.#source.read(start, end)
    if (bytes.length < count) throw this.error(`${what} at byte ${start} needs ${count} bytes and ${bytes.length} could be read`)
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#start = start
    this.#offset = 0
  }

  async uint32(what: string): Promise<number> {
    if (!this.has(4)) await this.fill(4, what)
    return this.take(4, (view, at) => view.getUint32(at, true))
  }

  /** An unsigned 64-bit integer that must be small enough to be exact as a number. */
  async uint64(what: string): Promise<number> {
    if (!this.has(8)) await this.fill(8, what)
    const value = this.take(8, (view, at) => view.getBigUint64(at, true))
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.error(`${what} at byte ${this.position - 8} is absurd: ${value}`)
    return Number(value)
  }

  async string(what: string): Promise<string> {
    const length = await this.uint64(`the length of ${what}`)
    if (length > this.remaining)
      throw this.error(`${what} at byte ${this.position} claims ${length} bytes and the file has ${this.remaining} left`)
    if (length > mostStringBytes) throw this.error(`${what} is longer than ${mostStringBytes} bytes: ${length}`)
    if (!this.has(length)) await this.fill(length, what)
    const text = this.#decoder.decode(this.#bytes.subarray(this.#offset, this.#offset + length))
    this.#offset += length
    return text
  }

  /** Reads a value of `count` bytes that are at hand. */
  take<T>(count: number, read: (view: DataView, at: number) => T): T {
    const value = read(this.#view, this.#offset)
    this.#offset += count
    return value
  }

  /** An error about this file; `why` completes "Cannot read the model file ... as". */
  error(why: string): ModelFileError {
    return modelFileError(this.#source, why)
  }
}

/** An error about a model file; `why` completes "Cannot read the model file ... as". */
export function modelFileError(source: ByteSource, why: string): ModelFileError {
  return new ModelFileError(`Cannot read the model file ${source.name} as ${why}. Check its size and hash, or fetch it again`, {
    file: source.name,
  })
}

/** A value from a file for a message; lists are named, as they can be long. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`
  return typeof value === 'string' ? value : JSON.stringify(typeof value === 'bigint' ? Number(value) : value)
}
