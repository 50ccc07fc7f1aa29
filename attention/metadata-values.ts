/** Values of the metadata of a model file, checked. Keys are those that follow the architecture's name. */
import type { GgufFile } from './gguf.ts'
import { modelFileError, shown } from './header-reader.ts'

/** Largest plausible value of any size in the metadata; the tensors are checked against the file besides. */
const mostSize = 1 << 24

/** Reads metadata of one file. Each method throws a ModelFileError that names the key where a value is missing or cannot be. */
export class MetadataValues {
  readonly #file: GgufFile
  readonly #prefix: string

  /** @param prefix what stands before each key, for instance `llama.` */
  constructor(file: GgufFile, prefix: string) {
    this.#file = file
    this.#prefix = prefix
  }

  has(key: string): boolean {
    return this.#file.metadata.has(this.#prefix + key)
  }

  raw(key: string): unknown {
    return this.#file.metadata.get(this.#prefix + key)
  }

  /** A whole number from 1 on. */
  size(key: string, fallback?: number): number {
    const value = this.#known(key, fallback)
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= mostSize) return value
    return this.refuse(`${this.#prefix}${key} is not a whole number from 1 to ${mostSize}: ${shown(value)}`)
  }

  /** A number above 0. */
  real(key: string, fallback?: number): number {
    const value = this.#known(key, fallback)
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
    return this.refuse(`${this.#prefix}${key} is not a positive number: ${shown(value)}`)
  }

  text(key: string, fallback?: string): string {
    const value = this.#known(key, fallback)
    return typeof value === 'string' ? value : this.refuse(`${this.#prefix}${key} is not text: ${shown(value)}`)
  }

  /** Whether the value is there and is neither 0 nor false: what a file says when a feature is off. */
  isOn(key: string): boolean {
    const value = this.raw(key)
    return value !== undefined && value !== 0 && value !== false
  }

  refuse(why: string): never {
    throw modelFileError(this.#file.source, why)
  }

  #known(key: string, fallback: unknown): unknown {
    const value = this.raw(key) ?? fallback
    return value === undefined ? this.refuse(`its metadata lack ${this.#prefix}${key}`) : value
  }
}
