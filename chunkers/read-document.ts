import { constants } from 'node:buffer'
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { DocumentError, type DocumentErrorReason } from '../errors/index.ts'
import { createDocument } from './create-document.ts'
import { decodeText } from './decode-text.ts'
import type { Document } from './document.ts'
import { findSections } from './find-sections.ts'
import { findTitle } from './find-title.ts'

export interface ReadDocumentOptions {
  /** Where `-` reads from; `process.stdin` by default. */
  readonly stdin?: AsyncIterable<Uint8Array | string>
  /** Largest source, in bytes; 256 MiB by default. */
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

/** Bytes read at once; between two slices the signal is looked at. */
const SLICE = 1 << 20

/**
 * Reads a file of plain text or Markdown, or standard input for `-`. UTF-8, with or without a byte order mark, or UTF-16 with one; any
 * other encoding is refused, never guessed. The document's name is the file's name (`stdin` for `-`), its title is found where the text tells it.
 *
 * @throws DocumentError `not-found`, `not-a-file`, `unreadable`, `empty`, `binary`, `encoding` or `too-large`
 */
export async function readDocument(path: string, options: ReadDocumentOptions = {}): Promise<Document> {
  const { maxBytes = 256 * 2 ** 20, signal, stdin = process.stdin } = options
  signal?.throwIfAborted()
  const source = path === '-' ? 'standard input' : path
  const slices = path === '-' ? abortable(stdin, signal) : fileSlices(path, maxBytes)
  const text = await decode(slices, source, maxBytes, signal)
  if (text.trim() === '') {
    const what = text === '' ? 'it is empty' : 'it holds nothing but white space'
    throw new DocumentError(`Cannot read ${source} as ${what}: give a source with text`, { reason: 'empty', source })
  }
  const name = path === '-' ? 'stdin' : basename(path)
  const sections = findSections(text, { name })
  return createDocument({ text, name, sections, title: findTitle(text, name, sections) })
}

async function decode(
  slices: AsyncIterable<Uint8Array | string>,
  source: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const decoding = decodeText(source)
  let bytes = 0
  for await (const slice of slices) {
    signal?.throwIfAborted()
    const part = typeof slice === 'string' ? Buffer.from(slice) : slice
    bytes += part.length
    if (bytes > maxBytes) throw tooLarge(source, `more than ${maxBytes}`, maxBytes)
    decoding.add(part)
  }
  signal?.throwIfAborted()
  try {
    return decoding.end()
  } catch (cause) {
    // V8 refuses a longer string with a RangeError.
    if (!(cause instanceof RangeError)) throw cause
    throw tooLarge(source, `${bytes}`, Math.min(maxBytes, constants.MAX_STRING_LENGTH), cause)
  }
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
  const buffer = Buffer.allocUnsafe(SLICE)
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, SLICE, null).catch((cause: unknown) => {
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

function tooLarge(source: string, size: string, limit: number, cause?: unknown): DocumentError {
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
