import type { Document, Span } from './document.ts'

/** A piece of a document that fits a budget. `document.slice(start, end) === text`, always. */
export interface Chunk extends Span {
  readonly documentId: string
  /** Place in the order of the document, from 0. */
  readonly index: number
  readonly text: string
  /** Tokens of `text`, counted with the counter that cut it. */
  readonly tokens: number
  /** Titles of the sections that hold the start, outermost first. */
  readonly sections: readonly string[]
  /** SHA-256 of `text`, hexadecimal: equal text, equal hash. */
  readonly hash: string
  /**
   * What a reader must know of the chunk that stands elsewhere in the document: titles above it, the signature and class around a piece of code, the
   * header of a table, key phrases. Not part of `text`, nor of `tokens`; embedded and read in front of the text (`withContext`), with which it fits
   * `maxTokens`.
   */
  readonly context?: string
  /** The larger piece that holds the chunk: what is read once the chunk is found. */
  readonly parent?: Span
  /** Its vector, from chunkers that make one on the way. */
  readonly vector?: Float32Array
}

export interface ChunkOptions {
  /** Most tokens a chunk; never exceeded. */
  readonly maxTokens: number
  /** The model's own counter. */
  readonly count: (text: string) => number
  readonly signal?: AbortSignal
}

/**
 * Cuts a document. Chunks come in order, tile the text (no overlap, no gap but white space between them), never cut a CRLF or another grapheme,
 * except one that is above `maxTokens` by itself and never in a surrogate pair, never exceed `maxTokens`, also with their context in front, and are
 * the same every time. They are made while they are taken: the first comes before the document is cut to its end.
 */
export interface Chunker {
  readonly name: string
  /** Raised when the cuts change; part of cache keys. */
  readonly version: number
  chunk(document: Document, options: ChunkOptions): Iterable<Chunk>
}

/** A chunker that asks a model where to cut. It keeps the promises of `Chunker`. */
export interface AsyncChunker {
  readonly name: string
  /** Raised when the cuts change; part of cache keys. */
  readonly version: number
  chunk(document: Document, options: ChunkOptions): AsyncIterable<Chunk>
}
