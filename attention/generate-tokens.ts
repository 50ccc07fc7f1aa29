/** The loop of generation: choose a token, hand it out, feed it, choose the next. */
import type { GenerateOptions } from './decoder.ts'
import { createSampler } from './sampling.ts'

/**
 * Yields token ids until `maxTokens`, a stop token, or a constraint that allows nothing. A token is fed when the next one is asked for, so
 * the cache does not hold the last token that was yielded.
 *
 * @param feed appends a token to the sequence and gives the logits that follow it
 */
export async function* generateTokens(
  logits: Float32Array,
  options: GenerateOptions,
  feed: (id: number) => Promise<Float32Array>,
): AsyncGenerator<number, undefined> {
  const { maxTokens, stop = [], allow, signal } = options
  const sample = createSampler(options)
  const ends = new Set(stop)
  const generated: number[] = []
  let current = logits
  while (generated.length < maxTokens) {
    signal?.throwIfAborted()
    const last = generated.at(-1)
    if (last !== undefined) current = await feed(last)
    const id = sample(current, allow?.(generated))
    if (id === undefined || ends.has(id)) return
    generated.push(id)
    yield id
  }
}
