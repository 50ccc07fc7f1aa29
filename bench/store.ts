/**
 * The SQLite store with as many vectors as a very long conversation has turns: how fast it takes them, how much of the exact result its index finds,
 * and how fast, also right after a write, with filters, and in a small scope beside the large one.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FileMemoryStore, type MemoryQuery, type MemoryRecord, openMemory, type OpenMemoryOptions } from '../memory/index.ts'
import { openLocalEmbedder } from '../models/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { linePlot, type PlotPoint } from './plot.ts'
import { quantile } from './statistics.ts'
import { bookPhrases, bookTexts, embedTexts } from './store-texts.ts'

const SCOPE = 'large'
const K = 10
/** Records written durably at once. */
const BATCH = 100
/** Records of a document, and of the small scope. */
const DOCUMENT = 1_000
const SMALL = 20

export interface StoreScale {
  readonly vectors: number
  /** Of sentences there are some hundred thousand, of phrases two million. */
  readonly of: 'sentences' | 'phrases'
  /** Name of the figure for the share of the nearest that are found. */
  readonly recall: string
  readonly queries: number
  /** Searches right after an append. */
  readonly appends: number
  readonly exactBelow: number
}

interface Text {
  readonly text: string
  readonly vector: Float32Array
}

const SENTENCES = { of: 'sentences', recall: 'recall100k' } as const

export const bench: Bench = {
  name: 'store',
  run: (options) =>
    measureStore(
      options,
      options.quick
        ? { ...SENTENCES, vectors: 8_000, queries: 200, appends: 100, exactBelow: 1_000 }
        : { ...SENTENCES, vectors: 100_000, queries: 500, appends: 500, exactBelow: 20_000 },
    ),
}

export async function measureStore({ signal, log }: BenchOptions, scale: StoreScale): Promise<BenchResult> {
  await using embedder = await openLocalEmbedder({ threads: 2, signal })
  const { queries, appends, exactBelow, of, recall: recallName } = scale
  const texts = await (of === 'phrases' ? bookPhrases : bookTexts)(scale.vectors + queries + appends)
  const vectors = await embedTexts(texts, embedder, { signal, log })
  const all = texts.map((text, at): Text => ({ text, vector: vectors[at] as Float32Array }))
  const parts = {
    asked: all.slice(0, queries),
    appended: all.slice(queries, queries + appends),
    held: all.slice(queries + appends),
  }
  const folder = await mkdtemp(join(tmpdir(), 'bench-store-'))
  try {
    const options = { embedderId: embedder.id, dimensions: embedder.dimensions, exactBelow }
    const { recall, figures, plots } = await measureFile(join(folder, 'memory.db'), options, parts, { signal, log })
    const settings = { model: embedder.id, vectors: parts.held.length, of, queries, appends, k: K, batch: BATCH, exactBelow, threads: 1 }
    return { settings, figures: { [recallName]: recall, ...figures }, plots, notes: NOTES }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const NOTES = [
  'recall100k, recall1m: share of the ten nearest vectors of an exact scan that the index finds. p95Ms: search by vector alone. hybridP95Ms: with words besides.',
  'appendSearchP95Ms: search right after an append, which the index has to take in first. filteredP95Ms: one document of the scope.',
  'smallScopeP95Ms: a scope of 20 records beside the large one. rssMb: growth of the process from the empty store to the built index.',
]

interface Parts {
  readonly asked: readonly Text[]
  readonly appended: readonly Text[]
  readonly held: readonly Text[]
}

/** Figures in order of what is done to one file. */
async function measureFile(
  path: string,
  options: OpenMemoryOptions,
  { asked, appended, held }: Parts,
  { signal, log }: Pick<BenchOptions, 'signal' | 'log'>,
): Promise<{ recall: number; figures: Record<string, number>; plots: Record<string, string> }> {
  const before = process.memoryUsage().rss
  const store = await openMemory(path, options)
  const insertSeconds = await seconds(() => fill(store, held, signal))
  log(`store: ${held.length} records in ${insertSeconds.toFixed(1)} s`)
  const buildSeconds = await seconds(() => store.search(byVector(asked[0] as Text)))
  log(`store: index built in ${buildSeconds.toFixed(1)} s`)
  const rssMb = (process.memoryUsage().rss - before) / 1e6

  const found: string[][] = []
  const times = {
    vector: await timeEach(
      asked,
      signal,
      async (text) => void found.push((await store.search(byVector(text))).map((hit) => hit.record.id)),
    ),
    hybrid: await timeEach(asked, signal, (text) => store.search({ ...byVector(text), text: text.text, fusion: 'min-max' })),
    filtered: await timeEach(asked, signal, (text, at) =>
      store.search({ ...byVector(text), documentIds: [documentOf(at * 97, held.length)] }),
    ),
    small: await timeEach(asked, signal, (text) => store.search({ ...byVector(text), scope: 'small' })),
    append: await timeAppends(store, appended, signal),
  }
  log('store: searched; now the exact scan')
  const recall = recallOf(found, asked, held)
  const closeSeconds = await seconds(() => store.close())
  const { bytesPerRecord, indexBytesPerRecord } = await diskUse(path, held.length)
  const openSeconds = await seconds(async () => {
    await using again = await openMemory(path, options)
    await again.search(byVector(asked[0] as Text))
  })
  const p95 = (values: readonly number[]): number => quantile(values, 0.95)
  const figures = {
    p50Ms: quantile(times.vector, 0.5),
    p95Ms: p95(times.vector),
    hybridP50Ms: quantile(times.hybrid, 0.5),
    hybridP95Ms: p95(times.hybrid),
    appendSearchP95Ms: p95(times.append),
    filteredP95Ms: p95(times.filtered),
    smallScopeP95Ms: p95(times.small),
    insertPerSecond: held.length / insertSeconds,
    buildSeconds,
    closeSeconds,
    openSeconds,
    rssMb,
    bytesPerRecord,
    indexBytesPerRecord,
  }
  return { recall, figures, plots: { latency: await latencyPlot(times) } }
}

function byVector({ vector }: Text): MemoryQuery {
  return { scope: SCOPE, text: '', vector, k: K, fusion: 'vectors' }
}

function documentOf(at: number, count: number): string {
  return `document ${Math.floor((at % count) / DOCUMENT)}`
}

async function fill(store: FileMemoryStore, held: readonly Text[], signal: AbortSignal): Promise<void> {
  for (let start = 0; start < held.length; start += BATCH) {
    signal.throwIfAborted()
    await store.put(held.slice(start, start + BATCH).map((text, at) => toRecord(SCOPE, text, start + at, held.length)))
  }
  await store.put(held.slice(0, SMALL).map((text, at) => toRecord('small', text, at, held.length)))
}

function toRecord(scope: string, { text, vector }: Text, at: number, count: number): MemoryRecord {
  return { id: `${at}`, scope, documentId: documentOf(at, count), start: 0, end: text.length, index: at, text, vector }
}

/** Milliseconds of each. */
async function timeEach(
  texts: readonly Text[],
  signal: AbortSignal,
  search: (text: Text, at: number) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = []
  for (const [at, text] of texts.entries()) {
    signal.throwIfAborted()
    times.push(1_000 * (await seconds(() => search(text, at))))
  }
  return times
}

/** The search alone is timed, right after an append that the index has to take in. */
async function timeAppends(store: FileMemoryStore, appended: readonly Text[], signal: AbortSignal): Promise<number[]> {
  const times: number[] = []
  for (const [at, text] of appended.entries()) {
    signal.throwIfAborted()
    await store.append(SCOPE, 'chat', [{ id: `turn ${at}`, ...text }])
    times.push(1_000 * (await seconds(() => store.search({ ...byVector(text), text: text.text, fusion: 'min-max' }))))
  }
  return times
}

/** Vectors have length 1, so that their product is their cosine. */
function recallOf(found: readonly (readonly string[])[], asked: readonly Text[], held: readonly Text[]): number {
  let hits = 0
  for (const [at, { vector }] of asked.entries()) {
    const products = Float64Array.from(held, (text) => product(vector, text.vector))
    // Equal texts of two places have equal vectors: either is right.
    const least = (products.slice().sort().at(-K) ?? 0) - 1e-6
    hits += (found[at] ?? []).filter((id) => (products[Number(id)] ?? -1) >= least).length
  }
  return hits / (K * asked.length)
}

function product(first: Float32Array, second: Float32Array): number {
  let sum = 0
  for (let at = 0; at < first.length; at++) sum += (first[at] as number) * (second[at] as number)
  return sum
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1_000
}

async function diskUse(path: string, records: number): Promise<{ bytesPerRecord: number; indexBytesPerRecord: number }> {
  const folder = join(path, '..')
  let indexes = 0
  for (const name of await readdir(folder)) if (name.includes('.hnsw')) indexes += (await stat(join(folder, name))).size
  return { bytesPerRecord: (await stat(path)).size / records, indexBytesPerRecord: indexes / records }
}

function latencyPlot(times: Readonly<Record<string, readonly number[]>>): Promise<string> {
  const shares = [0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]
  const points: PlotPoint[] = Object.entries(times).flatMap(([series, values]) =>
    shares.map((share) => ({ x: share, y: quantile(values, share), series })),
  )
  return linePlot({ title: 'Search by share of the searches', x: 'share', y: 'milliseconds', points })
}
