import type { Document } from '../chunkers/index.ts'
import { type MemoryStore, passageIndexVersion } from '../memory/index.ts'
import type { NamedEmbedder } from '../models/index.ts'

/** Versions of a document that are looked through for a text, at most. */
const VERSIONS = 4

export interface EarlierVectorsOptions {
  readonly memory: MemoryStore
  readonly scope: string
  readonly document: Pick<Document, 'id' | 'name' | 'hash'>
  /** Identity of how passages are cut. */
  readonly version: string
  readonly embedder: NamedEmbedder
}

/**
 * The embedder, less work: texts that the index of another version of the document holds, such as the one before an edit, take their vectors from
 * there.
 */
export async function withEarlierVectors({ embedder, ...options }: EarlierVectorsOptions): Promise<NamedEmbedder> {
  const known = await earlierVectors({ ...options, version: passageIndexVersion(options.version, embedder) })
  if (known.size === 0) return embedder
  return {
    id: embedder.id,
    dimensions: embedder.dimensions,
    embedQuery: (text) => embedder.embedQuery(text),
    embedDocuments: (texts) => embedder.embedDocuments(texts),
    async embed(texts, embedOptions) {
      const missing = texts.filter((text) => !known.has(text))
      const made = missing.length === 0 ? [] : await embedder.embed(missing, embedOptions)
      let next = 0
      return texts.map((text) => known.get(text) ?? (made[next++] as Float32Array))
    },
  }
}

async function earlierVectors({
  memory,
  scope,
  document,
  version,
}: Omit<EarlierVectorsOptions, 'embedder'>): Promise<ReadonlyMap<string, Float32Array>> {
  const known = new Map<string, Float32Array>()
  const prefix = document.id.slice(0, -document.hash.length)
  for (const { documentId } of await memory.documents(scope, VERSIONS + 1, prefix)) {
    const isVersion = documentId !== document.id && documentId.startsWith(prefix) && documentId.length === document.id.length
    if (!isVersion || !(await memory.isComplete(scope, documentId, version))) continue
    for (const { text, vector } of await memory.list(scope, documentId)) if (vector) known.set(text, vector)
  }
  return known
}
