/** Speed and peak memory of the loaders on made files of every format, a PDF of 500 pages, and a corpus of 1,000 files of which one is bad. */
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
import { sampleFile, sampleFormats, samplePdf } from './samples/sample-files.ts'

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
      const runs = await measureFormat(folder, format, { scale, seed, signal })
      figures[`${format}MBps`] = quantile(
        runs.map(({ megabytes, seconds }) => megabytes / seconds),
        0.5,
      )
      figures[`${format}PeakMB`] = quantile(
        runs.map(({ peakMegabytes }) => peakMegabytes),
        0.5,
      )
      log(`loaders: ${format} ${figures[`${format}MBps`]!.toFixed(1)} MB/s, ${Math.round(figures[`${format}PeakMB`]!)} MB`)
    }
    const pdf = await readFile(folder, { name: 'pages.pdf', bytes: samplePdf(scale.pages, seed) }, signal)
    log(`loaders: ${pdf.pages} pages of PDF in ${pdf.seconds.toFixed(1)} s`)
    const corpus = await measureCorpus(join(folder, 'corpus'), scale.files, seed, signal)
    return {
      settings: { share: scale.share, runs: scale.runs, files: scale.files, seed },
      figures: { ...figures, pdfPages: pdf.pages, pdfSeconds: pdf.seconds, ...corpus },
      notes: [
        'MBps: megabytes of text (UTF-8) a second, from the file to the document, parsers loaded; the median of the runs, each in a process of its own.',
        'PeakMB: resident memory at the peak beyond that after a small file of the same format.',
        'corpusFailed: files of the corpus that were named as unreadable; one of them is cut short.',
      ],
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Setting {
  readonly scale: LoadersScale
  readonly seed: number
  readonly signal: AbortSignal
}

async function measureFormat(folder: string, format: string, { scale, seed, signal }: Setting): Promise<LoaderRun[]> {
  const file = sampleFile(format, (SIZES[format] ?? DEFAULT_SIZE) * scale.share, seed)
  const runs: LoaderRun[] = []
  for (let at = 0; at < scale.runs; at++) runs.push(await readFile(folder, file, signal))
  return runs
}

async function readFile(folder: string, { name, bytes }: { name: string; bytes: Buffer }, signal: AbortSignal): Promise<LoaderRun> {
  const extension = name.slice(name.indexOf('.') + 1)
  const small = join(folder, `small.${extension}`)
  const path = join(folder, name)
  await writeFile(small, sampleFile(extension, SMALL, 1).bytes)
  await writeFile(path, bytes)
  const script = fileURLToPath(new URL('loader-run.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, small, path], { signal })
  return JSON.parse(stdout) as LoaderRun
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
