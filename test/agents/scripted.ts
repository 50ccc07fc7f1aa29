import type { AgentCall, AgentContext } from '../../agents/index.ts'
import type { Chunk } from '../../chunkers/index.ts'
import type { ChatMessage, ChatModel, ChatReply, ModelDescription } from '../../models/index.ts'

/** A chat model that answers from a function of the prompt's text. */
export function scriptedModel(answer: (prompt: string, call: number) => string): ChatModel & { readonly prompts: string[] } {
  const prompts: string[] = []
  const reply = (messages: ChatMessage[]): string => {
    const prompt = messages.map((message) => message.content).join('\n\n')
    prompts.push(prompt)
    return answer(prompt, prompts.length - 1)
  }
  return {
    prompts,
    invoke: async (messages) => ({ content: reply(messages) }),
    stream: async (messages) => parts(reply(messages)),
  }
}

async function* parts(text: string): AsyncGenerator<ChatReply> {
  for (const content of text.match(/[\s\S]{1,5}/g) ?? []) yield { content }
}

export const countWords = (text: string): number => text.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)?.length ?? 0

export function describedAs(values: Partial<ModelDescription> = {}): ModelDescription {
  return { id: 'scripted', window: 4096, maxOutput: 1024, count: countWords, exact: true, margin: 0, perMessage: 4, ...values }
}

export interface TestContext extends AgentContext {
  readonly calls: AgentCall[]
  readonly notices: string[]
  readonly deltas: string[]
}

/** A host without limits: it calls, streams and keeps what it was told. */
export function testContext(): TestContext {
  const calls: AgentCall[] = []
  const notices: string[] = []
  const deltas: string[] = []
  return {
    signal: new AbortController().signal,
    calls,
    notices,
    deltas,
    async call(call) {
      calls.push(call)
      let text = ''
      for await (const part of await call.model.stream([...call.messages])) {
        text += String(part.content)
        call.onDelta?.(String(part.content))
      }
      return text
    },
    compute: async (work) => (await work(new AbortController().signal)).value,
    delta: (text) => void deltas.push(text),
    notice: (code) => void notices.push(code),
  }
}

export function chunkOf(text: string, start: number = 0, index: number = 0): Chunk {
  return { documentId: 'book', index, text, start, end: start + text.length, tokens: countWords(text), sections: [], hash: '' }
}
