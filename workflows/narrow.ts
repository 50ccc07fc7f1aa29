/** Retrieval narrows: the passages that fit a question best, and the chunks they stand in. */
import type { QuoteCandidate } from '../agents/index.ts'
import { type Chunk, createDocument, type Document, passages } from '../chunkers/index.ts'
import { indexPassages, type MemoryHit, type MemoryQuery, passageIndexVersion, searchPassages } from '../memory/index.ts'
import type { NamedEmbedder } from '../models/index.ts'
import { withEarlierVectors } from './earlier-vectors.ts'
import { passagesToIndex } from './index-passages.ts'
import type { StrategyContext } from './strategy.ts'

/** Raised when passages are cut or indexed another way: an index of another version is built anew. */
const INDEX_VERSION = 'passages-2'
/** Most tokens of a candidate: what is quoted stays short. */
const CANDIDATE_TOKENS = 60

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
  const cut = passagesToIndex(document).map(({ index, start, end, text, sections }) => ({
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
      embedder: embedder && (await withEarlierVectors({ memory, scope, document, version: INDEX_VERSION, embedder })),
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

/**
 * The chunks that hold candidates, in the order of the documents. A candidate that crosses the end of its chunk is cut there, and one that the
 * reader counts too long is cut at clauses.
 */
export function readingsOf(chunks: readonly Chunk[], hits: readonly MemoryHit[], count: (text: string) => number): Reading[] {
  const readings = chunks.map((chunk) => ({ chunk, candidates: hits.flatMap((hit) => candidatesIn(chunk, hit, count)) }))
  return readings.filter(({ candidates }) => candidates.length > 0)
}

function candidatesIn(
  chunk: Chunk,
  { record, score, words, similarity = 0 }: MemoryHit,
  count: (text: string) => number,
): QuoteCandidate[] {
  if (record.documentId !== chunk.documentId || record.start < chunk.start || record.start >= chunk.end) return []
  const from = record.start - chunk.start
  const text = chunk.text.slice(from, Math.min(record.end, chunk.end) - chunk.start)
  const pieces = passages(createDocument({ text, name: 'passage', sections: [] }), { maxTokens: CANDIDATE_TOKENS, count, minLength: 0 })
  return pieces.map(({ start, end }) => ({ start: from + start, end: from + end, score, words, similarity }))
}
