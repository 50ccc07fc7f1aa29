import type { LikelihoodModel, LikelihoodQuery } from '../../models/index.ts'
import type { AsyncChunker } from '../chunk.ts'
import { cutsSurrogatePair } from '../surrogates.ts'
import { borderChunker, type BorderOptions, type BorderUnit, type ScoreGapsOptions } from './border-chunker.ts'

export interface LikelihoodChunkerOptions extends BorderOptions {
  readonly model: LikelihoodModel
  /** Tokens of the model before a gap that it reads; 96 by default. */
  readonly context?: number
  /** Tokens of the model after a gap that it judges; 48 by default. */
  readonly ahead?: number
  /** Most gaps that are judged; in a longer document they are spread evenly and cuts are made at them only. 2,000 by default. */
  readonly maxGaps?: number
}

/** What stands in the place of a context: an empty prefix has no probability with models that have no start token. */
const noContext = '\n'

/** Gaps judged in one call, so that a signal is looked at in between. */
const batch = 32

/**
 * Cuts where what was said does not help to foretell what comes: a gap scores high when the text after it is hardly likelier after the text before it than
 * by itself, a token. What perplexity is to a text, this is to a border; the measure without the second term (Zhao et al., "Meta-Chunking", 2024,
 * arXiv 2410.12788) takes a rare word for a new subject.
 *
 * Each gap costs `context` and twice `ahead` tokens of reading at most, which `onProgress` reports; `maxGaps` bounds the whole.
 *
 * @throws RangeError when a setting is no whole number above 0, or `context` and `ahead` together are above the model's window
 */
export function likelihood(options: LikelihoodChunkerOptions): AsyncChunker {
  const { model, context = 96, ahead = 48, maxGaps = 2_000, ...borders } = options
  for (const [name, value] of Object.entries({ context, ahead, maxGaps })) {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`Cannot make a chunker as ${name} is no whole number above 0: ${value}`)
  }
  // One token more may come of joining, and one of the start.
  if (context + ahead + 2 > model.window) {
    throw new RangeError(
      `Cannot make a chunker as context and ahead are above the window of ${model.id}, ${model.window}: ${context} + ${ahead}`,
    )
  }
  return borderChunker(
    {
      name: `likelihood ${model.id} ${context}/${ahead}/${maxGaps}`,
      version: 1,
      scoreGaps: (units, watch) => scoreGaps(units, { model, context, ahead, maxGaps }, watch),
    },
    borders,
  )
}

interface Reading {
  readonly model: LikelihoodModel
  readonly context: number
  readonly ahead: number
  readonly maxGaps: number
}

async function scoreGaps(units: readonly BorderUnit[], reading: Reading, { signal, onProgress }: ScoreGapsOptions): Promise<Float64Array> {
  const { model } = reading
  const scores = new Float64Array(units.length - 1).fill(-Infinity)
  const gaps = spreadGaps(units, reading.maxGaps)
  let tokens = 0
  for (let at = 0; at < gaps.length; at += batch) {
    signal?.throwIfAborted()
    const asked = gaps.slice(at, at + batch)
    const after = asked.map((gap) => queryAt(units, gap, reading))
    const alone = after.map(({ text }) => ({ prefix: noContext, text }))
    const queries = [...after, ...alone]
    const found = await model.logProbs(queries, signal ? { signal } : {})
    if (found.length !== queries.length)
      throw new TypeError(`Cannot use the model ${model.id} as it gave ${found.length} likelihoods for ${queries.length} texts`)
    asked.forEach((gap, index) => {
      const [with_, without] = [found[index], found[index + asked.length]]
      const length = Math.max(1, with_?.tokens.length ?? 0)
      scores[gap] = ((without?.logProb ?? 0) - (with_?.logProb ?? 0)) / length
    })
    for (const { prefix, text } of queries) tokens += model.count(prefix) + model.count(text)
    onProgress?.({ done: at + asked.length, total: gaps.length, tokens })
  }
  return scores
}

/** Indices of the gaps to judge: all, or the last of each of so many equal parts of the text. */
function spreadGaps(units: readonly BorderUnit[], most: number): number[] {
  const gaps = units.slice(1).map((_, at) => at)
  if (gaps.length <= most) return gaps
  const total = units.reduce((sum, { tokens }) => sum + tokens, 0)
  let before = 0
  return gaps.filter((gap) => {
    const part = Math.floor((before * most) / total)
    before += units[gap]?.tokens ?? 0
    return Math.floor((before * most) / total) > part
  })
}

function queryAt(units: readonly BorderUnit[], gap: number, { model, context, ahead }: Reading): LikelihoodQuery {
  const count = (text: string): number => model.count(text)
  let text = ''
  for (let at = gap + 1; at < units.length && count(text) < ahead; at++) text += ` ${units[at]?.text}`
  let prefix = ''
  for (let at = gap; at >= 0 && count(prefix) < context; at--)
    prefix = prefix === '' ? (units[at]?.text ?? '') : `${units[at]?.text} ${prefix}`
  return { prefix: shorten(prefix, context, count, 'end'), text: shorten(text, ahead, count, 'start') }
}

/** The part of a text at one of its ends that has at most `most` tokens. */
function shorten(text: string, most: number, count: (text: string) => number, kept: 'start' | 'end'): string {
  let part = text
  for (let tokens = count(part); tokens > most && part.length > 1; tokens = count(part)) {
    const length = Math.min(part.length - 1, Math.max(1, Math.floor((part.length * most) / tokens)))
    let cut = kept === 'start' ? length : part.length - length
    if (cutsSurrogatePair(part, cut)) cut += kept === 'start' ? -1 : 1
    part = kept === 'start' ? part.slice(0, cut) : part.slice(cut)
  }
  return part
}
