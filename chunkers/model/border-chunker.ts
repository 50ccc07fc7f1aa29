import type { AsyncChunker, Chunk, ChunkOptions } from '../chunk.ts'
import type { CountedSpan } from '../cut-long.ts'
import type { Document } from '../document.ts'
import { checkChunkOptions, toChunksAsync } from '../make-chunk.ts'
import { closeUnits, sentenceUnits } from '../sentence-units.ts'
import { type BorderRules, chooseBorders } from './choose-borders.ts'
import type { ChunkingProgress } from './progress.ts'

/** A sentence, or a piece of one that is above the budget, with the tokens of itself and of the white space before it. */
export interface BorderUnit extends CountedSpan {
  readonly text: string
}

/** What a scorer is told beside the units. */
export interface ScoreGapsOptions {
  /** Size that pieces should have, in tokens: what lies closer together is no matter of borders. */
  readonly target: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: ChunkingProgress) => void
}

/** Says how likely each gap between the sentences of a document is to be a border. */
export interface BorderScorer {
  /** Names the model and the settings too: it is part of cache keys. */
  readonly name: string
  /** Raised when the scores change. */
  readonly version: number
  /**
   * One number a gap, so one less than there are units; a higher one is a likelier border, and -Infinity says that none should be there. The scale does
   * not matter: it is measured in standard deviations from the mean of the document.
   */
  scoreGaps(units: readonly BorderUnit[], options: ScoreGapsOptions): Promise<ArrayLike<number>>
}

/** How borders are chosen. Sizes are in tokens of the chunking's counter. */
export interface BorderOptions {
  /** Size that a chunk should have; 60 % of `maxTokens` by default. */
  readonly target?: number
  /** A smaller chunk is made only where none else is possible; a quarter of the target by default. */
  readonly min?: number
  /** Largest chunk; the lesser of `maxTokens` and eight times the target by default. */
  readonly max?: number
  /** How much sizes matter against scores: what a chunk of 2.7 times the target costs, in standard deviations of the scores. */
  readonly sizeWeight?: number
  /** What a border costs, in standard deviations of the scores: borders that bring less are made for the sizes' sake only. */
  readonly price?: number
  /** Told after each batch. */
  readonly onProgress?: (progress: ChunkingProgress) => void
}

const defaults = { sizeWeight: 1, price: 0.75 } as const

/** Share of the budget that a chunk should fill, and parts and multiples of the target that bound a chunk. */
const fill = 0.6
const least = 0.25
const most = 8

/**
 * A chunker of sentences that cuts where a scorer says, under the budget: of all ways to cut, it takes the one whose borders have the highest
 * scores, less what borders and odd sizes cost (exactly, by dynamic programming). A section always is a likely border, and its title never stands
 * at the end of a chunk where there is another way. Chunks leave out nothing but white space between them.
 *
 * It reads the whole document before the first chunk.
 *
 * @throws RangeError when an option is no number above 0 that fits the others; while it chunks, TypeError when the scorer gives too few or many
 * scores, or NaN or Infinity
 */
export function borderChunker(scorer: BorderScorer, options: BorderOptions = {}): AsyncChunker {
  checkOptions(options)
  const { onProgress: _, ...settings } = options
  const suffix = Object.keys(settings).length === 0 ? '' : ` ${JSON.stringify(settings)}`
  return {
    name: `${scorer.name}${suffix}`,
    version: scorer.version,
    chunk(document: Document, chunking: ChunkOptions): AsyncIterable<Chunk> {
      checkChunkOptions(chunking)
      return { [Symbol.asyncIterator]: () => toChunksAsync(document, cut(document, scorer, options, chunking), chunking) }
    },
  }
}

async function* cut(
  document: Document,
  scorer: BorderScorer,
  { onProgress, ...options }: BorderOptions,
  chunking: ChunkOptions,
): AsyncGenerator<CountedSpan> {
  const units: BorderUnit[] = []
  for (const { start, end, tokens } of sentenceUnits(document.text, 0, chunking)) {
    units.push({ start, end, tokens, text: document.slice(start, end) })
  }
  const rules = rulesOf(options, chunking.maxTokens)
  const { signal } = chunking
  const scores =
    units.length < 2
      ? []
      : await scorer.scoreGaps(units, { target: rules.target, ...(signal && { signal }), ...(onProgress && { onProgress }) })
  checkScores(scorer.name, scores, units.length - 1)
  const sizes = units.map(({ tokens }) => tokens)
  const starts = chooseBorders(sizes, adjust(standardise(scores), units, document), rules)
  for (const [at, start] of starts.entries()) yield* closeUnits(document.text, units.slice(start, starts[at + 1]), chunking)
}

function rulesOf({ target: wanted, min, max, sizeWeight, price }: BorderOptions, maxTokens: number): BorderRules {
  const target = Math.min(wanted ?? fill * maxTokens, maxTokens)
  return {
    target,
    min: min ?? least * target,
    max: Math.min(max ?? most * target, maxTokens),
    sizeWeight: sizeWeight ?? defaults.sizeWeight,
    price: price ?? defaults.price,
  }
}

/** Standard deviations from the mean of those that are finite. */
function standardise(scores: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(scores)
  const finite = values.filter((value) => value > -Infinity)
  const mean = finite.reduce((sum, value) => sum + value, 0) / finite.length
  const deviation = Math.sqrt(finite.reduce((sum, value) => sum + (value - mean) ** 2, 0) / finite.length)
  return values.map((value) => (value === -Infinity ? value : deviation > 0 ? (value - mean) / deviation : 0))
}

/** What the document itself says of gaps: a section is a border, and its title holds to what follows. */
function adjust(scores: Float64Array, units: readonly BorderUnit[], { sections }: Document): Float64Array {
  let [low, high] = [0, 0]
  for (const score of scores) if (score > -Infinity) [low, high] = [Math.min(low, score), Math.max(high, score)]
  let next = 0
  units.forEach(({ start, end }, at) => {
    let section = sections[next]
    while (section !== undefined && section.start <= start) {
      if (at > 0) scores[at - 1] = high
      if (at < scores.length && end < section.end) scores[at] = low - 1
      section = sections[++next]
    }
  })
  // A border that must not be is still better than none where the budget asks for one.
  return scores.map((score) => Math.max(score, low - 1))
}

function checkOptions({ target, min, max, sizeWeight, price }: BorderOptions): void {
  for (const [name, value] of Object.entries({ target, max })) {
    if (value !== undefined && !(value > 0)) throw new RangeError(`Cannot make a chunker as ${name} is not above 0: ${value}`)
  }
  for (const [name, value] of Object.entries({ min, sizeWeight })) {
    if (value !== undefined && !(value >= 0 && value < Infinity)) {
      throw new RangeError(`Cannot make a chunker as ${name} is no number of 0 or more: ${value}`)
    }
  }
  if (price !== undefined && !Number.isFinite(price)) throw new RangeError(`Cannot make a chunker as price is not finite: ${price}`)
  if (min !== undefined && min > (max ?? Infinity)) throw new RangeError(`Cannot make a chunker as min is above max, ${max}: ${min}`)
}

function checkScores(name: string, scores: ArrayLike<number>, gaps: number): void {
  if (scores.length !== Math.max(0, gaps))
    throw new TypeError(`Cannot cut with ${name} as it gave another number of scores than ${gaps}: ${scores.length}`)
  for (let at = 0; at < scores.length; at++) {
    const score = scores[at] ?? Number.NaN
    if (!(score < Infinity)) throw new TypeError(`Cannot cut with ${name} as the score of gap ${at} is no number: ${score}`)
  }
}
