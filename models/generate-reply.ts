import { type Decoder, type GenerateEnd, type GenerateOptions, type KVCache, type TokenLogProb } from '../attention/index.ts'
import { ConstraintLimitError } from '../errors/index.ts'
import type { CompiledConstraints } from './compiled-constraints.ts'
import type { CallContext, GenerateCall, GenerateResult } from './local-protocol.ts'

/** A generation that is prepared: what cannot be fulfilled is refused before the prompt is read. */
export interface PreparedReply {
  /** Generates after the prompt, whose last token's logits are given. */
  run(cache: KVCache, logits: Float32Array): Promise<GenerateResult>
}

/**
 * @throws TypeError for a constraint that cannot be enforced
 * @throws ConstraintLimitError when the token limit is too low for the constraint
 */
export function prepareReply(
  decoder: Decoder,
  call: GenerateCall,
  { signal, part }: Pick<CallContext, 'signal' | 'part'>,
  constraints: CompiledConstraints,
): PreparedReply {
  const { constraint: spec, logProbs: top, lookup, prompt, decoder: _, after: __, ...sampling } = call
  const constraint = spec === undefined ? undefined : constraints.get(decoder, spec)
  if (constraint !== undefined && constraint.leastTokens > call.maxTokens)
    throw new ConstraintLimitError(constraint.leastTokens, call.maxTokens)
  const logProbs: TokenLogProb[] = []
  const options: GenerateOptions = {
    ...sampling,
    signal,
    ...(constraint !== undefined && { constraint }),
    ...(lookup !== undefined && { lookup: { sources: [prompt], tokens: lookup } }),
    ...(top !== undefined && { logProbs: { top, onToken: (token) => logProbs.push(token) } }),
  }
  return {
    async run(cache, logits) {
      const end = await passOn(decoder.generate(cache, logits, options), part)
      return top === undefined ? end : { ...end, logProbs }
    },
  }
}

async function passOn(tokens: AsyncGenerator<number, GenerateEnd>, part: (id: number) => void): Promise<GenerateEnd> {
  for (;;) {
    const { done, value } = await tokens.next()
    if (done === true) return value
    part(value)
  }
}
