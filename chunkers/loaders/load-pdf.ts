import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type * as pdfjsModule from 'pdfjs-dist'
import type { PDFDocumentProxy } from 'pdfjs-dist/types/src/display/api.js'
import { loadOptional } from '../../errors/index.ts'
import type { LoadContext, LoadedText } from './loaded-text.ts'
import { assemblePages, type ReadPage } from './pdf/assemble-pages.ts'
import { pageImages } from './pdf/page-images.ts'
import { pageLines } from './pdf/page-lines.ts'
import { readOutline } from './pdf/read-outline.ts'
import { readPage } from './pdf/read-page.ts'
import { damaged, encrypted, messageOf, withoutText } from './refusals.ts'

type Pdfjs = typeof pdfjsModule

/** A page with fewer letters than this and with a picture is taken for a scan. */
const FEW_LETTERS = 16
/** Where the end mark of a PDF stands, in bytes from its end. */
const TAIL = 2048

/** Reads a PDF: text in reading order with its pages, the boxes of its lines and its outline. Runs in a thread of its own, as it blocks. */
export async function loadPdf(bytes: Uint8Array, context: LoadContext): Promise<LoadedText> {
  const { source } = context
  if (!tailOf(bytes).includes('%%EOF')) throw damaged(source, 'it ends without its end mark, so it is cut short')
  const pdfjs = await loadPdfjs(source)
  const pdf = await open(pdfjs, bytes, context)
  try {
    const pages = await readPages(pdfjs, pdf, context)
    const outline = await readOutline(
      pdf,
      pages.map(({ height }) => height),
    )
    const loaded = assemblePages(pages, outline, await titleOf(pdf))
    const notes = notesOf(pages, source, loaded.text)
    return { ...loaded, notes: [...(loaded.notes ?? []), ...notes] }
  } finally {
    await pdf.loadingTask.destroy()
  }
}

/** Without the NULs that some disks and mail programs fill files up with. */
function tailOf(bytes: Uint8Array): Buffer {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return Buffer.from(bytes.subarray(Math.max(0, end - TAIL), end))
}

/** The build for Node. It wants classes of a browser for drawing, which nothing here does. */
async function loadPdfjs(source: string): Promise<Pdfjs> {
  const globals = globalThis as { DOMMatrix?: unknown; Path2D?: unknown; ImageData?: unknown }
  globals.DOMMatrix ??= Object
  globals.Path2D ??= Object
  globals.ImageData ??= Object
  return loadOptional('pdfjs-dist', `read ${source}`, () => import('pdfjs-dist/legacy/build/pdf.mjs') as Promise<Pdfjs>)
}

async function open(
  { getDocument, VerbosityLevel }: Pdfjs,
  bytes: Uint8Array,
  { source, password }: LoadContext,
): Promise<PDFDocumentProxy> {
  const folder = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'))
  const task = getDocument({
    // A copy, as the buffer is taken away.
    data: new Uint8Array(bytes),
    cMapUrl: join(folder, 'cmaps/'),
    cMapPacked: true,
    standardFontDataUrl: join(folder, 'standard_fonts/'),
    wasmUrl: join(folder, 'wasm/'),
    disableFontFace: true,
    useSystemFonts: false,
    isOffscreenCanvasSupported: false,
    isImageDecoderSupported: false,
    verbosity: VerbosityLevel.ERRORS,
    ...(password === undefined ? {} : { password }),
  })
  return task.promise.catch((cause: unknown) => {
    if (cause instanceof Error && cause.name === 'PasswordException') {
      throw encrypted(source, password === undefined ? 'give its password' : 'the password is wrong', cause)
    }
    throw damaged(source, `it is no PDF that can be made out (${messageOf(cause)})`, cause)
  })
}

async function readPages(pdfjs: Pdfjs, pdf: PDFDocumentProxy, context: LoadContext): Promise<ReadPage[]> {
  const labels = await pdf.getPageLabels().catch(() => null)
  const pages: ReadPage[] = []
  for (let number = 1; number <= pdf.numPages; number++) {
    pages.push(await readOne(pdfjs, pdf, number, labels?.[number - 1] ?? undefined, context))
  }
  return pages
}

async function readOne(
  pdfjs: Pdfjs,
  pdf: PDFDocumentProxy,
  number: number,
  label: string | undefined,
  context: LoadContext,
): Promise<ReadPage> {
  const { source, ocr } = context
  const page = await pdf.getPage(number).catch((cause: unknown) => {
    throw damaged(source, `its page ${number} is missing (${messageOf(cause)})`, cause)
  })
  const text = await readPage(page)
  const { width, height, turned, vertical } = text
  const lines = pageLines(text, number)
  const letters = lines.reduce((sum, line) => sum + line.text.length, 0)
  const pictures = letters < FEW_LETTERS ? await pageImages(page, pdfjs.OPS, ocr !== undefined) : undefined
  const scanned = pictures !== undefined && pictures.count > 0
  const read = scanned && ocr ? await ocr({ source, number, width, height, images: pictures.images }) : undefined
  page.cleanup()
  return {
    number,
    width,
    height,
    turned,
    vertical,
    lines,
    scanned,
    ...(label === undefined || label === String(number) ? {} : { label }),
    ...(read === undefined ? {} : { ocr: read }),
  }
}

async function titleOf(pdf: PDFDocumentProxy): Promise<string | undefined> {
  const { info } = await pdf.getMetadata().catch(() => ({ info: undefined }))
  const title: unknown = info && Reflect.get(info, 'Title')
  return typeof title === 'string' && title.trim() !== '' ? title.trim() : undefined
}

/** @throws DocumentError `empty` when no page has text */
function notesOf(pages: readonly ReadPage[], source: string, text: string): string[] {
  const unread = pages.filter(({ scanned, ocr }) => scanned && !ocr?.trim()).map(({ number }) => number)
  if (text.trim() === '') {
    const why =
      unread.length > 0 ? `its ${pages.length} pages are pictures of pages, without text` : `its ${pages.length} pages hold no text`
    throw withoutText(source, why, unread.length > 0 ? 'run OCR on it first, or give an ocr function' : 'give a source with text')
  }
  if (unread.length === 0) return []
  const list = unread.length > 20 ? `${unread.slice(0, 20).join(', ')} and ${unread.length - 20} more` : unread.join(', ')
  return [
    `${unread.length === 1 ? 'Page' : 'Pages'} ${list} of ${pages.length} ${unread.length === 1 ? 'is a picture' : 'are pictures'} without text`,
  ]
}
