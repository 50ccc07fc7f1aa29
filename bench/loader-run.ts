/**
 * Reads one file in a process of its own, so that peak memory is its own, and writes what it took as one JSON line (`LoaderRun`). Before the
 * clock starts a small file of the same format is read, as parsers are loaded at first use.
 *
 * Arguments: the small file, the file, and `bare` for the library without the loader.
 */
import { readDocument } from '../chunkers/index.ts'
import { readBare } from './bare-loaders.ts'

/** What reading a file took. */
export interface LoaderRun {
  readonly seconds: number
  /** Megabytes of the text in UTF-8. */
  readonly megabytes: number
  /** Megabytes of memory at the peak, beyond those before the file was read. */
  readonly peakMegabytes: number
  readonly pages: number
}

const [small = '', path = '', way] = process.argv.slice(2)
const read = async (file: string): Promise<{ text: string; pages: readonly unknown[] }> =>
  way === 'bare' ? { text: await readBare(file), pages: [] } : readDocument(file)
await read(small)
const before = process.resourceUsage().maxRSS
const began = performance.now()
const { text, pages } = await read(path)
const seconds = (performance.now() - began) / 1000
const run: LoaderRun = {
  seconds,
  megabytes: Buffer.byteLength(text) / 1e6,
  peakMegabytes: ((process.resourceUsage().maxRSS - before) * 1024) / 1e6,
  pages: pages.length,
}
process.stdout.write(`${JSON.stringify(run)}\n`)
