import type { LocalCallOptions, LocalModel, LocalReply, ChatMessage } from '../../models/index.ts'

export interface ScriptedLocal {
  readonly model: LocalModel
  readonly calls: { readonly messages: ChatMessage[]; readonly options: LocalCallOptions }[]
}

/** A local model that gives scripted replies, in parts of a few characters, and keeps what it was asked. */
export function scriptedLocal(...replies: readonly string[]): ScriptedLocal {
  const calls: ScriptedLocal['calls'] = []
  const model = {
    describe: () => ({ id: 'scripted@1', window: 1000, maxOutput: 200, count: words, exact: true, margin: 0, perMessage: 1 }),
    async stream(messages: ChatMessage[], options: LocalCallOptions = {}): Promise<AsyncIterable<LocalReply>> {
      options.signal?.throwIfAborted()
      const reply = replies[Math.min(calls.length, replies.length - 1)] ?? ''
      calls.push({ messages, options })
      return parts(reply)
    },
  }
  return { model: model as unknown as LocalModel, calls }
}

async function* parts(reply: string): AsyncGenerator<LocalReply> {
  for (const content of reply.match(/[^]{1,3}/g) ?? []) yield { content }
  const usage = { input_tokens: 10, output_tokens: words(reply), input_token_details: { cache_read: 4 } }
  yield { content: '', usage_metadata: usage, response_metadata: { finish_reason: 'stop' } }
}

function words(text: string): number {
  return text.split(/\s+/).filter(Boolean).length
}
