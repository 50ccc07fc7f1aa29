/** Verbatim-constrained decoding: the model may only say what stands in a source. */
import { type Decoder, logProbOf, VerbatimAutomaton } from '../attention/index.ts'
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
  const { prompt, source, starts, ends, maxTokens } = call
  const automaton = new VerbatimAutomaton([{ ids: source, starts, ends }])
  let states = automaton.begin()
  if (automaton.cost(states) === Infinity) return undefined
  using cache = decoder.createCache()
  let logits = await decoder.prefill(prompt, cache, { signal })
  let copied: CopiedTokens | undefined
  let sum = 0
  for (let length = 1; length <= maxTokens; length++) {
    const next = likeliest(logits, automaton.following(states))
    if (next === undefined) break
    const endsHere = copied !== undefined && copied.to - copied.from === length - 1
    if (endsHere && highest(logits, call.stop) > (logits[next] ?? 0)) break
    states = automaton.step(states, next)
    sum += logProbOf(logits, next)
    const end = automaton.endOf(states)
    if (end !== undefined) copied = { from: end.token - length + 1, to: end.token + 1, logProb: sum / length }
    if (length < maxTokens && automaton.canGoOn(states)) logits = await decoder.prefill([next], cache, { signal })
  }
  return copied
}

function highest(logits: Float32Array, ids: readonly number[]): number {
  return Math.max(...ids.map((id) => logits[id] ?? -Infinity))
}

/** Among equals the lowest id, so that the result does not depend on anything else. */
function likeliest(logits: Float32Array, ids: Iterable<number>): number | undefined {
  let best: number | undefined
  for (const id of ids) {
    const logit = logits[id] ?? -Infinity
    const most = best === undefined ? -Infinity : (logits[best] ?? -Infinity)
    if (best === undefined || logit > most || (logit === most && id < best)) best = id
  }
  return best
}
