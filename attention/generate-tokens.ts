/** The loop of generation: choose a token, hand it out, feed it, choose the next. */
import { ConstraintLimitError } from '../errors/index.ts'
import { DraftedFeed, type TokenFeed } from './drafted-feed.ts'
import type { GenerateEnd, GenerateOptions } from './decoder.ts'
import { tokenLogProb } from './log-probs.ts'
import { StopStrings } from './stop-strings.ts'
import { textOfTokens } from './text-of-tokens.ts'
import type { Tokenizer } from './tokenizer.ts'
import { createTokenChooser } from './token-chooser.ts'

export interface GenerationParts extends TokenFeed {
  readonly tokenizer: Tokenizer
}

/**
 * Yields token ids until `maxTokens`, a stop token, a stop string, or a constraint that allows nothing. A token is fed when the next one is
 * asked for, so the cache does not hold the last token that was yielded.
 *
 * @throws ConstraintLimitError when the constraint needs more than `maxTokens`
 */
export async function* generateTokens(
  logits: Float32Array,
  options: GenerateOptions,
  parts: GenerationParts,
): AsyncGenerator<number, GenerateEnd, undefined> {
  const { maxTokens, stopStrings = [], constraint, logProbs, signal } = options
  if (constraint !== undefined && constraint.leastTokens > maxTokens) throw new ConstraintLimitError(constraint.leastTokens, maxTokens)
  const chooser = createTokenChooser(options)
  const feed = new DraftedFeed(parts, options.lookup)
  const stops = new StopStrings(stopStrings)
  const textOf = stopStrings.length > 0 ? textOfTokens(parts.tokenizer) : undefined
  const end = (finish: GenerateEnd['finish']): GenerateEnd => ({ finish, drafted: feed.drafted, accepted: feed.accepted })
  const generated: number[] = []
  let current = logits
  try {
    while (generated.length < maxTokens && !chooser.isComplete) {
      signal?.throwIfAborted()
      const last = generated.at(-1)
      if (last !== undefined) current = await feed.follow(last, maxTokens - generated.length - 1)
      const id = chooser.choose(current, generated, maxTokens - generated.length)
      if (id === undefined) return end(chooser.wasForced ? 'length' : 'stop')
      generated.push(id)
      logProbs?.onToken(tokenLogProb(current, id, logProbs.top ?? 0))
      yield id
      if (textOf !== undefined) stops.push(textOf(id))
      if (stops.stopped) return end('stop')
    }
  } finally {
    feed.end()
  }
  return end(chooser.isComplete && !chooser.wasForced ? 'stop' : 'length')
}
