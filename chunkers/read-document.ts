import { basename } from 'node:path'
import type { Document } from './document.ts'
import { documentFromBytes, type DocumentFromBytesOptions } from './document-from-bytes.ts'
import { fetchBytes, isUrl, type UrlOptions, urlName } from './fetch-bytes.ts'
import { readBytes, type ReadBytesOptions, sourceLabel } from './read-bytes.ts'

export interface ReadDocumentOptions extends ReadBytesOptions, UrlOptions, Omit<DocumentFromBytesOptions, 'name' | 'source'> {
  /** Label of the document; by default the name of the file, or `stdin`. */
  readonly name?: string
}

/**
 * Reads a file, or standard input for `-`, or an address of the web where `allowUrls` lets it. What it is, its content tells: plain text,
 * Markdown, source code, CSV, JSON and JSON Lines, SRT and WebVTT, chats of WhatsApp and Slack, mail, HTML, PDF, DOCX, PPTX, XLSX and its
 * kin, EPUB. Text is UTF-8, or UTF-16 with a byte order mark; else its encoding is guessed where there is enough of it to tell.
 *
 * @throws DocumentError says by its `reason` why the source cannot be read; MissingPackageError when the parser of the format is not installed
 */
export async function readDocument(path: string, options: ReadDocumentOptions = {}): Promise<Document> {
  const bytes = isUrl(path) ? await fetchBytes(path, options) : await readBytes(path, options)
  const { name = nameOf(path), ...rest } = options
  return documentFromBytes(bytes, { ...rest, name, source: sourceLabel(path) })
}

function nameOf(path: string): string {
  if (path === '-') return 'stdin'
  return (isUrl(path) ? urlName(path) : basename(path)) || path
}
