/**
 * What the libraries below the loaders do alone: the text of a file and nothing that says where it stands. LangChain's own loaders of these formats are thin
 * layers over such calls (PDFLoader: pdf.js, DocxLoader: mammoth, JSONLoader: JSON.parse); they are in packages that are not installed here.
 */
import { readFile } from 'node:fs/promises'
import { read, utils } from '@e965/xlsx'
import { parse } from 'csv-parse/sync'
import { unzipSync } from 'fflate'
import { parseHTML } from 'linkedom'
import { simpleParser } from 'mailparser'
import mammoth from 'mammoth'

type BareLoader = (bytes: Buffer) => string | Promise<string>

const decode = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
const textOf = (html: string): string =>
  (parseHTML(html) as unknown as { document: { body: { textContent: string } } }).document.body.textContent

/** By extension. Formats that are plain text are decoded. */
const LOADERS: Readonly<Record<string, BareLoader>> = {
  csv: (bytes) => {
    const [head = [], ...rows] = parse(decode(bytes), { relax_column_count: true })
    return rows.map((row) => row.map((cell, at) => `${head[at]}: ${cell}`).join('\n')).join('\n\n')
  },
  docx: async (bytes) => (await mammoth.extractRawText({ buffer: bytes })).value,
  epub: (bytes) =>
    markupIn(bytes, /\.xhtml$/)
      .map(textOf)
      .join('\n\n'),
  html: (bytes) => textOf(decode(bytes)),
  json: (bytes) => JSON.stringify(JSON.parse(decode(bytes))),
  mbox: async (bytes) => {
    const texts: string[] = []
    for (const mail of decode(bytes)
      .split(/^From .*\n/m)
      .slice(1))
      texts.push((await simpleParser(mail)).text ?? '')
    return texts.join('\n\n')
  },
  pdf: bareText,
  pptx: (bytes) =>
    markupIn(bytes, /^ppt\/(?:slides|notesSlides)\/[^/]+\.xml$/)
      .map((xml) => [...xml.matchAll(/<a:t>([^<]*)/g)].map(([, text]) => text).join('\n'))
      .join('\n\n'),
  xlsx: (bytes) => {
    const book = read(bytes, { type: 'buffer' })
    return book.SheetNames.map((name) => utils.sheet_to_csv(book.Sheets[name]!)).join('\n\n')
  },
}

export async function readBare(path: string): Promise<string> {
  const bytes = await readFile(path)
  return (LOADERS[path.slice(path.lastIndexOf('.') + 1)] ?? decode)(bytes)
}

function markupIn(bytes: Uint8Array, names: RegExp): string[] {
  return Object.values(unzipSync(bytes, { filter: ({ name }) => names.test(name) })).map(decode)
}

/** The pieces of each page, joined as they come. */
async function bareText(bytes: Uint8Array): Promise<string> {
  const globals = globalThis as { DOMMatrix?: unknown; Path2D?: unknown; ImageData?: unknown }
  globals.DOMMatrix ??= Object
  globals.Path2D ??= Object
  globals.ImageData ??= Object
  const { getDocument, VerbosityLevel } = await import('pdfjs-dist/legacy/build/pdf.mjs')
  const pdf = await getDocument({
    data: new Uint8Array(bytes),
    verbosity: VerbosityLevel.ERRORS,
    disableFontFace: true,
    useSystemFonts: false,
  }).promise
  const pages: string[] = []
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pdf.getPage(number)
    const { items } = await page.getTextContent()
    pages.push(items.map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : '')).join(''))
    page.cleanup()
  }
  await pdf.loadingTask.destroy()
  return pages.join('\n\n')
}
