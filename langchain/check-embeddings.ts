import type { EmbeddingsInterface } from '@langchain/core/embeddings'
import { checkEmbedder, type MemoryStore } from '../memory/index.ts'

/**
 * Refuses embeddings of another model than the store's. Which model embeddings are of is said by `embedderId`, or else by an `id` of their
 * own, as the library's embedders have.
 *
 * @throws StoreError `mismatch` that names both models
 * @throws TypeError when the store names its embedder and the embeddings do not say which they are
 */
export function checkEmbeddings(memory: MemoryStore, embeddings: EmbeddingsInterface, embedderId?: string): void {
  const { id } = embeddings as { readonly id?: unknown }
  const given = embedderId ?? (typeof id === 'string' ? id : undefined)
  if (memory.embedderId !== undefined && given === undefined) {
    throw new TypeError(
      `Cannot use embeddings that do not say their model as the store holds vectors of ${memory.embedderId}. Pass embedderId`,
    )
  }
  checkEmbedder(memory.embedderId, given, 'of the memory')
}

/** A vector as the store takes it: of unit length, zeros left as they are. */
export function unitVector(vector: readonly number[]): Float32Array {
  const norm = Math.hypot(...vector)
  return Float32Array.from(vector, (component) => (norm > 0 ? component / norm : component))
}
