/** A file on disk as a byte source, for measuring. */
import { open } from 'node:fs/promises'
import type { ByteSource } from '../attention/index.ts'

/** Opens `path`, passes its bytes to `use` and closes it. */
export async function withFileBytes<T>(path: string, use: (source: ByteSource) => Promise<T>): Promise<T> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const read = async (start: number, end: number): Promise<Uint8Array> => {
      const bytes = new Uint8Array(end - start)
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
      return bytes.subarray(0, bytesRead)
    }
    return await use({ name: path, size, read })
  } finally {
    await file.close()
  }
}
