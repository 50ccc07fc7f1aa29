import { AsyncLocalStorage } from 'node:async_hooks'
import { Document, type DocumentInterface } from '@langchain/core/documents'
import type { EmbeddingsInterface } from '@langchain/core/embeddings'
import { BaseRetriever, type BaseRetrieverInput } from '@langchain/core/retrievers'
import type { RunnableConfig } from '@langchain/core/runnables'
import {
  type CoRecallOptions,
  createRecordTest,
  expandByCoRecall,
  type MemoryHit,
  type MemoryQuery,
  type MemoryStore,
} from '../memory/index.ts'
import { checkEmbeddings, unitVector } from './check-embeddings.ts'
import { documentMetadata, joinFilters, type MemoryFilter } from './memory-filter.ts'

export interface MemoryRetrieverFields extends BaseRetrieverInput, Pick<MemoryQuery, 'neighbours' | 'fusion' | 'weights' | 'relevance'> {
  readonly memory: MemoryStore
  /** Whose records; no other scope is read. */
  readonly scope: string
  /** Embeddings of the store's vectors; without them, words alone find. */
  readonly embeddings?: EmbeddingsInterface
  /** Which model the embeddings are of, where they do not say so with an `id`. */
  readonly embedderId?: string
  /** Most documents; 6 by default, without those that `coRecall` adds. */
  readonly k?: number
  readonly filter?: MemoryFilter
  /** Leaves out what scores less. */
  readonly minScore?: number
  /** Counts what was found as recalled, which rankings by use and co-recall build on; false by default. */
  readonly touch?: boolean
  /** Adds what was recalled together with the hits before; see `expandByCoRecall`. */
  readonly coRecall?: Omit<CoRecallOptions, 'now' | 'accept'>
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number
}

/**
 * What a memory store finds for a query as documents of LangChain, best first. Their metadata has `score`, `words` (BM25) and, with
 * embeddings, `similarity` (cosine), beside what was stored. A call's `signal` stops the search, and callbacks are told as of any
 * retriever.
 */
export class MemoryRetriever extends BaseRetriever {
  override lc_namespace: string[] = ['scriptorium', 'retrievers']
  private readonly fields: MemoryRetrieverFields
  private readonly signals = new AsyncLocalStorage<AbortSignal | undefined>()

  /**
   * @throws StoreError `mismatch` when the store holds another model's vectors
   * @throws TypeError when the scope is empty, a filter's field is unknown, or the store names its embedder and the embeddings do not
   */
  constructor(fields: MemoryRetrieverFields) {
    const { callbacks, tags, metadata, verbose } = fields
    super({
      ...(callbacks !== undefined && { callbacks }),
      ...(tags !== undefined && { tags }),
      ...(metadata !== undefined && { metadata }),
      ...(verbose !== undefined && { verbose }),
    })
    if (!fields.scope) throw new TypeError(`Cannot make a retriever as its scope is empty: ${fields.scope}`)
    if (fields.embeddings) checkEmbeddings(fields.memory, fields.embeddings, fields.embedderId)
    joinFilters(fields.filter)
    this.fields = fields
  }

  static override lc_name(): string {
    return 'MemoryRetriever'
  }

  override async invoke(input: string, options?: RunnableConfig): Promise<DocumentInterface[]> {
    options?.signal?.throwIfAborted()
    // The base class hands its signal to nobody, and calls may run side by side.
    return this.signals.run(options?.signal, () => super.invoke(input, options))
  }

  override async _getRelevantDocuments(query: string): Promise<DocumentInterface[]> {
    const { memory, scope, minScore = -Infinity, touch = false, now = Date.now } = this.fields
    const at = now()
    const found = await this.search(query, at)
    const hits = found.filter(({ score }) => score >= minScore)
    if (touch && hits.length > 0)
      await memory.touch(
        scope,
        hits.map(({ record }) => record.id),
        at,
      )
    return hits.map(toDocument)
  }

  private async search(text: string, now: number): Promise<MemoryHit[]> {
    const { memory, scope, embeddings, k = 6, filter, coRecall, neighbours, fusion, weights, relevance } = this.fields
    const signal = this.signals.getStore()
    const vector = embeddings && unitVector(await embeddings.embedQuery(text))
    const ranking = { neighbours, fusion, weights, relevance, vector, signal }
    const given = Object.fromEntries(Object.entries(ranking).filter(([, value]) => value !== undefined)) as Partial<MemoryQuery>
    const query: MemoryQuery = { now, ...filter, ...given, scope, text, k }
    const hits = await memory.search(query)
    if (!coRecall) return hits
    const accept = createRecordTest(query)
    return expandByCoRecall(memory, hits, { ...coRecall, now, ...(accept && { accept }) })
  }
}

function toDocument({ record, score, words, similarity }: MemoryHit): Document {
  const scores = { score, words, ...(similarity !== undefined && { similarity }) }
  return new Document({ id: record.id, pageContent: record.text, metadata: { ...documentMetadata(record), ...scores } })
}
