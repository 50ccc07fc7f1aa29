/**
 * What a token scores for being near, whatever it says: the mean of the highest logit of any head, by layer and distance, over plain text. HOMER (Song
 * et al., ICLR 2024, arXiv 2404.10308, section 3.3) subtracts it from every score.
 */
import { type Decoder, type DistanceBias, highestLogits, type Observation } from '../attention/index.ts'
import { encodeStart } from './encode-start.ts'

export interface DistanceTable {
  readonly version: 1
  /** Distances in positions, rising from 0, that the values stand for; what lies between is interpolated. */
  readonly distances: readonly number[]
  /** For each layer the mean logit at each of the distances. */
  readonly logits: readonly (readonly number[])[]
  /** What it was made with. */
  readonly settings: { readonly segments: number; readonly tokens: number; readonly rows: number }
}

export interface BiasOptions {
  /** Most segments read, spread evenly over the texts; 16 by default. */
  readonly segments?: number
  /** Tokens of a segment; 2,048 by default, or the model's window where that is less. */
  readonly tokens?: number
  /** Last tokens of a segment whose queries are taken; 32 by default. Each gives one sample a distance. */
  readonly rows?: number
  readonly signal?: AbortSignal
  /** A share from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/**
 * Measures all layers on plain text.
 *
 * @throws RangeError when no text fills a segment, or a number is not a whole one above 0
 */
export async function measureBias(decoder: Decoder, texts: readonly string[], options: BiasOptions = {}): Promise<DistanceTable> {
  const { layers, window } = decoder.config
  const { segments: most = 16, tokens = Math.min(2_048, window), rows = 32, signal, onProgress } = options
  for (const [name, value] of Object.entries({ segments: most, tokens, rows })) {
    if (!(Number.isInteger(value) && value > 0)) throw new RangeError(`Cannot calibrate as ${name} is not a whole number above 0: ${value}`)
  }
  const parts = texts.flatMap((text) => segmentsOf(encodeStart(decoder.tokenizer, text), tokens))
  if (parts.length === 0) throw new RangeError(`Cannot calibrate as no text has ${tokens} tokens: give longer ones, or fewer tokens`)
  const chosen = spread(parts, most)
  const distances = knots(tokens)
  const sums = Array.from({ length: layers }, () => ({
    logits: new Float64Array(distances.length),
    counts: new Float64Array(distances.length),
  }))
  for (const [index, ids] of chosen.entries()) {
    using cache = decoder.createCache()
    const onQueries = (seen: Observation): void => addSamples(decoder, seen, distances, sums[seen.layer])
    await decoder.prefill(ids, cache, { observe: { rows, onQueries }, ...(signal === undefined ? {} : { signal }) })
    onProgress?.((index + 1) / chosen.length)
  }
  const means = sums.map(({ logits, counts }) => Array.from(logits, (sum, knot) => rounded(sum / (counts[knot] ?? 1))))
  return { version: 1, distances, logits: means, settings: { segments: chosen.length, tokens, rows } }
}

/** A table as a function; beyond its last distance its last value stands. */
export function biasOf({ distances, logits }: Pick<DistanceTable, 'distances' | 'logits'>): DistanceBias {
  const length = (distances.at(-1) ?? 0) + 1
  const tables = logits.map((values) => interpolated(distances, values, length))
  return (layer, distance) => tables[layer]?.[Math.min(Math.max(0, distance), length - 1)] ?? 0
}

function interpolated(distances: readonly number[], values: readonly number[], length: number): Float32Array {
  const table = new Float32Array(length)
  let knot = 0
  for (let distance = 0; distance < length; distance++) {
    while (knot + 2 < distances.length && (distances[knot + 1] ?? 0) <= distance) knot++
    const [from = 0, to = 0] = [distances[knot], distances[knot + 1] ?? distances[knot]]
    const share = to === from ? 0 : (distance - from) / (to - from)
    table[distance] = (values[knot] ?? 0) * (1 - share) + (values[knot + 1] ?? values[knot] ?? 0) * share
  }
  return table
}

/** Whole segments only, so that each has samples of all distances. */
function segmentsOf(ids: readonly number[], tokens: number): number[][] {
  return Array.from({ length: Math.floor(ids.length / tokens) }, (_, index) => ids.slice(index * tokens, (index + 1) * tokens))
}

function spread<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items]
  return Array.from({ length: most }, (_, index) => items[Math.floor((index * items.length) / most)] as T)
}

/** Distances close together where the bias falls fast, and farther apart beyond. */
function knots(tokens: number): number[] {
  const result = [0]
  for (let distance = 1; distance < tokens - 1; distance = Math.max(distance + 1, Math.round(distance * 1.2))) result.push(distance)
  return tokens > 1 ? [...result, tokens - 1] : result
}

interface Sums {
  readonly logits: Float64Array
  readonly counts: Float64Array
}

/** Adds the samples of one layer, each to the knot that is nearest to its distance. */
function addSamples(
  decoder: Decoder,
  { layer, queries, rows, start, cache }: Observation,
  distances: readonly number[],
  sums?: Sums,
): void {
  if (sums === undefined) return
  const { keys } = cache.exportRows(layer)
  for (let row = 0; row < rows; row++) {
    const logits = highestLogits(decoder.config, { queries, keys }, row)
    let knot = 0
    for (let distance = 0; distance <= start + row; distance++) {
      while (knot + 1 < distances.length && distance - (distances[knot] ?? 0) > (distances[knot + 1] ?? 0) - distance) knot++
      sums.logits[knot] = (sums.logits[knot] ?? 0) + (logits[start + row - distance] ?? 0)
      sums.counts[knot] = (sums.counts[knot] ?? 0) + 1
    }
  }
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
