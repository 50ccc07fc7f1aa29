import { type Document, readDocument } from '../chunkers/index.ts'
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
}

export interface SourceOptions {
  /** Where the index is kept; in memory by default, gone with the source. */
  readonly memory?: MemoryStore
  /** By default the strategy's own. */
  readonly embedder?: NamedEmbedder
  readonly scope?: string
  readonly signal?: AbortSignal
}

/** A path (`-` is standard input), several, or documents. */
export type SourceInput = string | Document | readonly (string | Document)[]

/** Opens documents once, for many questions. */
export async function openSource(input: SourceInput, options: SourceOptions = {}): Promise<Source> {
  const { memory = createMemoryStore(), embedder, scope = 'default', signal } = options
  const inputs = isList(input) ? input : [input]
  if (inputs.length === 0) throw new TypeError('Cannot open a source of no documents: give at least one path or document')
  const documents: Document[] = []
  for (const one of inputs) documents.push(typeof one === 'string' ? await readDocument(one, signal ? { signal } : {}) : one)
  return { documents: distinct(documents), memory, embedder, scope }
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
