import type { ChatReply } from './chat-model.ts'

/** The text of a reply's content: a string, or the text blocks of a list of content blocks. Thoughts, images and calls are no text. */
export function replyText(content: unknown): string {
  if (typeof content === 'string') return content
  return Array.isArray(content) ? content.map(blockText).join('') : ''
}

/** What a reply says of itself beside its text. */
export interface ReplyFacts {
  readonly inputTokens?: number
  readonly outputTokens?: number
  /** Why the model stopped, in the server's word: `stop`, `length`, `content_filter` … */
  readonly finishReason?: string
  /** The model declined, in its own words. */
  readonly refusal?: string
  /** The server is known to end every complete reply with a reason. */
  readonly mustFinish?: boolean
}

/** Reads usage, finish and refusal from a reply or from one part of a stream. */
export function replyFacts(reply: ChatReply): ReplyFacts {
  const metadata: Record<string, unknown> = reply.response_metadata ?? {}
  const extra: unknown = Reflect.get(reply, 'additional_kwargs')
  const refusal: unknown = typeof extra === 'object' && extra !== null ? Reflect.get(extra, 'refusal') : undefined
  const finish = ['finish_reason', 'stop_reason', 'done_reason', 'status'].map((name) => metadata[name]).find(isFinish)
  const { input_tokens: input, output_tokens: output } = reply.usage_metadata ?? {}
  return {
    ...(typeof input === 'number' && { inputTokens: input }),
    ...(typeof output === 'number' && { outputTokens: output }),
    ...(finish !== undefined && { finishReason: finish }),
    ...(isText(refusal) && { refusal }),
    ...(metadata['model_provider'] === 'openai' && { mustFinish: true }),
  }
}

/** Facts of the parts of one stream: tokens add up, of the rest the last word counts. */
export function joinFacts(before: ReplyFacts, after: ReplyFacts): ReplyFacts {
  const joined = { ...before, ...after }
  if (before.inputTokens === undefined || after.inputTokens === undefined) return joined
  return {
    ...joined,
    inputTokens: before.inputTokens + after.inputTokens,
    outputTokens: (before.outputTokens ?? 0) + (after.outputTokens ?? 0),
  }
}

function blockText(block: unknown): string {
  if (typeof block === 'string') return block
  if (typeof block !== 'object' || block === null) return ''
  const type: unknown = Reflect.get(block, 'type')
  const text: unknown = Reflect.get(block, 'text')
  return (type === 'text' || type === 'output_text' || type === 'text_delta') && typeof text === 'string' ? text : ''
}

/** The Responses API begins with a status too. */
function isFinish(value: unknown): value is string {
  return isText(value) && value !== 'in_progress'
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
