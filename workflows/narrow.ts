/** Retrieval narrows: the passages that fit a question best, and the chunks they stand in. */
import type { QuoteCandidate } from '../agents/index.ts'
import { type Chunk, type Document, passages } from '../chunkers/index.ts'
import { indexPassages, type MemoryHit, type MemoryQuery, passageIndexVersion, searchPassages } from '../memory/index.ts'
import type { NamedEmbedder } from '../models/index.ts'
import type { StrategyContext } from './strategy.ts'

/** Raised when passages are cut or indexed another way: an index of another version is built anew. */
const INDEX_VERSION = 'passages-1'

export interface NarrowOptions {
  readonly embedder: NamedEmbedder | undefined
  /** Candidates kept. */
  readonly k: number
  readonly neighbours?: number
  readonly fusion?: MemoryQuery['fusion']
}

/** Indexes each document once, then searches all of them. */
export async function searchDocuments(context: StrategyContext, question: string, options: NarrowOptions): Promise<MemoryHit[]> {
  const { memory, scope, signal, documents } = context
  const { embedder, ...search } = options
  for (const document of documents) await indexDocument(context, document, embedder)
  return searchPassages({ store: memory, scope, documentIds: documents.map(({ id }) => id), question, embedder, signal, ...search })
}

async function indexDocument(context: StrategyContext, document: Document, embedder: NamedEmbedder | undefined): Promise<void> {
  const { memory, scope, signal, emit } = context
  const { id: documentId, name, title } = document
  if (await memory.isComplete(scope, documentId, passageIndexVersion(INDEX_VERSION, embedder))) return
  const cut = passages(document).map(({ index, start, end, text, sections }) => ({
    id: `${documentId}/${index}`,
    index,
    start,
    end,
    text,
    context: [title, ...sections].filter((part) => part !== undefined).join(' '),
  }))
  emit({ type: 'index.started', document: name, total: cut.length })
  try {
    await indexPassages({
      store: memory,
      scope,
      documentId,
      passages: cut,
      embedder,
      version: INDEX_VERSION,
      signal,
      onProgress: (done, total) => emit({ type: 'index.progress', document: name, done, total }),
    })
  } finally {
    emit({ type: 'index.finished', document: name })
  }
}

/** A chunk with the candidates that begin in it. */
export interface Reading {
  readonly chunk: Chunk
  readonly candidates: readonly QuoteCandidate[]
}

/** The chunks that hold candidates, in the order of the documents; a candidate that crosses the end of its chunk is cut there. */
export function readingsOf(chunks: readonly Chunk[], hits: readonly MemoryHit[]): Reading[] {
  const readings = chunks.map((chunk) => ({ chunk, candidates: hits.flatMap((hit) => candidateIn(chunk, hit)) }))
  return readings.filter(({ candidates }) => candidates.length > 0)
}

function candidateIn(chunk: Chunk, { record, score, words, similarity = 0 }: MemoryHit): QuoteCandidate[] {
  if (record.documentId !== chunk.documentId || record.start < chunk.start || record.start >= chunk.end) return []
  return [{ start: record.start - chunk.start, end: Math.min(record.end, chunk.end) - chunk.start, score, words, similarity }]
}
