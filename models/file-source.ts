import { open, type FileHandle } from 'node:fs/promises'
import type { ByteSource } from '../attention/index.ts'
import { ModelFileError } from '../errors/index.ts'

/** A file opened for reads at any place. */
export interface FileSource extends ByteSource {
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Opens a model file, or another that belongs to a model: `what` names it in errors.
 *
 * @throws ModelFileError when the path does not lead to a file that can be read
 */
export async function openFileSource(path: string, what = 'model'): Promise<FileSource> {
  const handle = await openHandle(path, what)
  try {
    const found = await handle.stat()
    if (!found.isFile())
      throw new ModelFileError(`Cannot open a ${what} as its path does not lead to a file: ${path}. Give the path of a file`, {
        file: path,
      })
    return fileSource(path, found.size, handle)
  } catch (cause) {
    await handle.close()
    throw cause
  }
}

async function openHandle(path: string, what: string): Promise<FileHandle> {
  try {
    return await open(path, 'r')
  } catch (cause) {
    throw new ModelFileError(`Cannot open a ${what} as its file ${reasonOf(cause)}: ${path}. Check the path and its permissions`, {
      file: path,
      cause,
    })
  }
}

function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code
  return code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
}

function fileSource(path: string, size: number, handle: FileHandle): FileSource {
  const close = (): Promise<void> => handle.close()
  return { name: path, size, read: (start, end) => readRange(path, handle, start, end), close, [Symbol.asyncDispose]: close }
}

async function readRange(path: string, handle: FileHandle, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start)
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled)
    if (bytesRead === 0) {
      throw new ModelFileError(
        `Cannot read a model file as it ends at byte ${start + filled} of ${end}: ${path}. Copy or install it again`,
        { file: path },
      )
    }
    filled += bytesRead
  }
  return bytes
}
