import type { Embedder, NamedEmbedder } from '../../models/index.ts'
import type { ChunkingProgress } from './progress.ts'

export interface EmbedTextsOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ChunkingProgress) => void
}

/** Texts of one call, so that a signal is looked at in between. */
const batch = 64

/**
 * The vectors of texts, asked for in batches.
 *
 * @throws TypeError when the embedder gives another number of vectors than there are texts, vectors of unequal length, or a number that is not finite
 */
export async function embedTexts(
  embedder: Embedder | NamedEmbedder,
  texts: readonly string[],
  { signal, onProgress }: EmbedTextsOptions = {},
): Promise<Float32Array[]> {
  const vectors: Float32Array[] = []
  for (let at = 0; at < texts.length; at += batch) {
    signal?.throwIfAborted()
    const asked = texts.slice(at, at + batch)
    const found = await embedBatch(embedder, asked, signal)
    if (found.length !== asked.length) throw fault(embedder, `it gave ${found.length} vectors for ${asked.length} texts`)
    for (const vector of found) {
      checkVector(embedder, vector, vectors[0]?.length ?? vector.length)
      vectors.push(vector)
    }
    onProgress?.({ done: vectors.length, total: texts.length })
  }
  signal?.throwIfAborted()
  return vectors
}

/** What an embedder calls itself, or its class. */
export function embedderName(embedder: Embedder | NamedEmbedder): string {
  return 'id' in embedder && typeof embedder.id === 'string' ? embedder.id : embedder.constructor.name
}

async function embedBatch(embedder: Embedder | NamedEmbedder, texts: string[], signal?: AbortSignal): Promise<Float32Array[]> {
  if ('embed' in embedder) return embedder.embed(texts, signal ? { signal } : {})
  return (await embedder.embedDocuments(texts)).map((vector) => Float32Array.from(vector))
}

/** @throws TypeError when a vector has another length, none, or numbers that are not finite */
export function checkVector(embedder: Embedder | NamedEmbedder, vector: Float32Array, length: number): void {
  if (vector.length === 0) throw fault(embedder, 'it gave a vector without numbers')
  if (vector.length !== length) throw fault(embedder, `it gave vectors of ${length} and of ${vector.length} numbers`)
  const odd = vector.findIndex((value) => !Number.isFinite(value))
  if (odd >= 0) throw fault(embedder, `it gave a number that is not finite: ${vector[odd]}`)
}

function fault(embedder: Embedder | NamedEmbedder, why: string): TypeError {
  return new TypeError(`Cannot use the embedder ${embedderName(embedder)} as ${why}`)
}
