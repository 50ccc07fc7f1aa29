import { BaseDocumentTransformer, Document, type DocumentInterface } from '@langchain/core/documents'
import type { RunnableConfig } from '@langchain/core/runnables'
import { approximateCount } from '../models/index.ts'
import { type AsyncChunker, type Chunk, type Chunker, createDocument } from '../chunkers/index.ts'
import { fromDocument } from './from-documents.ts'

export interface SplitterOptions {
  /** Most tokens a chunk; 512 by default. */
  readonly maxTokens?: number
  /** Tokens of a text; a cautious approximation by default. A model's own counter is `describe(model).count`. */
  readonly count?: (text: string) => number
}

/** What LangChain's splitters put in front of the text of chunks. */
export interface ChunkHeaderOptions {
  readonly chunkHeader?: string
  /** Put in front of all chunks of a text but the first, behind the header, where `appendChunkOverlapHeader` says so. */
  readonly chunkOverlapHeader?: string
  readonly appendChunkOverlapHeader?: boolean
}

/**
 * Cuts texts and LangChain's documents, with the methods and fields of LangChain's `TextSplitter`. It does not extend that class: `langchain` no longer
 * brings its package along, and what it would lend (separators, merging, overlap) is what a chunker does itself.
 */
export class ChunkerSplitter extends BaseDocumentTransformer {
  static override lc_name(): string {
    return 'ChunkerSplitter'
  }

  override lc_namespace: string[] = ['scriptorium', 'langchain']
  /** Most tokens a chunk. */
  readonly chunkSize: number
  /** Chunks never overlap. */
  readonly chunkOverlap: number = 0
  /** Nothing of the text is dropped but white space between chunks. */
  readonly keepSeparator: boolean = true
  /** Counts what `chunkSize` limits. */
  readonly lengthFunction: (text: string) => number
  private readonly chunker: Chunker | AsyncChunker

  constructor(chunker: Chunker | AsyncChunker, options: SplitterOptions = {}) {
    super()
    const { maxTokens = 512, count = approximateCount } = options
    this.chunker = chunker
    this.chunkSize = maxTokens
    this.lengthFunction = count
  }

  async splitText(text: string): Promise<string[]> {
    const texts: string[] = []
    for await (const chunk of this.chunksOf(createDocument({ text, name: 'text' }))) texts.push(chunk.text)
    return texts
  }

  /** @param metadatas of the texts, in their order */
  async createDocuments(
    texts: readonly string[],
    metadatas: readonly Record<string, unknown>[] = [],
    headers: ChunkHeaderOptions = {},
  ): Promise<Document[]> {
    return this.splitDocuments(
      texts.map((pageContent, at) => new Document({ pageContent, metadata: metadatas[at] ?? {} })),
      headers,
    )
  }

  /**
   * The chunks of documents, in order. Each keeps the metadata of its document, and says where it lies: `loc` as of LangChain's splitters, `start` and
   * `end` in UTF-16 code units, the titles of its `sections`, and where its chunker gives them its `context` and its `parent`.
   */
  async splitDocuments(documents: readonly DocumentInterface[], headers: ChunkHeaderOptions = {}): Promise<Document[]> {
    return this.split(documents, headers)
  }

  override async transformDocuments(documents: DocumentInterface[], headers: ChunkHeaderOptions = {}): Promise<Document[]> {
    return this.split(documents, headers)
  }

  /** A step of a chain; it stops with the signal of its configuration. */
  override async invoke(documents: DocumentInterface[], config?: RunnableConfig): Promise<Document[]> {
    return this.split(documents, {}, config?.signal)
  }

  private async split(documents: readonly DocumentInterface[], headers: ChunkHeaderOptions, signal?: AbortSignal): Promise<Document[]> {
    const { chunkHeader = '', chunkOverlapHeader = "(cont'd) ", appendChunkOverlapHeader = false } = headers
    const parts: Document[] = []
    for (const [place, document] of documents.entries()) {
      const whole = fromDocument(document, place)
      for await (const { index, text, start, end, sections, tokens, context, parent } of this.chunksOf(whole, signal)) {
        const header = index > 0 && appendChunkOverlapHeader ? chunkHeader + chunkOverlapHeader : chunkHeader
        const metadata = {
          ...document.metadata,
          start,
          end,
          sections,
          tokens,
          ...(context !== undefined && { context }),
          ...(parent !== undefined && { parent }),
          loc: { ...locOf(document), lines: { from: whole.locate(start).line, to: whole.locate(end).line } },
        }
        parts.push(new Document({ pageContent: header + text, metadata }))
      }
    }
    return parts
  }

  private chunksOf(document: Parameters<Chunker['chunk']>[0], signal?: AbortSignal): Iterable<Chunk> | AsyncIterable<Chunk> {
    const limits = { maxTokens: this.chunkSize, count: this.lengthFunction }
    return this.chunker.chunk(document, signal ? { ...limits, signal } : limits)
  }
}

/** What a loader of LangChain said of the place of a document, such as its page. */
function locOf({ metadata }: DocumentInterface): object {
  const { loc }: { loc?: unknown } = metadata
  return typeof loc === 'object' && loc !== null ? loc : {}
}

/**
 * A chunker as a text splitter of LangChain: `splitText`, `createDocuments` and `splitDocuments`, and a step of a chain from documents to documents. It never
 * overlaps chunks and never exceeds `maxTokens`.
 */
export function splitterOf(chunker: Chunker | AsyncChunker, options: SplitterOptions = {}): ChunkerSplitter {
  return new ChunkerSplitter(chunker, options)
}
