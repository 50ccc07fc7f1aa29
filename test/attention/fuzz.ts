/** Changes to files that a fuzzer makes, from a fixed seed. */
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { ByteSource } from '../../attention/index.ts'

export type Random = (below: number) => number

export function seeded(seed: number): Random {
  const generator = xoroshiro128plus(seed)
  return (below) => uniformInt(generator, 0, below - 1)
}

/** Numbers that break readers: signs, borders of types, sizes near the end of exact numbers. */
const evil: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  4n,
  8n,
  9n,
  12n,
  13n,
  31n,
  32n,
  33n,
  0x7fn,
  0x80n,
  0xffn,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  1n << 40n,
  (1n << 53n) - 1n,
  1n << 53n,
  (1n << 61n) + 1n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
  (1n << 64n) - 32n,
]

/** `bytes` with one to three changes in its first `header` bytes. */
export function mutate(bytes: Uint8Array, header: number, random: Random): Uint8Array {
  let changed: Uint8Array = bytes.slice()
  for (let count = Math.max(1, random(4)); count > 0; count--) changed = mutateOnce(changed, Math.min(header, changed.length), random)
  return changed
}

function mutateOnce(bytes: Uint8Array, header: number, random: Random): Uint8Array {
  if (header < 16) return bytes
  const at = random(header)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const number = evil[random(evil.length)]!
  switch (random(9)) {
    case 0:
      bytes[at]! ^= 1 << random(8)
      return bytes
    case 1:
      bytes[at] = random(256)
      return bytes
    case 2:
      if (at + 8 <= bytes.length) view.setBigUint64(at, number, true)
      return bytes
    case 3:
      if (at + 4 <= bytes.length) view.setUint32(at, Number(number & 0xffff_ffffn), true)
      return bytes
    case 4:
      return bytes.slice(0, random(bytes.length))
    case 5:
      // A part twice: duplicated keys, tensors and list entries.
      return joined(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 1 - random(80)), at), bytes.subarray(at))
    case 6:
      return joined(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random(40))))
    case 7: {
      const from = random(header)
      bytes.copyWithin(at, from, from + 1 + random(60))
      return bytes
    }
    default:
      // Arrays of arrays, as deep as there is room.
      for (let place = at; place + 12 <= Math.min(header, at + 12 * (1 + random(8))); place += 12) {
        view.setUint32(place, 9, true)
        view.setBigUint64(place + 4, random(3) === 0 ? number : 1n, true)
      }
      return bytes
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** A source that counts what is asked of it. */
export class CountingSource implements ByteSource {
  readonly name = 'fuzzed'
  readonly size: number
  readonly #bytes: Uint8Array
  /** Bytes of all reads. */
  total = 0
  /** Bytes of the largest read. */
  largest = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.size = bytes.length
  }

  read(start: number, end: number): Promise<Uint8Array> {
    if (!(start >= 0 && start <= end && end <= this.size)) throw new Error(`a read outside the file: ${start} to ${end} of ${this.size}`)
    this.total += end - start
    this.largest = Math.max(this.largest, end - start)
    return Promise.resolve(this.#bytes.subarray(start, end))
  }
}

/** Values in what a reader gave, at any depth; a string counts as its length. */
export function countValues(value: unknown): number {
  if (typeof value === 'string') return 1 + value.length
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countValues(item), 1)
  return 1
}
