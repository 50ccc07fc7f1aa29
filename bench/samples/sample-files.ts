/** Files of every format, made from a seed, of about so many bytes of text. */
import { haystack } from '../haystack.ts'
import { makeDocx, makeEpub, makePptx, makeXlsx, paragraph, wordTable } from './make-office.ts'
import { lines, makePdf, type PdfPage } from './make-pdf.ts'

export interface SampleFile {
  /** With the extension of its format. */
  readonly name: string
  readonly bytes: Buffer
}

type Maker = (bytes: number, seed: number) => string | Buffer

const PARAGRAPH = 600
const SLIDE = 400
const PAGE_LINES = 46
const LINE = 88

/** Makers of the formats, by extension. */
const MAKERS: Readonly<Record<string, Maker>> = {
  txt: (bytes, seed) => paragraphs(bytes, seed).join('\n\n'),
  md: (bytes, seed) =>
    paragraphs(bytes, seed)
      .map((text, at) => `## Part ${at}\n\nA **bold** word. ${text}\n\n- one\n- two\n`)
      .join('\n'),
  ts: (bytes, seed) =>
    paragraphs(bytes, seed)
      .map((text, at) => `export const text${at} = '${text}'\n`)
      .join(''),
  csv: (bytes, seed) =>
    ['name,place,"what, when"', ...paragraphs(bytes, seed, 80).map((text, at) => `row ${at},${at % 97},"${text}"`)].join('\n'),
  json: (bytes, seed) => JSON.stringify(paragraphs(bytes, seed), null, 1),
  srt: (bytes, seed) =>
    paragraphs(bytes, seed, 80)
      .map((text, at) => `${at + 1}\n${clock(at * 3)},000 --> ${clock(at * 3 + 2)},500\n${text}\n`)
      .join('\n'),
  chat: (bytes, seed) =>
    paragraphs(bytes, seed, 80)
      .map((text, at) => `[12/03/2024, ${clock(at % 86_400)}] ${at % 2 === 0 ? 'Ishmael' : 'Queequeg'}: ${text}`)
      .join('\n'),
  mbox: (bytes, seed) =>
    paragraphs(bytes, seed)
      .map(
        (text, at) =>
          `From a@example.org Tue Mar 12 14:05:22 2024\nFrom: Ishmael <a@example.org>\nTo: b@example.org\nSubject: Mail ${at}\nDate: Tue, 12 Mar 2024 14:05:22 +0000\n\n${text}\n`,
      )
      .join('\n'),
  html: (bytes, seed) =>
    `<!doctype html><html><head><title>Sample</title></head><body><nav>Menu</nav><article>${paragraphs(bytes, seed)
      .map((text, at) => `<h2>Part ${at}</h2><p>${text}</p>`)
      .join('')}</article></body></html>`,
  docx: (bytes, seed) =>
    makeDocx(
      paragraphs(bytes, seed)
        .map((text, at) => (at % 20 === 0 ? paragraph(`Part ${at}`, { style: 'Heading1' }) : '') + paragraph(text))
        .join('') +
        wordTable([
          ['Name', 'Rank'],
          ['Ahab', 'captain'],
        ]),
    ),
  pptx: (bytes, seed) =>
    makePptx(paragraphs(bytes, seed, SLIDE).map((text, at) => ({ title: `Slide ${at}`, body: text.split('. '), notes: 'A note.' }))),
  xlsx: (bytes, seed) =>
    makeXlsx(
      Object.fromEntries(
        paragraphs(bytes, seed, 80).flatMap((text, at) => [
          [`A${at + 1}`, `row ${at}`],
          [`B${at + 1}`, text],
        ]),
      ),
    ),
  epub: (bytes, seed) => {
    const list = paragraphs(bytes, seed)
    const chapters = Array.from({ length: Math.ceil(list.length / 50) }, (_, at) => list.slice(at * 50, at * 50 + 50))
    return makeEpub(
      Object.fromEntries(
        chapters.map((chapter, at) => [`c${at}.xhtml`, `<h1>Chapter ${at}</h1>${chapter.map((text) => `<p>${text}</p>`).join('')}`]),
      ),
    )
  },
  pdf: (bytes, seed) => samplePdf(Math.ceil(bytes / (PAGE_LINES * LINE)), seed),
}

/** Extensions of the formats that there are samples of. */
export const sampleFormats: readonly string[] = Object.keys(MAKERS)

export function sampleFile(extension: string, bytes: number, seed: number): SampleFile {
  const made = MAKERS[extension]?.(bytes, seed)
  if (made === undefined) throw new RangeError(`Cannot make a sample as its format is not known: ${extension}`)
  return { name: `sample.${extension}`, bytes: typeof made === 'string' ? Buffer.from(made) : made }
}

/** A PDF of full pages with a header and a page number, every other page in two columns. */
export function samplePdf(pages: number, seed: number): Buffer {
  const words = haystack('words', pages * PAGE_LINES * LINE, seed).split(' ')
  let next = 0
  const line = (length: number): string => {
    let text = words[next++ % words.length]!
    while (text.length + words[next % words.length]!.length < length) text += ` ${words[next++ % words.length]}`
    return text
  }
  const page = (number: number): PdfPage => {
    const rows = (length: number): string[] => Array.from({ length: PAGE_LINES }, () => line(length))
    const text = number % 2 === 0 ? [...lines(rows(42), { x: 60 }), ...lines(rows(42), { x: 320 })] : lines(rows(LINE), { x: 60 })
    return { texts: [{ text: `A Sample of Words ${number}`, x: 60, y: 760 }, ...text, { text: String(number), x: 300, y: 30 }] }
  }
  return makePdf(Array.from({ length: pages }, (_, at) => page(at + 1)))
}

function paragraphs(bytes: number, seed: number, length: number = PARAGRAPH): string[] {
  const text = haystack('words', bytes, seed)
  return Array.from({ length: Math.ceil(text.length / length) }, (_, at) => text.slice(at * length, at * length + length).trim()).filter(
    (part) => part !== '',
  )
}

/** `01:02:03`. */
function clock(seconds: number): string {
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0')).join(':')
}
