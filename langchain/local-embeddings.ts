import { Embeddings, type EmbeddingsParams } from '@langchain/core/embeddings'
import { type LocalEmbedder, openLocalEmbedder } from '../models/index.ts'

export interface LocalEmbeddingsFields extends EmbeddingsParams {
  /** An embedder that is open already, which stays its owner's; the bundled all-MiniLM-L6-v2 by default, opened at the first call. */
  readonly embedder?: LocalEmbedder
  /** Threads of one run; 2 by default. Only for an embedder that is opened here. */
  readonly threads?: number
}

/** An embedder that runs in this process as embeddings of LangChain. Nothing is retried and nothing is downloaded. */
export class LocalEmbeddings extends Embeddings {
  private readonly given: LocalEmbedder | undefined
  private readonly threads: number | undefined
  private opening: Promise<LocalEmbedder> | undefined

  constructor(fields: LocalEmbeddingsFields = {}) {
    const { embedder, threads, ...params } = fields
    super({ ...params, maxRetries: 0 })
    this.given = embedder
    this.threads = threads
  }

  /** @returns one vector a text, in order */
  override async embedDocuments(texts: string[]): Promise<number[][]> {
    return (await this.embedder()).embedDocuments(texts)
  }

  override async embedQuery(text: string): Promise<number[]> {
    return (await this.embedder()).embedQuery(text)
  }

  /** Frees the embedder if it was opened here. */
  async dispose(): Promise<void> {
    await (await this.opening?.catch(() => undefined))?.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  private async embedder(): Promise<LocalEmbedder> {
    if (this.given !== undefined) return this.given
    const { threads } = this
    const opening = (this.opening ??= openLocalEmbedder(threads === undefined ? {} : { threads }))
    opening.catch(() => (this.opening = undefined)) // the next call may find the files
    return opening
  }
}
