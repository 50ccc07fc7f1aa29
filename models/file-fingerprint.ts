import { createHash } from 'node:crypto'
import type { ByteSource } from '../attention/index.ts'

const samples = 64
const sampleBytes = 1 << 16

/**
 * A hash that tells model files apart without reading gigabytes: SHA-256 of the size and of 64 evenly spaced pieces of 64 KiB, the first and
 * the last bytes among them. Files of up to 4 MiB are read whole.
 *
 * @returns 16 hexadecimal digits
 */
export async function fileFingerprint(source: ByteSource): Promise<string> {
  const hash = createHash('sha256').update(String(source.size))
  const last = Math.max(0, source.size - sampleBytes)
  const count = Math.min(samples, Math.ceil(source.size / sampleBytes))
  for (let sample = 0; sample < count; sample++) {
    const start = count === 1 ? 0 : Math.floor((last * sample) / (count - 1))
    hash.update(await source.read(start, Math.min(source.size, start + sampleBytes)))
  }
  return hash.digest('hex').slice(0, 16)
}
