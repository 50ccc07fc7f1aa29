import type { NamedEmbedder } from '../models/index.ts'
import type { MemoryRecord } from './memory-record.ts'
import type { MemoryHit, MemoryQuery, MemoryStore } from './memory-store.ts'
import { checkEmbedder } from './vectors.ts'

/** A piece of a document to be found by questions. */
export interface Passage {
  /** Unique within the scope. */
  readonly id: string
  /** Span in the document, UTF-16 code units. */
  readonly start: number
  readonly end: number
  /** Place in the document's order, from 0. */
  readonly index: number
  readonly text: string
  /** Words that place the passage, such as the document's title and its sections' titles: found by, not embedded. */
  readonly context?: string
}

export interface IndexPassagesOptions {
  readonly store: MemoryStore
  readonly scope: string
  readonly documentId: string
  readonly passages: readonly Passage[]
  /** Without it, passages are found by words alone. */
  readonly embedder?: NamedEmbedder | undefined
  /** Identity of how the passages were cut: another version is indexed anew. */
  readonly version: string
  readonly signal?: AbortSignal | undefined
  /** Called after each batch with the passages that are indexed so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** Passages embedded and stored together: small enough to abort soon, large enough to fill the embedder's batches. */
const batchSize = 64

/**
 * Puts the passages of a document into the store with their vectors and marks the document complete. Does nothing when it is; goes on
 * where an earlier run of the same version and embedder stopped; replaces an index of another version or embedder.
 *
 * @throws StoreError `mismatch` when the store holds another embedder's vectors; the signal's reason on abort, with what is done kept
 */
export async function indexPassages(options: IndexPassagesOptions): Promise<void> {
  const { store, scope, documentId, passages, embedder, signal, onProgress } = options
  signal?.throwIfAborted()
  checkEmbedder(store.embedderId, embedder?.id, 'of the passage index')
  const version = passageIndexVersion(options.version, embedder)
  if (await store.isComplete(scope, documentId, version)) return
  const missing = await resumeIndex(options, `${version} (unfinished)`)
  const held = passages.length - missing.length
  for (let start = 0; start < missing.length; start += batchSize) {
    const batch = missing.slice(start, start + batchSize)
    const vectors = await embedder?.embed(
      batch.map((passage) => passage.text),
      signal ? { signal } : {},
    )
    signal?.throwIfAborted()
    await store.put(batch.map((passage, index) => createRecord(passage, scope, documentId, vectors?.[index])))
    onProgress?.(held + start + batch.length, passages.length)
  }
  await store.markComplete(scope, documentId, version)
}

/** The version that `indexPassages` marks: of the cut and of the embedder. `store.isComplete` takes it. */
export function passageIndexVersion(version: string, embedder?: Pick<NamedEmbedder, 'id'>): string {
  return `${version} ${embedder ? embedder.id : 'words only'}`
}

/** Passages that the store lacks. What another version or embedder left of the document goes first. */
async function resumeIndex(options: IndexPassagesOptions, unfinished: string): Promise<readonly Passage[]> {
  const { store, scope, documentId, passages } = options
  if (!(await store.isComplete(scope, documentId, unfinished))) {
    await store.deleteDocument(scope, documentId)
    await store.markComplete(scope, documentId, unfinished)
    return passages
  }
  const held = new Map((await store.list(scope, documentId)).map((record) => [record.id, record]))
  return passages.filter((passage) => !isHeld(passage, held.get(passage.id)))
}

function isHeld(passage: Passage, record: MemoryRecord | undefined): boolean {
  return (
    record !== undefined &&
    record.text === passage.text &&
    record.context === passage.context &&
    record.start === passage.start &&
    record.index === passage.index
  )
}

function createRecord(passage: Passage, scope: string, documentId: string, vector: Float32Array | undefined): MemoryRecord {
  const { id, start, end, index, text, context } = passage
  return { id, scope, documentId, start, end, index, text, ...(context === undefined ? {} : { context }), ...(vector ? { vector } : {}) }
}

export interface SearchPassagesOptions {
  readonly store: MemoryStore
  readonly scope: string
  /** Only these documents; all of the scope by default. */
  readonly documentIds?: readonly string[] | undefined
  readonly question: string
  /** The embedder that the passages were indexed with. Without it, words alone decide. */
  readonly embedder?: NamedEmbedder | undefined
  /** Most results. */
  readonly k: number
  /** Passages on each side of a hit that become candidates too; 0 by default. */
  readonly neighbours?: number | undefined
  readonly fusion?: MemoryQuery['fusion'] | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The passages that fit a question best, best first.
 *
 * @throws StoreError `mismatch` when the store holds another embedder's vectors; the signal's reason on abort
 */
export async function searchPassages(options: SearchPassagesOptions): Promise<MemoryHit[]> {
  const { store, scope, documentIds, question, embedder, k, neighbours = 0, fusion = 'min-max', signal } = options
  signal?.throwIfAborted()
  checkEmbedder(store.embedderId, embedder?.id, 'of the passage index')
  const vector = embedder && fusion !== 'words' ? Float32Array.from(await embedder.embedQuery(question)) : undefined
  signal?.throwIfAborted()
  return store.search({
    scope,
    text: question,
    k,
    neighbours,
    fusion,
    ...(vector ? { vector } : {}),
    ...(documentIds ? { documentIds } : {}),
    ...(signal ? { signal } : {}),
  })
}
