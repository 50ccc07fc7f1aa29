/** Real files, read and cut: whether every chunk is what its offsets say, a saved document comes back, and quotations are on the page that is named. */
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import {
  type Chunker,
  contentDefined,
  type Document,
  documentFromBytes,
  fixedTokens,
  restoreDocument,
  saveDocument,
  sentencePacked,
} from '../chunkers/index.ts'
import { approximateCount } from '../models/index.ts'
import { chunkerFaults } from '../testing/index.ts'
import { type Bench, type BenchOptions, type BenchResult, BenchSkipped } from './bench.ts'
import { type PageCheck, pagesOf } from './page-witness.ts'
import { hashText } from './record.ts'
import { table } from './report.ts'
import { REAL_FILES, type RealFile } from './round-trip-files.ts'

const SUITE = 'round-trip'
const CHUNK_TOKENS = 300
/** Chunks and offsets of a document that are located. */
const LOCATED = 500

const CHUNKERS: readonly Chunker[] = [fixedTokens(), sentencePacked(), contentDefined()]

/** What came of a file. */
interface FileResult extends PageCheck {
  readonly id: string
  /** What is wrong; empty when the file passed. */
  readonly faults: readonly string[]
  readonly characters: number
  readonly chunks: number
  readonly scripts: readonly string[]
}

interface FoundFile {
  readonly file: RealFile
  readonly path: string
}

export const bench: Bench = {
  name: SUITE,
  async run(options) {
    const files = options.quick ? REAL_FILES.filter(({ format }, at) => !['pdf', 'epub'].includes(format) || at % 4 === 0) : REAL_FILES
    return roundTrip(options, files)
  },
}

export async function roundTrip({ data, signal, log }: BenchOptions, files: readonly RealFile[]): Promise<BenchResult> {
  const found: FoundFile[] = []
  const missing: RealFile[] = []
  for (const file of files) {
    const path = await locate(file, data)
    if (path === undefined) missing.push(file)
    else found.push({ file, path })
  }
  if (found.length === 0) throw new BenchSkipped(`none of its ${files.length} files is there: see round-trip-files.ts`)
  const folder = await mkdtemp(join(tmpdir(), 'round-trip-'))
  try {
    const results: FileResult[] = []
    for (const one of found) {
      signal.throwIfAborted()
      results.push(await checkFile(one, folder))
      log(`round-trip: ${results.length} of ${found.length}: ${one.file.path}`)
    }
    return report(files, missing, results)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Below the data folder, where packages may have been unpacked, else below the root of the system or of the checkout. */
async function locate({ from, path }: RealFile, data: string | undefined): Promise<string | undefined> {
  const roots = from.startsWith('npm:') ? [join(import.meta.dirname, '..')] : [...(data === undefined ? [] : [data]), '/']
  for (const root of roots) {
    const whole = join(root, path)
    if (
      await access(whole).then(
        () => true,
        () => false,
      )
    )
      return whole
  }
  return undefined
}

async function checkFile({ file, path }: FoundFile, folder: string): Promise<FileResult> {
  const stored = await readFile(path)
  const bytes = path.endsWith('.gz') ? await promisify(gunzip)(stored) : stored
  const name = basename(path).replace(/\.gz$/, '')
  const nothing = { id: file.path, characters: 0, chunks: 0, scripts: [], onPage: 0, elsewhere: 0, unseen: 0 }
  let document: Document
  try {
    document = await documentFromBytes(bytes, { name })
  } catch (error) {
    return { ...nothing, faults: [String(error)] }
  }
  const copy = join(folder, name)
  await writeFile(copy, bytes)
  const pages = document.format === 'pdf' ? await pagesOf(document, copy) : { onPage: 0, elsewhere: 0, unseen: 0 }
  return { ...nothing, ...pages, ...checkDocument(document, file.format), scripts: scriptsOf(document.text) }
}

function checkDocument(document: Document, format: string): Pick<FileResult, 'faults' | 'characters' | 'chunks'> {
  const limits = { maxTokens: CHUNK_TOKENS, count: approximateCount }
  let chunks = 0
  const faults = document.format === format ? [] : [`was read as ${document.format}`]
  for (const chunker of CHUNKERS) {
    faults.push(...chunkerFaults(chunker, document, limits).map((fault) => `${chunker.name}: ${fault}`))
    for (const _ of chunker.chunk(document, limits)) chunks++
  }
  const saved = saveDocument(document)
  if (JSON.stringify(saveDocument(restoreDocument(JSON.parse(JSON.stringify(saved))))) !== JSON.stringify(saved))
    faults.push('is another when it was saved')
  return { faults: [...faults, ...placeFaults(document)], characters: document.text.length, chunks }
}

/** Whether `locate` agrees with the text, the pages and the sections themselves. */
function placeFaults(document: Document): string[] {
  const { text, pages, sections } = document
  const faults: string[] = []
  const step = Math.max(1, Math.floor(text.length / LOCATED))
  let line = 1
  let counted = 0
  for (let offset = 0; offset <= text.length; offset += step) {
    for (let at = text.indexOf('\n', counted); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++
    counted = offset
    const place = document.locate(offset)
    if (place.line !== line) faults.push(`says line ${place.line} of ${offset}, which is in ${line}`)
    const page = pages.find(({ start, end }) => start <= offset && offset < end)
    if (page && place.page !== page.number) faults.push(`says page ${place.page} of ${offset}, which is on ${page.number}`)
    const titles = sections.filter(({ start, end }) => start <= offset && offset < end).map(({ title }) => title)
    if (offset < text.length && JSON.stringify(place.sections) !== JSON.stringify(titles))
      faults.push(`names other sections of ${offset} than those that hold it`)
  }
  return faults
}

const SCRIPTS: readonly (readonly [name: string, letters: RegExp])[] = [
  ['right to left', /[\p{Script=Arabic}\p{Script=Hebrew}]{3}/u],
  ['Chinese, Japanese, Korean', /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]{3}/u],
  ['Cyrillic', /\p{Script=Cyrillic}{3}/u],
  ['emoji', /\p{Extended_Pictographic}\uFE0F|[\u{1F300}-\u{1FAFF}]/u],
]

function scriptsOf(text: string): string[] {
  return SCRIPTS.filter(([, letters]) => letters.test(text)).map(([name]) => name)
}

function report(files: readonly RealFile[], missing: readonly RealFile[], results: readonly FileResult[]): BenchResult {
  const byPath = new Map(results.map((result) => [result.id, result]))
  const formats = [...new Set(files.map(({ format }) => format))]
  const sum = (of: (result: FileResult) => number, some: readonly FileResult[] = results): number =>
    some.reduce((total, one) => total + of(one), 0)
  const rows = formats.map((format) => {
    const all = files.filter((file) => file.format === format)
    const read = all.flatMap(({ path }) => byPath.get(path) ?? [])
    const passed = read.filter(({ faults }) => faults.length === 0).length
    const faults = sum((one) => one.faults.length, read)
    const chunks = sum((one) => one.chunks, read)
    return [format, `${read.length}`, `${all.length - read.length}`, `${passed}`, `${faults}`, `${chunks}`]
  })
  const fileRows = files.map((file) => {
    const result = byPath.get(file.path)
    const outcome = !result
      ? 'missing'
      : result.faults.length === 0
        ? 'passed'
        : `${result.faults.length} faults: ${result.faults.slice(0, 3).join('; ')}`
    return [file.from, file.path, String(result?.characters ?? ''), result?.scripts.join(', ') ?? '', outcome]
  })
  return {
    settings: { files: files.length, list: hashText(files.map(({ path }) => path).join('\n')), chunkTokens: CHUNK_TOKENS },
    figures: {
      files: results.length,
      formats: new Set(files.filter(({ path }) => byPath.has(path)).map(({ format }) => format)).size,
      passed: results.filter(({ faults }) => faults.length === 0).length,
      missing: missing.length,
      chunks: sum(({ chunks }) => chunks),
      quotesOnPage: sum(({ onPage }) => onPage),
      quotesElsewhere: sum(({ elsewhere }) => elsewhere),
      quotesUnseen: sum(({ unseen }) => unseen),
    },
    notes: [
      table(['format', 'files', 'missing', 'passed', 'faults', 'chunks'], rows),
      `Each file is cut by ${CHUNKERS.map(({ name }) => name).join(', ')}: every chunk must be the text that its offsets name, all text must lie in one, and the same must come twice; a saved document must come back; lines, pages and sections must agree with a count by hand.`,
      'Quotations are lines of up to 30 pages of each PDF, letters only, looked for in what pdftotext (poppler) gives of the page that is named: quotesOnPage are there, quotesElsewhere on a page beside it, quotesUnseen on neither, as both programs read some lines differently; all are 0 where pdftotext is not installed.',
      `Missing files are those of packages that are not installed. To get all: apt-get download ${debianPackages(files)}, unpack each with dpkg -x FILE DIR, and pass --data DIR.`,
      table(['package', 'file', 'characters', 'scripts', 'outcome'], fileRows),
    ],
  }
}

function debianPackages(files: readonly RealFile[]): string {
  const names = files.flatMap(({ from }) => (from.startsWith('debian:') ? [from.slice('debian:'.length)] : []))
  return [...new Set(names)].toSorted().join(' ')
}
