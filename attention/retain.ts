/** Applies a policy to a cache: what it chooses is kept in all layers. */
import { type AttentionHead, attentionWeights } from './attend.ts'
import type { Decoder, DecoderConfig, KVCache, Observation, ObserveOptions, PrefillOptions } from './decoder.ts'
import { keepCache } from './keep-cache.ts'
import type { CachePolicy } from './policies/index.ts'
import { repositionCache, rotationOf, slotPositions } from './reposition-cache.ts'

/** A cache that was cut down. */
export interface Retained {
  readonly cache: KVCache
  /** Indices of the kept tokens in the cache before. */
  readonly kept: Int32Array
}

/**
 * A new cache of the tokens that `policy` keeps of at most `budget`, with their sources. Before tokens are fed to a full cache, cut it to the
 * budget less their number.
 *
 * @param scores one a token, for policies that look at them
 * @throws RangeError when the policy asks for scores and has none, or as it refuses the budget
 */
export function retain(cache: KVCache, policy: CachePolicy, budget: number, config: DecoderConfig, scores?: Float32Array): Retained {
  if (scores === undefined ? policy.queries > 0 : scores.length !== cache.length) {
    throw new RangeError(`Cannot apply ${policy.name} to ${cache.length} tokens as there are scores of ${scores?.length ?? 0}`)
  }
  const kept = policy.keep(scores ?? new Float32Array(cache.length), budget)
  const part = kept.length === cache.length ? cache.fork() : keepCache(cache, kept)
  if (policy.positions === 'kept') return { cache: part, kept }
  return { cache: repositionCache(part, slotPositions(part), rotationOf(config)), kept }
}

export interface RetainOptions extends Omit<PrefillOptions, 'observe'> {
  readonly policy: CachePolicy
  /** Most tokens kept. */
  readonly budget: number
  /** Heads whose weights are the scores, where the policy looks at any; all heads of all layers by default. */
  readonly heads?: readonly AttentionHead[]
}

/** Feeds `ids` to an empty cache and cuts it down by the policy; gives the logits of the last token of the whole. */
export async function prefillRetained(
  decoder: Decoder,
  ids: readonly number[],
  { policy, budget, heads, ...options }: RetainOptions,
): Promise<Retained & { readonly logits: Float32Array }> {
  using whole = decoder.createCache()
  const { config } = decoder
  const sums = new Float32Array(ids.length)
  const rows = Math.min(policy.queries, ids.length)
  const observe = rows === 0 ? {} : { observe: observeSum(config, rows, sums, heads) }
  const logits = await decoder.prefill(ids, whole, { ...options, ...observe })
  return { ...retain(whole, policy, budget, config, sums), logits }
}

/** Adds to `sums` [tokens] the weights that the last `rows` tokens give to each token. */
function observeSum(config: DecoderConfig, rows: number, sums: Float32Array, chosen?: readonly AttentionHead[]): ObserveOptions {
  const all = Array.from({ length: config.heads }, (_, head) => head)
  const headsOf = (layer: number): number[] => chosen?.filter((one) => one.layer === layer).map(({ head }) => head) ?? all
  const onQueries = (observation: Observation): void => {
    for (const head of headsOf(observation.layer)) {
      const weights = attentionWeights(config, observation, head)
      const width = weights.length / observation.rows
      for (const [index, weight] of weights.entries()) sums[index % width] = (sums[index % width] as number) + weight
    }
  }
  return { rows, onQueries }
}
