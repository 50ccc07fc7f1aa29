/** A question read over a cache that was merged from a long text. */
import type { Decoder, KVCache } from './decoder.ts'
import { sliceCache } from './keep-cache.ts'
import { repositionCache, rotationOf, slotPositions } from './reposition-cache.ts'

export interface ReadAgainOptions {
  /** Whether tokens move to their place in the cache, by the rotation of the difference, so that no two stand at one position; yes by default. */
  readonly renumber?: boolean
  readonly signal?: AbortSignal
}

/** A cache that ends with a question, and what follows it. */
export interface Reread {
  readonly cache: KVCache
  /** Logits of the token that follows [vocabulary]. */
  readonly logits: Float32Array
}

/**
 * A new cache in which `suffix` is read once more over all that a merge kept. The suffix that the merge left at the end, which is a mean of many
 * and saw no other part of the text in the lower layers, is dropped; the question may also be another one. `cache` stays as it is.
 *
 * @param cache of `homer`, or what this function gave
 * @param suffix token ids
 * @throws RangeError when the suffix has no tokens, or nothing but a suffix is in the cache
 */
export async function readAgain(
  decoder: Decoder,
  cache: KVCache,
  suffix: readonly number[],
  { renumber = true, signal }: ReadAgainOptions = {},
): Promise<Reread> {
  const { sources, positions: old } = cache
  const length = sources.findLastIndex((source) => source >= 0) + 1
  if (length === 0) throw new RangeError(`Cannot read again as none of the cache's ${cache.length} tokens stands for one of a text`)
  using part = sliceCache(cache, 0, length)
  const whole = renumber ? repositionCache(part, slotPositions(part), rotationOf(decoder.config)) : part.fork()
  const first = old[length] ?? (old[length - 1] ?? 0) + 1
  const positions = renumber ? {} : { positions: suffix.map((_, index) => first + index) }
  try {
    const options = { ...positions, sources: suffix.map(() => -1), ...(signal === undefined ? {} : { signal }) }
    return { cache: whole, logits: await decoder.prefill(suffix, whole, options) }
  } catch (error) {
    whole.dispose()
    throw error
  }
}
