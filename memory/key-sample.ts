/** Most keys of a sample. */
const MOST = 2_048

/** A sample of keys as they come and go, which neither their order nor their distance decides: all of them while they are few. */
export class KeySample {
  readonly keys: Set<number> = new Set()
  /** Keys whose hash is below it belong to the sample. */
  #below = 2 ** 32

  add(key: number): void {
    if (hashOf(key) >= this.#below) return
    this.keys.add(key)
    while (this.keys.size > MOST) this.#thin()
  }

  delete(key: number): void {
    this.keys.delete(key)
  }

  #thin(): void {
    this.#below /= 2
    for (const key of this.keys) if (hashOf(key) >= this.#below) this.keys.delete(key)
  }
}

/** 32 bits that every bit of the key changes (the finaliser of MurmurHash3). */
function hashOf(key: number): number {
  let value = Math.imul(key ^ (key >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
