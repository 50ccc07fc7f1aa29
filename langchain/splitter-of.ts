import { BaseDocumentTransformer, Document, type DocumentInterface } from '@langchain/core/documents'
import { approximateCount } from '../models/index.ts'
import { type Chunker, createDocument } from '../chunkers/index.ts'
import { fromDocument } from './from-documents.ts'

export interface SplitterOptions {
  /** Most tokens a chunk; 512 by default. */
  readonly maxTokens?: number
  /** Tokens of a text; a cautious approximation by default. A model's own counter is `describe(model).count`. */
  readonly count?: (text: string) => number
}

/** Cuts texts and LangChain's documents, with the methods of LangChain's text splitters. */
export class ChunkerSplitter extends BaseDocumentTransformer {
  static override lc_name(): string {
    return 'ChunkerSplitter'
  }

  override lc_namespace: string[] = ['scriptorium', 'langchain']
  private readonly chunker: Chunker
  private readonly limits: Required<SplitterOptions>

  constructor(chunker: Chunker, options: SplitterOptions = {}) {
    super()
    const { maxTokens = 512, count = approximateCount } = options
    this.chunker = chunker
    this.limits = { maxTokens, count }
  }

  async splitText(text: string): Promise<string[]> {
    const document = createDocument({ text, name: 'text' })
    return Array.from(this.chunker.chunk(document, this.limits), (chunk) => chunk.text)
  }

  /** @param metadatas of the texts, in their order */
  async createDocuments(texts: readonly string[], metadatas: readonly Record<string, unknown>[] = []): Promise<Document[]> {
    return this.splitDocuments(texts.map((pageContent, at) => new Document({ pageContent, metadata: metadatas[at] ?? {} })))
  }

  /**
   * The chunks of documents, in order. Each keeps the metadata of its document, and says where it lies: `loc` as of LangChain's splitters, `start` and
   * `end` in UTF-16 code units, and the titles of its `sections`.
   */
  async splitDocuments(documents: readonly DocumentInterface[]): Promise<Document[]> {
    return documents.flatMap((document, place) => {
      const whole = fromDocument(document, place)
      return Array.from(this.chunker.chunk(whole, this.limits), ({ text, start, end, sections, tokens }) => {
        const lines = { from: whole.locate(start).line, to: whole.locate(end).line }
        return new Document({ pageContent: text, metadata: { ...document.metadata, start, end, sections, tokens, loc: { lines } } })
      })
    })
  }

  override async transformDocuments(documents: DocumentInterface[]): Promise<DocumentInterface[]> {
    return this.splitDocuments(documents)
  }
}

/**
 * A chunker as a text splitter of LangChain: `splitText`, `createDocuments` and `splitDocuments`, and a step of a chain from documents to documents. It never
 * overlaps chunks and never exceeds `maxTokens`.
 */
export function splitterOf(chunker: Chunker, options: SplitterOptions = {}): ChunkerSplitter {
  return new ChunkerSplitter(chunker, options)
}
