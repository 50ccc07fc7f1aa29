/**
 * Which heads of a model retrieve: calibrated once a model on generated passages, after the retrieval heads of Wu et al. (2024) and HeadKV (Fu et
 * al., 2025, section 3.1); as the weights are read off the question's own tokens and not while an answer is written, nothing is generated.
 */
import { type AttentionHead, attentionWeights, type Decoder, type Observation } from '../attention/index.ts'
import { encodeStart } from './encode-start.ts'
import { generateNeedle, type GeneratedNeedle } from './generated-needles.ts'

/** A head, and how well it finds. */
export interface ProfiledHead extends AttentionHead {
  /** Mean share of the other sentences that get less of the head's weight than the one that answers, from 0 to 1; 0.5 is chance. */
  readonly rank: number
  /** Mean share of the weight on sentences that lies on the one that answers. */
  readonly share: number
}

export interface HeadProfile {
  readonly version: 1
  /** All heads, best first. */
  readonly heads: readonly ProfiledHead[]
  /** What it was made with. */
  readonly settings: { readonly samples: number; readonly sentences: number; readonly seed: number }
}

export interface ProfileOptions {
  /** Passages; 24 by default. */
  readonly samples?: number
  /** Sentences of a passage; 40 by default, about 700 tokens. */
  readonly sentences?: number
  readonly seed?: number
  readonly signal?: AbortSignal
  /** A share from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/** Measures all heads of a decoder. */
export async function profileHeads(decoder: Decoder, options: ProfileOptions = {}): Promise<HeadProfile> {
  const { samples = 24, sentences = 40, seed = 1, signal, onProgress } = options
  const { layers, heads } = decoder.config
  const ranks = new Float64Array(layers * heads)
  const shares = new Float64Array(layers * heads)
  for (let sample = 0; sample < samples; sample++) {
    const found = await weighSentences(decoder, generateNeedle(sentences, seed + sample), signal)
    for (const [index, { rank, share }] of found.entries()) {
      ranks[index] = (ranks[index] ?? 0) + rank / samples
      shares[index] = (shares[index] ?? 0) + share / samples
    }
    onProgress?.((sample + 1) / samples)
  }
  const all = Array.from(ranks, (rank, index) => {
    return { layer: Math.floor(index / heads), head: index % heads, rank: rounded(rank), share: rounded(shares[index] ?? 0) }
  })
  return { version: 1, heads: all.toSorted((a, b) => b.rank - a.rank || b.share - a.share), settings: { samples, sentences, seed } }
}

interface Found {
  readonly rank: number
  readonly share: number
}

/** What each head, by layer, makes of one passage. */
async function weighSentences(decoder: Decoder, generated: GeneratedNeedle, signal: AbortSignal | undefined): Promise<Found[]> {
  const { tokenizer, config } = decoder
  const ids = encodeStart(tokenizer, 'Passage:')
  const spans = generated.sentences.map((sentence) => {
    const start = ids.length
    ids.push(...tokenizer.encode(` ${sentence}`))
    return { start, end: ids.length }
  })
  ids.push(...tokenizer.encode('\nQuestion:'))
  const found: Found[] = []
  const onQueries = (seen: Observation): void => {
    for (let head = 0; head < config.heads; head++) {
      const weights = attentionWeights(config, seen, head)
      const masses = spans.map(({ start, end }) => massOf(weights, seen.rows, start, end))
      found.push(judge(masses, generated.needle))
    }
  }
  using cache = decoder.createCache()
  await decoder.prefill(ids, cache, signal === undefined ? {} : { signal })
  const question = tokenizer.encode(` ${generated.question}`)
  await decoder.prefill(question, cache, { observe: { onQueries }, ...(signal === undefined ? {} : { signal }) })
  return found
}

/** Mean weight a token of `[start, end)` over all rows. */
function massOf(weights: Float32Array, rows: number, start: number, end: number): number {
  const width = weights.length / rows
  let sum = 0
  for (let row = 0; row < rows; row++) for (let token = start; token < end; token++) sum += weights[row * width + token] ?? 0
  return sum / (rows * (end - start))
}

function judge(masses: readonly number[], needle: number): Found {
  const own = masses[needle] ?? 0
  const total = masses.reduce((sum, mass) => sum + mass, 0)
  const below = masses.filter((mass) => mass < own).length
  return { rank: below / Math.max(1, masses.length - 1), share: total === 0 ? 0 : own / total }
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
