/**
 * Speed and peak memory of the loaders on made files of every format, beside the bare libraries; a PDF of 500 pages; a corpus of 1,000 files of which one
 * is bad.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readEach } from '../chunkers/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { quantile } from './statistics.ts'
import type { LoaderRun } from './loader-run.ts'
import { type SampleFile, sampleFile, sampleFormats, samplePdf } from './samples/sample-files.ts'

const SUITE = 'loaders'
/** Bytes of text, by format where parsers are slow; for all others `DEFAULT_SIZE`. */
const SIZES: Readonly<Record<string, number>> = { docx: 2e6, epub: 4e6, html: 2e6, mbox: 2e6, md: 4e6, pdf: 1e6, pptx: 5e5, xlsx: 4e6 }
const DEFAULT_SIZE = 2e7
/** Of the file that is read before the clock starts. */
const SMALL = 2_000

export interface LoadersScale {
  readonly formats: readonly string[]
  /** By how much files are smaller than in the whole run. */
  readonly share: number
  readonly runs: number
  readonly pages: number
  readonly files: number
}

export const bench: Bench = {
  name: SUITE,
  run: (options) =>
    measureLoaders(options, {
      formats: sampleFormats,
      share: options.quick ? 0.2 : 1,
      runs: options.quick ? 1 : 5,
      pages: 500,
      files: 1_000,
    }),
}

export async function measureLoaders({ log, seed, signal }: BenchOptions, scale: LoadersScale): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'loaders-'))
  const figures: Record<string, number> = {}
  try {
    for (const format of scale.formats) {
      const file = await writeSample(folder, format, scale, seed)
      const runs: LoaderRun[] = []
      const bareRuns: LoaderRun[] = []
      // In turn, so that what else the machine does falls on both.
      for (let at = 0; at < scale.runs; at++) {
        runs.push(await readFile(file, signal))
        bareRuns.push(await readFile(file, signal, 'bare'))
      }
      // Of both, by the text that the loader gives: the same work.
      const { megabytes } = runs[0]!
      figures[`${format}MBps`] = megabytes / medianOf(runs, 'seconds')
      figures[`${format}PeakMB`] = medianOf(runs, 'peakMegabytes')
      figures[`${format}BareMBps`] = megabytes / medianOf(bareRuns, 'seconds')
      figures[`${format}BarePeakMB`] = medianOf(bareRuns, 'peakMegabytes')
      log(`loaders: ${format} ${describe(figures, format)}; bare ${describe(figures, `${format}Bare`)}`)
    }
    const book = await writeFiles(folder, { name: 'pages.pdf', bytes: samplePdf(scale.pages, seed) })
    const pdf = await readFile(book, signal)
    const bare = await readFile(book, signal, 'bare')
    log(`loaders: ${pdf.pages} pages of PDF in ${pdf.seconds.toFixed(1)} s, bare in ${bare.seconds.toFixed(1)} s`)
    const corpus = await measureCorpus(join(folder, 'corpus'), scale.files, seed, signal)
    return {
      settings: { share: scale.share, runs: scale.runs, files: scale.files, seed },
      figures: { ...figures, pdfPages: pdf.pages, pdfSeconds: pdf.seconds, pdfBareSeconds: bare.seconds, ...corpus },
      notes: [
        'MBps: megabytes of text (UTF-8) a second, from the file to the document, parsers loaded; the median of the runs, each in a process of its own.',
        'PeakMB: resident memory at the peak beyond that after a small file of the same format.',
        'Bare: the library below the loader alone (bench/bare-loaders.ts), which gives text without places, in the same process. LangChain has loaders of its own for most formats, thin layers over such calls, in a package that is not installed; its rate is of the same file, so that a library that gives other text is not the faster for it.',
        'corpusFailed: files of the corpus that were named as unreadable; one of them is cut short.',
      ],
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Where a sample lies, and a small one of its format. */
interface WrittenSample {
  readonly small: string
  readonly path: string
}

function writeSample(folder: string, format: string, { share }: LoadersScale, seed: number): Promise<WrittenSample> {
  return writeFiles(folder, sampleFile(format, (SIZES[format] ?? DEFAULT_SIZE) * share, seed))
}

async function writeFiles(folder: string, { name, bytes }: SampleFile): Promise<WrittenSample> {
  const extension = name.slice(name.indexOf('.') + 1)
  const written = { small: join(folder, `small.${extension}`), path: join(folder, name) }
  await writeFile(written.small, sampleFile(extension, SMALL, 1).bytes)
  await writeFile(written.path, bytes)
  return written
}

async function readFile({ small, path }: WrittenSample, signal: AbortSignal, way = 'loader'): Promise<LoaderRun> {
  const script = fileURLToPath(new URL('loader-run.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, small, path, way], { signal })
  return JSON.parse(stdout) as LoaderRun
}

function medianOf(runs: readonly LoaderRun[], figure: 'seconds' | 'peakMegabytes'): number {
  return quantile(
    runs.map((run) => run[figure]),
    0.5,
  )
}

function describe(figures: Readonly<Record<string, number>>, prefix: string): string {
  return `${figures[`${prefix}MBps`]!.toFixed(1)} MB/s, ${Math.round(figures[`${prefix}PeakMB`]!)} MB`
}

/** Small files of all formats in turn, one of them cut short. */
async function measureCorpus(
  folder: string,
  files: number,
  seed: number,
  signal: AbortSignal,
): Promise<{ corpusSeconds: number; corpusRead: number; corpusFailed: number }> {
  await mkdir(folder)
  const samples = sampleFormats.map((format) => ({ format, bytes: sampleFile(format, SMALL, seed).bytes }))
  for (let at = 0; at < files; at++) {
    const { format, bytes } = samples[at % samples.length]!
    await writeFile(join(folder, `file-${at}.${format}`), bytes)
  }
  await writeFile(join(folder, `file-0.${samples[0]!.format}`), samples.find(({ format }) => format === 'pdf')!.bytes.subarray(0, 500))
  const began = performance.now()
  let [read, failed] = [0, 0]
  for await (const result of readEach(folder, { signal })) {
    if ('document' in result) read++
    else failed++
  }
  return { corpusSeconds: (performance.now() - began) / 1000, corpusRead: read, corpusFailed: failed }
}
