import { constants } from 'node:buffer'
import { DocumentError } from '../errors/index.ts'
import { createDocument, type DocumentInit } from './create-document.ts'
import type { Document } from './document.ts'
import { decodeBytes } from './loaders/decode-bytes.ts'
import { detectFormat } from './loaders/detect-format.ts'
import type { ScannedPage } from './loaders/loaded-text.ts'
import { loadText } from './loaders/load-text.ts'
import { runLoader } from './loaders/run-loader.ts'
import { DEFAULT_MAX_BYTES, tooLarge } from './read-bytes.ts'

export interface DocumentFromBytesOptions {
  /** Label of the document, such as a file name; its extension helps where content alone does not tell the format. */
  readonly name: string
  /** Path or label in messages; `name` by default. */
  readonly source?: string
  /** Encoding of a text, such as `windows-1252`; found out by default. */
  readonly encoding?: string
  /** Opens an encrypted PDF. */
  readonly password?: string
  /** Reads a page that is a picture. Without it such pages stay empty and are listed in the document's notes. */
  readonly ocr?: (page: ScannedPage) => Promise<string>
  /** Most bytes that a compressed source may become; 256 MiB by default. */
  readonly maxBytes?: number
  /** Milliseconds that parsing may take; two minutes by default. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/**
 * Makes a document of the bytes of a file. The formats are those of `readDocument`.
 *
 * @throws DocumentError, MissingPackageError as `readDocument`
 */
export async function documentFromBytes(bytes: Uint8Array, options: DocumentFromBytesOptions): Promise<Document> {
  const { name, source = name } = options
  options.signal?.throwIfAborted()
  const format = await detectFormat(bytes, name, source)
  const init: DocumentInit =
    format === 'text'
      ? await loadText(await decode(bytes, source, options), name, source)
      : { ...(await runLoader(format, bytes, loaderOptions(source, options))), name, format: format === 'sheets' ? 'xlsx' : format }
  if (init.text.trim() === '') throw empty(source, init.text === '' ? 'it is empty' : 'it holds nothing but white space')
  return createDocument(init)
}

async function decode(
  bytes: Uint8Array,
  source: string,
  { encoding, maxBytes = DEFAULT_MAX_BYTES }: DocumentFromBytesOptions,
): Promise<string> {
  let text
  try {
    text = await decodeBytes(bytes, source, { encoding })
  } catch (cause) {
    // V8 refuses a longer string with a RangeError.
    if (!(cause instanceof RangeError) || bytes.length < constants.MAX_STRING_LENGTH / 2) throw cause
    throw tooLarge(source, `${bytes.length}`, Math.min(maxBytes, constants.MAX_STRING_LENGTH), cause)
  }
  if (text.trim() === '') throw empty(source, text === '' ? 'it is empty' : 'it holds nothing but white space')
  return text
}

function empty(source: string, why: string): DocumentError {
  return new DocumentError(`Cannot read ${source} as ${why}: give a source with text`, { reason: 'empty', source })
}

function loaderOptions(source: string, options: DocumentFromBytesOptions): Parameters<typeof runLoader>[2] {
  const { maxBytes = DEFAULT_MAX_BYTES, timeout = 120_000, password, ocr, signal } = options
  return {
    source,
    maxBytes,
    timeout,
    ...(password === undefined ? {} : { password }),
    ...(ocr === undefined ? {} : { ocr }),
    ...(signal === undefined ? {} : { signal }),
  }
}
