import type { ByteTokenizer, TokenLogProb } from '../attention/index.ts'
import type { GenerateResult } from './local-protocol.ts'

/** One token with its log-probability, natural logarithm. */
export interface ReplyLogProb {
  readonly token: string
  readonly logprob: number
  /** UTF-8 bytes of the token. */
  readonly bytes: readonly number[]
  readonly top_logprobs: readonly Omit<ReplyLogProb, 'top_logprobs'>[]
}

/** What a finished reply says of itself, in the words of OpenAI's API (`logprobs.content`). */
export function replyMetadata(result: GenerateResult, tokenizer: ByteTokenizer): Record<string, unknown> {
  const { finish, logProbs, drafted, accepted } = result
  return {
    finish_reason: finish,
    ...(logProbs !== undefined && { logprobs: { content: logProbs.map((one) => described(one, tokenizer)) } }),
    ...(drafted > 0 && { drafted_tokens: drafted, accepted_tokens: accepted }),
  }
}

function described({ id, logProb, top }: TokenLogProb, tokenizer: ByteTokenizer): ReplyLogProb {
  const named = (one: { id: number; logProb: number }): Omit<ReplyLogProb, 'top_logprobs'> => ({
    token: tokenizer.token(one.id),
    logprob: one.logProb,
    bytes: [...tokenizer.bytes(one.id)],
  })
  return { ...named({ id, logProb }), top_logprobs: top.map(named) }
}
