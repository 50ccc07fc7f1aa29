/** Verbatim-constrained decoding: the model may only say what stands in a source. */
import type { Decoder } from '../attention/index.ts'
import type { CopiedTokens, CopyCall } from './local-protocol.ts'

/**
 * Continues the prompt greedily with tokens of the source. The first token is the likeliest of those at which a copy may begin; from then on
 * every place where the copy so far stands is followed. It ends when a stop token is likelier than every way on at an allowed end, when the
 * source ends, or at `maxTokens`, cut back to the last allowed end.
 *
 * @returns the first place in the source of what was copied, and the mean log P a token, of the model without the constraint; undefined when
 * the source has no place to begin, or nothing was copied that may end
 */
export async function copyTokens(decoder: Decoder, call: CopyCall, signal: AbortSignal): Promise<CopiedTokens | undefined> {
  const { prompt, source, starts, maxTokens } = call
  if (starts.length === 0) return undefined
  const ends = new Set(call.ends)
  using cache = decoder.createCache()
  let logits = await decoder.prefill(prompt, cache, { signal })
  let places = [...starts]
  let copied: CopiedTokens | undefined
  let sum = 0
  for (let length = 1; length <= maxTokens && places.length > 0; length++) {
    const next = likeliest(
      logits,
      places.map((place) => source[place] ?? 0),
    )
    const endsHere = copied !== undefined && copied.to - copied.from === length - 1
    if (endsHere && highest(logits, call.stop) > (logits[next] ?? 0)) break
    places = places.filter((place) => source[place] === next)
    sum += logProb(logits, next)
    const last = places.find((place) => ends.has(place))
    if (last !== undefined) copied = { from: last - length + 1, to: last + 1, logProb: sum / length }
    places = places.map((place) => place + 1).filter((place) => place < source.length)
    if (length < maxTokens && places.length > 0) logits = await decoder.prefill([next], cache, { signal })
  }
  return copied
}

function highest(logits: Float32Array, ids: readonly number[]): number {
  return Math.max(...ids.map((id) => logits[id] ?? -Infinity))
}

/** Among equals the first, so that the result does not depend on anything else. */
function likeliest(logits: Float32Array, ids: readonly number[]): number {
  let best = ids[0] ?? 0
  for (const id of ids) if ((logits[id] ?? 0) > (logits[best] ?? 0)) best = id
  return best
}

/** log P of `id` by the softmax of all logits. */
function logProb(logits: Float32Array, id: number): number {
  let most = -Infinity
  for (const value of logits) most = Math.max(most, value)
  let total = 0
  for (const value of logits) total += Math.exp(value - most)
  return (logits[id] ?? 0) - most - Math.log(total)
}
