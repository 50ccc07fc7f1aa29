import { DocumentError } from '../../errors/index.ts'
import { isMarkdownName } from '../find-sections.ts'
import { isMail } from './load-mail.ts'
import { encrypted, unsupported } from './refusals.ts'
import type { ThreadFormat } from './thread-loaders.ts'
import { openArchive } from './unzip.ts'

/** Bytes that tell what a file is. */
const HEAD = 4_100
/** The mark of a PDF may stand behind other bytes (ISO 32000-1, annex H.3). */
const PDF_MARK_WITHIN = 1_024
/** Bytes of the file `mimetype` of an ODF archive (ODF 1.3, part 2, 3.3). */
const LONGEST_TYPE = 1_000

/**
 * Tells by its content what a source is; by its name only where content leaves it open. `text` stands for everything that is decoded first.
 *
 * @throws DocumentError `unsupported`, `binary`, `encrypted` or `damaged`
 */
export async function detectFormat(bytes: Uint8Array, name: string, source: string): Promise<ThreadFormat | 'text'> {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD))
  const start = head.toString('latin1')
  if (start.startsWith('PK\u0003\u0004') || start.startsWith('PK\u0005\u0006')) return archiveFormat(bytes, source)
  if (start.startsWith('\u00D0\u00CF\u0011\u00E0')) return compoundFormat(bytes, source)
  if (start.slice(0, PDF_MARK_WITHIN).includes('%PDF-') && !isPlain(head, '%PDF-')) return 'pdf'
  if (start.startsWith('{\\rtf')) throw unsupported(source, 'it is RTF, which is not read', 'save it as DOCX')
  if (isBinary(head)) await refuseBinary(head, source)
  const utf16 = utf16Of(head)
  const text = utf16 === undefined ? start.replace(/^\u00EF\u00BB\u00BF/, '') : new TextDecoder(utf16).decode(head)
  if (isHtml(text.trimStart(), name)) return 'html'
  return utf16 === undefined && isMail(text.trimStart()) ? 'mail' : 'text'
}

/** By its byte order mark. */
function utf16Of(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  return head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : undefined
}

/** A text that speaks of a PDF is none: the mark stands at its very beginning, or bytes that are no text come before it. */
function isPlain(head: Buffer, mark: string): boolean {
  const at = head.indexOf(mark)
  return at > 0 && !isBinary(head.subarray(0, at))
}

function archiveFormat(bytes: Uint8Array, source: string): ThreadFormat {
  const archive = openArchive(bytes, { source, maxBytes: LONGEST_TYPE })
  const { names } = archive
  if (archive.has('word/document.xml') || names.some((name) => /^word\/document\d*\.xml$/.test(name))) return 'docx'
  if (archive.has('ppt/presentation.xml')) return 'pptx'
  if (names.some((name) => /^xl\/workbook\.(?:xml|bin)$/.test(name))) return 'sheets'
  if (archive.has('META-INF/container.xml')) return 'epub'
  const type = Buffer.from(archive.file('mimetype') ?? [])
    .toString('latin1')
    .trim()
  if (type === 'application/vnd.oasis.opendocument.spreadsheet') return 'sheets'
  if (type.startsWith('application/vnd.oasis.opendocument'))
    throw unsupported(source, `it is ${type}, which is not read`, 'save it as DOCX or PPTX')
  throw unsupported(
    source,
    'it is a ZIP archive of none of the kinds that are read (DOCX, PPTX, XLSX, ODS, EPUB)',
    'unpack it and name its files',
  )
}

/** Kinds of compound files, by the names in their directory, which are UTF-16. */
function compoundFormat(bytes: Uint8Array, source: string): ThreadFormat {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const holds = (name: string): boolean => file.includes(Buffer.from(`${name}\0`, 'utf16le'))
  if (holds('EncryptedPackage')) throw encrypted(source, 'remove its password first')
  if (holds('Workbook') || holds('Book')) return 'sheets'
  if (holds('WordDocument')) throw unsupported(source, 'it is an old Word file (DOC), which is not read', 'save it as DOCX')
  if (holds('PowerPoint Document')) throw unsupported(source, 'it is an old PowerPoint file (PPT), which is not read', 'save it as PPTX')
  throw unsupported(source, 'it is an old Office file of a kind that is not read', 'save it in a newer format')
}

/** NULs or control characters that no text has; UTF-16 with its mark is text. */
function isBinary(head: Buffer): boolean {
  return utf16Of(head) === undefined && head.some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27))
}

/** What is known to be no text; the rest is left to the decoder, which says where it fails. */
async function refuseBinary(head: Buffer, source: string): Promise<void> {
  const { fileTypeFromBuffer } = await import('file-type')
  const type = await fileTypeFromBuffer(head).catch(() => undefined)
  if (!type || /^text\/|xml$/.test(type.mime)) return
  throw new DocumentError(`Cannot read ${source} as it is no text (${type.mime}): convert it to plain text first`, {
    reason: 'binary',
    source,
  })
}

function isHtml(start: string, name: string): boolean {
  if (isMarkdownName(name)) return false
  const inner = start.replace(/^(?:<\?xml[^>]*\?>|<!--[\s\S]*?-->|\s)+/, '')
  if (/^<(?:!doctype\s+html|html|head|body)\b/i.test(inner)) return true
  return /\.x?html?$/i.test(name) && inner.startsWith('<')
}
