import type { TokenEmbedder, TokenVectors } from '../../models/index.ts'
import type { Chunk, ChunkOptions } from '../chunk.ts'
import type { Document } from '../document.ts'
import { cutsSurrogatePair } from '../surrogates.ts'
import { checkVector, embedderName, embedTexts } from './embed-texts.ts'
import type { ChunkingProgress } from './progress.ts'

export interface PoolTokensOptions extends Pick<ChunkOptions, 'signal'> {
  readonly embedder: TokenEmbedder
  /** UTF-16 code units that go to the embedder in one pass. */
  readonly stretch: number
  /** What the token of a span of the document weighs; above 0. */
  readonly weightOf: (start: number, end: number) => number
  readonly onProgress?: (progress: ChunkingProgress) => void
}

/** Text around a stretch that is read with it, in UTF-16 code units: about half the window of a small encoder. */
const margin = 600

/**
 * Gives each chunk a vector of length 1: the weighted mean of its tokens' vectors, which were made with the text around the chunk in view. Chunks
 * come in order; those of one stretch are held back until it has been read.
 *
 * @throws TypeError when the embedder gives other numbers of vectors than of tokens, or one that is not finite
 */
export async function* poolTokens(
  document: Document,
  chunks: Iterable<Chunk> | AsyncIterable<Chunk>,
  options: PoolTokensOptions,
): AsyncGenerator<Chunk> {
  let held: Chunk[] = []
  for await (const chunk of chunks) {
    held.push(chunk)
    if (chunk.end - (held[0]?.start ?? 0) < options.stretch) continue
    yield* poolStretch(document, held, options)
    held = []
  }
  if (held.length > 0) yield* poolStretch(document, held, options)
}

async function* poolStretch(document: Document, chunks: readonly Chunk[], options: PoolTokensOptions): AsyncGenerator<Chunk> {
  const { embedder, signal, onProgress } = options
  const watch = signal ? { signal } : {}
  const { text } = document
  const end = chunks.at(-1)?.end ?? 0
  const from = placeNear(text, (chunks[0]?.start ?? 0) - margin)
  const found = await embedder.embedTokens([text.slice(from, placeNear(text, end + margin))], watch)
  const tokens = checkTokens(embedder, found)
  const sums = sumChunks(chunks, tokens, from, options)
  for (const [at, chunk] of chunks.entries()) {
    signal?.throwIfAborted()
    // Of a chunk whose characters the tokenizer leaves out there is no token.
    const vector = sums[at] ?? (await embedTexts(embedder, [chunk.text], watch))[0]
    yield vector ? { ...chunk, vector } : chunk
  }
  onProgress?.({ done: end, total: text.length })
}

function sumChunks(
  chunks: readonly Chunk[],
  { vectors, offsets }: TokenVectors,
  from: number,
  { embedder, weightOf }: PoolTokensOptions,
): (Float32Array | undefined)[] {
  const { dimensions } = embedder
  const sums: (Float64Array | undefined)[] = chunks.map(() => undefined)
  let at = 0
  for (let token = 0; token * 2 < offsets.length; token++) {
    const start = from + (offsets[2 * token] ?? 0)
    const end = from + (offsets[2 * token + 1] ?? 0)
    while (at < chunks.length && (chunks[at]?.end ?? 0) <= start) at++
    const chunk = chunks[at]
    if (chunk === undefined) break
    if (start === end || end <= chunk.start) continue
    const sum = (sums[at] ??= new Float64Array(dimensions))
    const weight = weightOf(start, end)
    for (let axis = 0; axis < dimensions; axis++) sum[axis] = (sum[axis] ?? 0) + weight * (vectors[token * dimensions + axis] ?? 0)
  }
  return sums.map((sum) => sum && normalise(sum))
}

function checkTokens(embedder: TokenEmbedder, [tokens, ...others]: readonly TokenVectors[]): TokenVectors {
  const name = embedderName(embedder)
  if (tokens === undefined || others.length > 0)
    throw new TypeError(`Cannot use the embedder ${name} as it gave the tokens of ${others.length + (tokens ? 1 : 0)} texts for 1`)
  const count = tokens.offsets.length / 2
  if (tokens.vectors.length !== count * embedder.dimensions) {
    throw new TypeError(
      `Cannot use the embedder ${name} as it gave ${tokens.vectors.length} numbers for ${count} tokens of ${embedder.dimensions}`,
    )
  }
  if (count > 0) checkVector(embedder, tokens.vectors, tokens.vectors.length)
  return tokens
}

function normalise(sum: Float64Array): Float32Array | undefined {
  const length = Math.hypot(...sum)
  return length > 0 ? Float32Array.from(sum, (value) => value / length) : undefined
}

function placeNear(text: string, at: number): number {
  const place = Math.max(0, Math.min(text.length, at))
  return cutsSurrogatePair(text, place) ? place - 1 : place
}
