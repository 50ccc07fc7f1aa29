/** Attention weights of many texts on spans of what comes before them, read off the pass that scores the texts. */
import { type AttentionHead, attentionWeights, type DecoderConfig, type Observation, type ObserveOptions } from '../attention/index.ts'

/** Tokens `[start, end)`. */
export type TokenRange = readonly [start: number, end: number]

/** One text to be weighed, by indices in the cache it is run in. */
export interface WeighedText {
  /** Index of its first token. */
  readonly first: number
  /** Its tokens that are run: all but the last. */
  readonly rows: number
  readonly spans: readonly TokenRange[]
}

/** Collects the weights of texts that are scored side by side. */
export interface SpanWeights {
  /** To be given to the scoring of all the texts, in their order. */
  readonly observe: ObserveOptions
  /**
   * For each text [heads, spans]: the largest weight of any token of the span, averaged over the text's tokens. The largest and not the sum, as a
   * long span must not win by its length.
   */
  readonly weights: readonly Float32Array[]
}

export function weighSpans(config: DecoderConfig, heads: readonly AttentionHead[], texts: readonly WeighedText[]): SpanWeights {
  const weights = texts.map(({ spans }) => new Float32Array(heads.length * spans.length))
  const onQueries = (seen: Observation): void => {
    const text = texts[seen.sequence]
    const own = text && rowsFrom(seen, text.first)
    if (text === undefined || own === undefined) return
    for (const [index, { layer, head }] of heads.entries()) {
      if (layer !== seen.layer) continue
      const sums = weights[seen.sequence]?.subarray(index * text.spans.length, (index + 1) * text.spans.length)
      if (sums !== undefined) addLargest(sums, attentionWeights(config, own, head), own.rows, text)
    }
  }
  return { observe: { layers: [...new Set(heads.map(({ layer }) => layer))], onQueries }, weights }
}

/** The rows of an observation from cache index `first` on. */
function rowsFrom(seen: Observation, first: number): Observation | undefined {
  const skipped = Math.max(0, first - seen.start)
  const rows = seen.rows - skipped
  if (rows <= 0) return undefined
  const width = seen.queries.length / seen.rows
  return { ...seen, rows, start: seen.start + skipped, queries: seen.queries.subarray(skipped * width) }
}

function addLargest(sums: Float32Array, weights: Float32Array, rows: number, text: WeighedText): void {
  const width = weights.length / rows
  for (const [index, [start, end]] of text.spans.entries()) {
    let sum = 0
    for (let row = 0; row < rows; row++) {
      let most = 0
      for (let at = row * width + start; at < row * width + end; at++) if ((weights[at] as number) > most) most = weights[at] as number
      sum += most
    }
    sums[index] = (sums[index] ?? 0) + sum / text.rows
  }
}
