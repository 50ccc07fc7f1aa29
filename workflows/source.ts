import { type Document, findFiles, readDocument, readEach, type ReadDocumentsOptions } from '../chunkers/index.ts'
import { createMemoryStore, type MemoryStore } from '../memory/index.ts'
import type { NamedEmbedder } from '../models/index.ts'

/** Documents that are open for questions: many questions share their index. */
export interface Source {
  readonly documents: readonly Document[]
  /** Where their index is kept. */
  readonly memory: MemoryStore
  readonly embedder: NamedEmbedder | undefined
  /** Whose data it is; part of every record. */
  readonly scope: string
  /** What could not be read: files of a folder, pages without text. */
  readonly notes?: readonly string[]
}

export interface SourceOptions {
  /** Where the index is kept; in memory by default, gone with the source. */
  readonly memory?: MemoryStore
  /** By default the strategy's own. */
  readonly embedder?: NamedEmbedder
  readonly scope?: string
  /** How files are read: an encoding, a password, an OCR hook, addresses of the web. */
  readonly reading?: Omit<ReadDocumentsOptions, 'signal'>
  readonly signal?: AbortSignal
}

/** A path (`-` is standard input), a folder, a glob, several of them, or documents. */
export type SourceInput = string | Document | readonly (string | Document)[]

/**
 * Opens documents once, for many questions. Of a folder or a glob, what cannot be read is named in `notes` and the rest is opened; a file that
 * is named itself has to be readable.
 *
 * @throws DocumentError when a file that is named, or every file of a folder or glob, cannot be read
 */
export async function openSource(input: SourceInput, options: SourceOptions = {}): Promise<Source> {
  const { memory = createMemoryStore(), embedder, scope = 'default', signal } = options
  const inputs = isList(input) ? input : [input]
  if (inputs.length === 0) throw new TypeError('Cannot open a source of no documents: give at least one path or document')
  const reading = { ...options.reading, ...(signal ? { signal } : {}) }
  const opened: Opened[] = []
  for (const one of inputs) opened.push(typeof one === 'string' ? await openPath(one, reading) : { documents: [one], notes: [] })
  const documents = distinct(opened.flatMap((one) => one.documents))
  const notes = [
    ...opened.flatMap((one) => one.notes),
    ...documents.flatMap(({ name, notes: own }) => own.map((note) => `${name}: ${note}`)),
  ]
  return { documents, memory, embedder, scope, ...(notes.length === 0 ? {} : { notes }) }
}

interface Opened {
  readonly documents: readonly Document[]
  readonly notes: readonly string[]
}

async function openPath(path: string, reading: ReadDocumentsOptions): Promise<Opened> {
  const files = await findFiles([path])
  if (files.length === 1 && files[0]!.path === path) return { documents: [await readDocument(path, reading)], notes: [] }
  const documents: Document[] = []
  const errors: Error[] = []
  for await (const result of readEach(path, reading)) {
    if ('document' in result) documents.push(result.document)
    else errors.push(result.error)
  }
  if (documents.length === 0 && errors[0]) throw errors[0]
  return { documents, notes: errors.map(({ message }) => message) }
}

/** Whether a value is an opened source rather than what one is opened from. */
export function isSource(value: SourceInput | Source): value is Source {
  return typeof value === 'object' && 'documents' in value && 'memory' in value
}

function isList(input: SourceInput): input is readonly (string | Document)[] {
  return Array.isArray(input)
}

/** The same file named twice is read once. */
function distinct(documents: readonly Document[]): Document[] {
  return [...new Map(documents.map((document) => [document.id, document])).values()]
}
