import { randomUUID } from 'node:crypto'
import { Document, type DocumentInterface } from '@langchain/core/documents'
import type { EmbeddingsInterface } from '@langchain/core/embeddings'
import { maximalMarginalRelevance } from '@langchain/core/utils/math'
import { type MaxMarginalRelevanceSearchOptions, VectorStore } from '@langchain/core/vectorstores'
import {
  allRecords,
  createRecordTest,
  type JsonValue,
  type MemoryHit,
  type MemoryQuery,
  type MemoryRecord,
  type MemoryStore,
} from '../memory/index.ts'
import { checkEmbeddings, unitVector } from './check-embeddings.ts'
import { documentMetadata, joinFilters, type MemoryFilter } from './memory-filter.ts'

export interface VectorStoreConfig {
  readonly memory: MemoryStore
  /** Whose records: no other scope is read, written or deleted. */
  readonly scope: string
  /** The document that added texts become part of where their metadata names no `documentId`; `langchain` by default. */
  readonly documentId?: string
  /** Holds for every search and deletion, besides the filter of the call. */
  readonly filter?: MemoryFilter
  /** Searches by words too, and scores by both: from 0 to 1 in place of a cosine similarity. */
  readonly hybrid?: boolean
  /** Which model the embeddings are of, where they do not say so with an `id`: vectors of another model than the store's are refused. */
  readonly embedderId?: string
}

export interface AddOptions {
  /** Ids of the documents, in order; by default those that they have, or new ones. A document with a known id takes its place. */
  readonly ids?: readonly (string | undefined)[]
}

/** What to delete: the documents with these ids, or all that a filter means. */
export interface DeleteParams {
  readonly ids?: readonly string[]
  readonly filter?: MemoryFilter
}

/** One scope of a memory store as a vector store of LangChain. */
export class ScriptoriumVectorStore extends VectorStore {
  declare FilterType: MemoryFilter
  private readonly memory: MemoryStore
  private readonly config: VectorStoreConfig

  /**
   * @throws StoreError `mismatch` when the store holds another model's vectors
   * @throws TypeError when the store names its embedder and the embeddings do not, or the scope is empty
   */
  constructor(embeddings: EmbeddingsInterface, config: VectorStoreConfig) {
    super(embeddings, {})
    if (!config.scope) throw new TypeError(`Cannot make a vector store as its scope is empty: ${config.scope}`)
    checkEmbeddings(config.memory, embeddings, config.embedderId)
    joinFilters(config.filter)
    this.memory = config.memory
    this.config = config
  }

  override _vectorstoreType(): string {
    return 'scriptorium'
  }

  /** @returns the ids, in order */
  override async addDocuments(documents: DocumentInterface[], options: AddOptions = {}): Promise<string[]> {
    const vectors = await this.embeddings.embedDocuments(documents.map(({ pageContent }) => pageContent))
    return this.addVectors(vectors, documents, options)
  }

  /**
   * @returns the ids, in order
   * @throws RangeError when there are not as many vectors as documents, or a component is not finite
   * @throws StoreError `mismatch` when vectors are of another length than the store's
   */
  override async addVectors(vectors: number[][], documents: DocumentInterface[], options: AddOptions = {}): Promise<string[]> {
    if (vectors.length !== documents.length) {
      throw new RangeError(`Cannot add documents as there are ${documents.length} with ${vectors.length} vectors: give one for each`)
    }
    const { ids = [] } = options
    const places = new Map<string, number>()
    const records: MemoryRecord[] = []
    for (const [at, document] of documents.entries()) {
      const id = ids[at] ?? document.id ?? randomUUID()
      records.push(await this.recordOf(document, id, vectors[at] ?? [], places))
    }
    await this.memory.put(records)
    return records.map(({ id }) => id)
  }

  /** @throws TypeError when neither ids nor a filter are given: an empty order must not delete all */
  override async delete(params: DeleteParams = {}): Promise<void> {
    const { ids, filter } = params
    if (!ids && (!filter || Object.keys(filter).length === 0)) {
      throw new TypeError('Cannot delete as neither ids nor a filter are given. To delete a whole scope, erase it')
    }
    await this.memory.delete(this.config.scope, ids ? await this.ownIds(ids) : await this.idsOf(joinFilters(this.config.filter, filter)))
  }

  /** With cosine similarities, also of a hybrid store: there are no words to go by. */
  override async similaritySearchVectorWithScore(
    query: number[],
    k: number,
    filter?: MemoryFilter,
  ): Promise<[DocumentInterface, number][]> {
    return this.scored(await this.find(query, { k, fusion: 'vectors' }, filter))
  }

  override async similaritySearchWithScore(query: string, k = 4, filter?: MemoryFilter): Promise<[DocumentInterface, number][]> {
    const vector = await this.embeddings.embedQuery(query)
    if (!this.config.hybrid) return this.similaritySearchVectorWithScore(vector, k, filter)
    const hits = await this.find(vector, { k, text: query }, filter)
    return hits.map(({ record, score }) => [toDocument(record), score])
  }

  override async similaritySearch(query: string, k = 4, filter?: MemoryFilter): Promise<DocumentInterface[]> {
    return (await this.similaritySearchWithScore(query, k, filter)).map(([document]) => document)
  }

  /** Of `fetchK` candidates (20), `k` that are near the query and unlike each other; `lambda` (0.5) is the share of nearness. */
  override async maxMarginalRelevanceSearch(
    query: string,
    options: MaxMarginalRelevanceSearchOptions<MemoryFilter>,
  ): Promise<DocumentInterface[]> {
    const { k, fetchK = 20, lambda = 0.5, filter } = options
    const vector = await this.embeddings.embedQuery(query)
    const hits = await this.find(
      vector,
      { k: Math.max(k, fetchK), ...(this.config.hybrid ? { text: query } : { fusion: 'vectors' }) },
      filter,
    )
    const records = hits.map(({ record }) => record).filter((record) => record.vector !== undefined)
    const chosen = maximalMarginalRelevance(
      vector,
      records.map((record) => [...(record.vector ?? [])]),
      lambda,
      k,
    )
    return chosen.flatMap((at) => records.slice(at, at + 1).map(toDocument))
  }

  static override async fromTexts(
    texts: string[],
    metadatas: object[] | object,
    embeddings: EmbeddingsInterface,
    config: VectorStoreConfig,
  ): Promise<ScriptoriumVectorStore> {
    const metadataOf = (at: number): Record<string, unknown> => ({
      ...(Array.isArray(metadatas) ? (metadatas as object[])[at] : metadatas),
    })
    const documents = texts.map((pageContent, at) => new Document({ pageContent, metadata: metadataOf(at) }))
    return ScriptoriumVectorStore.fromDocuments(documents, embeddings, config)
  }

  static override async fromDocuments(
    documents: DocumentInterface[],
    embeddings: EmbeddingsInterface,
    config: VectorStoreConfig,
  ): Promise<ScriptoriumVectorStore> {
    const store = new ScriptoriumVectorStore(embeddings, config)
    await store.addDocuments(documents)
    return store
  }

  /** Over what the scope holds already, turns and facts too. */
  static async fromExistingIndex(embeddings: EmbeddingsInterface, config: VectorStoreConfig): Promise<ScriptoriumVectorStore> {
    return new ScriptoriumVectorStore(embeddings, config)
  }

  private async find(
    vector: number[],
    query: Pick<MemoryQuery, 'k' | 'fusion'> & { readonly text?: string },
    filter?: MemoryFilter,
  ): Promise<MemoryHit[]> {
    const joined = joinFilters(this.config.filter, filter)
    return this.memory.search({ now: Date.now(), text: '', ...query, ...joined, scope: this.config.scope, vector: unitVector(vector) })
  }

  private scored(hits: readonly MemoryHit[]): [DocumentInterface, number][] {
    return hits.map(({ record, similarity = 0 }) => [toDocument(record), similarity])
  }

  /** @param places next place of each document, filled as it is asked for */
  private async recordOf(
    { pageContent: text, metadata }: DocumentInterface,
    id: string,
    vector: readonly number[],
    places: Map<string, number>,
  ): Promise<MemoryRecord> {
    const { scope, documentId: home = 'langchain' } = this.config
    const { documentId: named }: { documentId?: unknown } = metadata
    const documentId = typeof named === 'string' && named !== '' ? named : home
    const known = await this.memory.get(scope, id)
    const next = places.get(documentId) ?? ((await this.memory.list(scope, documentId, { limit: 1, newest: true })).at(-1)?.index ?? -1) + 1
    const isSamePlace = known?.documentId === documentId
    places.set(documentId, isSamePlace ? next : next + 1)
    return {
      id,
      scope,
      documentId,
      start: 0,
      end: text.length,
      index: isSamePlace ? known.index : next,
      text,
      kind: 'passage',
      vector: unitVector(vector),
      metadata: JSON.parse(JSON.stringify(metadata)) as Record<string, JsonValue>,
    }
  }

  /** Those of the ids that the store's own filter means. */
  private async ownIds(ids: readonly string[]): Promise<string[]> {
    const { scope, filter = {} } = this.config
    const test = createRecordTest({ ...filter, scope })
    const records = await Promise.all(ids.map((id) => this.memory.get(scope, id)))
    return records
      .filter((record) => record !== undefined)
      .filter((record) => test?.(record) ?? true)
      .map(({ id }) => id)
  }

  private async idsOf(filter: MemoryFilter): Promise<string[]> {
    const {
      memory,
      config: { scope },
    } = this
    const test = createRecordTest({ ...filter, scope })
    const ids: string[] = []
    for await (const record of allRecords(memory, scope, filter.documentIds ? { documentIds: filter.documentIds } : {})) {
      if (test?.(record) ?? true) ids.push(record.id)
    }
    return ids
  }
}

function toDocument(record: MemoryRecord): Document {
  return new Document({ id: record.id, pageContent: record.text, metadata: documentMetadata(record) })
}
