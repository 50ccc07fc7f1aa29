import { type FileHandle, open } from 'node:fs/promises'
import { DocumentError, type DocumentErrorReason } from '../errors/index.ts'

export interface ReadBytesOptions {
  /** Where `-` reads from; `process.stdin` by default. */
  readonly stdin?: AsyncIterable<Uint8Array | string>
  /** Largest source, in bytes; 256 MiB by default. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

/** Bytes read at once; between two slices the signal is looked at. */
const SLICE = 1 << 20

/** 256 MiB. */
export const DEFAULT_MAX_BYTES = 268_435_456

/**
 * Reads a file whole, or standard input for `-`.
 *
 * @throws DocumentError `not-found`, `not-a-file`, `unreadable` or `too-large`; the signal's reason
 */
export async function readBytes(path: string, options: ReadBytesOptions = {}): Promise<Buffer> {
  const { maxBytes = DEFAULT_MAX_BYTES, signal, stdin = process.stdin } = options
  signal?.throwIfAborted()
  const source = sourceLabel(path)
  return collect(path === '-' ? abortable(stdin, signal) : fileSlices(path, maxBytes), { source, maxBytes, signal })
}

/** What a path is called in messages. */
export function sourceLabel(path: string): string {
  return path === '-' ? 'standard input' : path
}

/** Joins the slices of a stream, up to a limit. */
export async function collect(
  slices: AsyncIterable<Uint8Array | string>,
  { source, maxBytes, signal }: { readonly source: string; readonly maxBytes: number; readonly signal: AbortSignal | undefined },
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const slice of slices) {
    signal?.throwIfAborted()
    const part = typeof slice === 'string' ? Buffer.from(slice) : slice
    bytes += part.length
    if (bytes > maxBytes) throw tooLarge(source, `more than ${maxBytes}`, maxBytes)
    parts.push(part)
  }
  signal?.throwIfAborted()
  return Buffer.concat(parts)
}

async function* fileSlices(path: string, maxBytes: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw openError(path, cause)
  })
  try {
    const status = await file.stat()
    if (status.isDirectory()) throw notAFile(path)
    if (status.isFile() && status.size > maxBytes) throw tooLarge(path, `${status.size}`, maxBytes)
    yield* readSlices(file, path)
  } finally {
    await file.close()
  }
}

async function* readSlices(file: FileHandle, path: string): AsyncGenerator<Uint8Array> {
  for (;;) {
    // One buffer a slice, as the slices are kept.
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(SLICE), 0, SLICE, null).catch((cause: unknown) => {
      throw openError(path, cause)
    })
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

function openError(path: string, cause: unknown): DocumentError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
  if (code === 'EISDIR') return notAFile(path, cause)
  const [reason, why, hint] = OPEN_ERRORS[code] ?? ['unreadable', `the system says ${code}`, 'check the file']
  return new DocumentError(`Cannot read ${path} as ${why}: ${hint}`, { reason, source: path, cause })
}

const OPEN_ERRORS: Readonly<Record<string, readonly [reason: DocumentErrorReason, why: string, hint: string]>> = {
  ENOENT: ['not-found', 'there is no such file', 'check the path'],
  ENOTDIR: ['not-found', 'a part of its path is no directory', 'check the path'],
  ENAMETOOLONG: ['not-found', 'its name is too long', 'check the path'],
  EACCES: ['unreadable', 'permission is denied', 'change the permissions of the file and its directories'],
  EPERM: ['unreadable', 'permission is denied', 'change the permissions of the file and its directories'],
}

function notAFile(path: string, cause?: unknown): DocumentError {
  return new DocumentError(`Cannot read ${path} as it is a directory: name its files`, { reason: 'not-a-file', source: path, cause })
}

export function tooLarge(source: string, size: string, limit: number, cause?: unknown): DocumentError {
  return new DocumentError(
    `Cannot read ${source} as its size is above the limit of ${limit} bytes: ${size} bytes. Part it, or raise maxBytes`,
    {
      reason: 'too-large',
      source,
      cause,
    },
  )
}

/** Passes a stream on, and rejects with the signal's reason while it waits for more. */
async function* abortable<T>(stream: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  if (!signal) {
    yield* stream
    return
  }
  let abort = (): void => {}
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
  })
  // The race below observes it; without a read under way nobody does.
  aborted.catch(() => {})
  const iterator = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted])
      if (next.done) return
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // Not awaited: a stream that hangs in `next` would hang here too.
    void Promise.resolve(iterator.return?.()).catch(() => {})
  }
}
