import type { Embedder, NamedEmbedder } from '../../models/index.ts'
import type { AsyncChunker, Chunk, ChunkOptions } from '../chunk.ts'
import type { CountedSpan } from '../cut-long.ts'
import type { Document } from '../document.ts'
import { checkChunkOptions, type ChunkPiece, toChunksAsync } from '../make-chunk.ts'
import { closeUnits, sentenceUnits } from '../sentence-units.ts'
import { withContext } from '../with-context.ts'
import { embedderName, embedTexts } from './embed-texts.ts'

export interface InContextOptions {
  readonly embedder: Embedder | NamedEmbedder
  /** Sentences on each side that are its context; 4 by default. */
  readonly reach?: number
  /** Share of the sentence itself in its vector, above 0 and at most 1; 0.5 by default. */
  readonly own?: number
}

/** Sentences of one call to the embedder. */
const BATCH = 64

/** Under this limit a sentence may fill it, and context goes along where it happens to fit. */
const LEAST_LIMIT = 32

/**
 * Single sentences, to be found by what is said around them. The vector of a chunk is the sentence's own and the mean of its neighbours', weighed
 * by 1 / (1 + distance); its context is the text of the neighbours, as many on both sides as fit `maxTokens`, by whose words it is found too. So little
 * is read and little is missed: `bench chunking` has the figures. Each sentence is embedded once, by itself; one above half of `maxTokens` is cut.
 *
 * @throws RangeError when `reach` is not a whole number above 0, or `own` not above 0 and at most 1
 */
export function inContext({ embedder, reach = 4, own = 0.5 }: InContextOptions): AsyncChunker {
  if (!Number.isInteger(reach) || reach < 1)
    throw new RangeError(`Cannot cut sentences in context as reach is not a whole number of 1 or more: ${reach}`)
  if (!(own > 0 && own <= 1)) throw new RangeError(`Cannot cut sentences in context as own is not above 0 and at most 1: ${own}`)
  return {
    name: `in-context-${reach}-${own} ${embedderName(embedder)}`,
    version: 1,
    chunk(document: Document, options: ChunkOptions): AsyncIterable<Chunk> {
      checkChunkOptions(options)
      return {
        [Symbol.asyncIterator]: () => toChunksAsync(document, placed(document, options, { embedder, reach, own }), options),
      }
    },
  }
}

interface Sentence extends CountedSpan {
  readonly text: string
  readonly vector: Float32Array
}

async function* placed(document: Document, options: ChunkOptions, settings: Required<InContextOptions>): AsyncGenerator<ChunkPiece> {
  const { reach } = settings
  let held: Sentence[] = []
  let next = 0
  for await (const batch of embedded(document.text, options, settings.embedder)) {
    held.push(...batch)
    for (; next + reach < held.length; next++) yield pieceOf(held, next, options, settings)
    const gone = Math.max(0, next - reach)
    held = held.slice(gone)
    next -= gone
  }
  for (; next < held.length; next++) yield pieceOf(held, next, options, settings)
}

async function* embedded(text: string, options: ChunkOptions, embedder: InContextOptions['embedder']): AsyncGenerator<readonly Sentence[]> {
  const { maxTokens, signal } = options
  const limits = { ...options, maxTokens: maxTokens < LEAST_LIMIT ? maxTokens : Math.floor(maxTokens / 2) }
  let spans: CountedSpan[] = []
  const embedSpans = async (): Promise<Sentence[]> => {
    const texts = spans.map(({ start, end }) => text.slice(start, end))
    const vectors = await embedTexts(embedder, texts, signal ? { signal } : {})
    return spans.map((span, at) => ({ ...span, text: texts[at] as string, vector: vectors[at] as Float32Array }))
  }
  for (const sentence of sentenceUnits(text, 0, limits)) {
    spans.push(...closeUnits(text, [sentence], limits))
    if (spans.length < BATCH) continue
    yield await embedSpans()
    spans = []
  }
  if (spans.length > 0) yield await embedSpans()
}

function pieceOf(held: readonly Sentence[], at: number, options: ChunkOptions, { reach, own }: Required<InContextOptions>): ChunkPiece {
  const { start, end, tokens } = held[at] as Sentence
  const context = contextOf(held, at, options, reach)
  return { start, end, tokens, vector: vectorOf(held, at, { reach, own }), ...(context === undefined ? {} : { context }) }
}

/** The text of as many neighbours as fit, the same number on both sides. Their own counts say where it is worth counting. */
function contextOf(held: readonly Sentence[], at: number, { maxTokens, count }: ChunkOptions, reach: number): string | undefined {
  const { text } = held[at] as Sentence
  for (let wide = reach; wide > 0; wide--) {
    const around = [...held.slice(Math.max(0, at - wide), at), ...held.slice(at + 1, at + 1 + wide)]
    if (around.length === 0) return undefined
    if (around.reduce((sum, { tokens }) => sum + tokens, held[at]!.tokens) > maxTokens) continue
    const context = around.map((sentence) => sentence.text).join(' ')
    if (count(withContext({ context, text })) <= maxTokens) return context
  }
  return undefined
}

/** The sentence's vector, leaning to its neighbours'; of length 1, where it is not 0. */
function vectorOf(held: readonly Sentence[], at: number, { reach, own }: Pick<Required<InContextOptions>, 'reach' | 'own'>): Float32Array {
  const self = unit((held[at] as Sentence).vector)
  const sum = new Float32Array(self.length)
  for (let other = Math.max(0, at - reach); other <= Math.min(held.length - 1, at + reach); other++) {
    if (other === at) continue
    const weight = 1 / (1 + Math.abs(other - at))
    unit((held[other] as Sentence).vector).forEach((value, place) => (sum[place] = (sum[place] as number) + weight * value))
  }
  const around = unit(sum)
  return unit(self.map((value, place) => own * value + (1 - own) * (around[place] as number)))
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector)
  return length === 0 ? vector : vector.map((value) => value / length)
}
