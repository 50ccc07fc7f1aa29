import type { TokenVectors } from '../attention/index.ts'

/** Text to vectors of one length. LangChain's `Embeddings` satisfies it as it is. */
export interface Embedder {
  /** One vector a text, in order. An empty list gives an empty list. */
  embedDocuments(texts: string[]): Promise<number[][]>
  /** The vector of a query. */
  embedQuery(text: string): Promise<number[]>
}

/** An embedder that says which model it is, how long its vectors are, and takes a signal. An index keeps `id` and refuses others. */
export interface NamedEmbedder extends Embedder {
  readonly id: string
  readonly dimensions: number
  embed(
    texts: readonly string[],
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (done: number) => void },
  ): Promise<Float32Array[]>
}

/** An embedder that also gives the vectors of single tokens, of which a text's vector is the mean. */
export interface TokenEmbedder extends NamedEmbedder {
  /** Vectors and places of the tokens of each text, in order; a text longer than the model's window is read in windows that overlap. */
  embedTokens(
    texts: readonly string[],
    options?: { readonly signal?: AbortSignal; readonly onProgress?: (done: number) => void },
  ): Promise<TokenVectors[]>
}
