/** A long text scored in independent parts: what a hierarchical merge is to be measured against. */
import type { Decoder } from './decoder.ts'
import { planHomer } from './homer-plan.ts'
import { type HomerPrompt, leafState, runNode } from './homer-run.ts'
import { keptTokens, type Significance } from './significance.ts'

export interface ScoreLeavesOptions {
  /** Most tokens of a part, with prefix and suffix; 1,024 by default. */
  readonly maxChunk?: number
  /** Most tokens of the context that are kept. */
  readonly keep: number
  readonly significance: Significance
  readonly signal?: AbortSignal
  /** Told after each part: a share from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/** Tokens of a context that were kept, in its order. */
export interface ScoredLeaves {
  /** Index in the context of each. */
  readonly sources: Int32Array
  readonly scores: Float32Array
}

/**
 * Runs each leaf that `homer` would have through the layers that the significance looks at, and keeps the best of all. No part sees another, and
 * nothing is left to decode from: `survivingSpans` of it are to be read as text.
 *
 * @throws RangeError when the lengths leave a part without context, or the significance looks at no layer
 */
export async function scoreLeaves(decoder: Decoder, prompt: HomerPrompt, options: ScoreLeavesOptions): Promise<ScoredLeaves> {
  const { maxChunk = 1_024, keep, significance, signal, onProgress } = options
  const { layers } = decoder.config
  const [prefix, suffix] = [prompt.prefix.length, prompt.suffix.length]
  const plan = planHomer({ prefix, context: prompt.context.length, suffix, layers, maxChunk })
  const to = Math.max(...significance.layers(0, layers)) + 1
  if (!(to > 0)) throw new RangeError(`Cannot score a text as the significance looks at none of the model's ${layers} layers`)
  const longRead = decoder.isLongRead(prefix + prompt.context.length + suffix)
  const run = { significance, longRead, prefix, suffix, ...(signal === undefined ? {} : { signal }) }
  const scores = new Float32Array(prompt.context.length)
  for (let start = 0; start < scores.length; start += plan.leafContext) {
    const span = { ...plan.root, start, end: Math.min(scores.length, start + plan.leafContext) }
    const leaf = await runNode(decoder, leafState(decoder, prompt, plan, span), { from: 0, to }, run)
    scores.set(leaf.scores.subarray(prefix, prefix + span.end - start), start)
    onProgress?.(span.end / scores.length)
  }
  const sources = keptTokens(scores, { prefix: 0, suffix: 0 }, keep)
  return { sources, scores: Float32Array.from(sources, (source) => scores[source] ?? -Infinity) }
}
