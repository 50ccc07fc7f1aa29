// oxlint-disable no-underscore-dangle -- LangChain's names of what a provider overrides
import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager'
import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { AIMessage, AIMessageChunk, type BaseMessage } from '@langchain/core/messages'
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs'

export interface Call {
  readonly name: string
  readonly args: Readonly<Record<string, unknown>>
  readonly id: string
}

/** What the model says: words, and calls of tools. */
export type Script = (
  messages: readonly BaseMessage[],
  number: number,
) => string | { readonly text?: string; readonly calls: readonly Call[] }

/** A chat model of LangChain that follows a script, streams by words, and keeps what it was sent. */
export class ScriptedChat extends BaseChatModel {
  readonly prompts: (readonly BaseMessage[])[] = []
  private readonly script: Script

  constructor(script: Script) {
    super({})
    this.script = script
  }

  override _llmType(): string {
    return 'scripted'
  }

  override bindTools(): this {
    return this
  }

  override async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    const { text, calls } = this.reply(messages)
    const message = new AIMessage({ content: text, tool_calls: calls.map(({ id, name, args }) => ({ id, name, args, type: 'tool_call' })) })
    return { generations: [{ text, message }] }
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    _options: this['ParsedCallOptions'],
    run?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const { text, calls } = this.reply(messages)
    for (const part of text.match(/\S*\s*/g)?.filter(Boolean) ?? []) {
      yield new ChatGenerationChunk({ text: part, message: new AIMessageChunk({ content: part }) })
      await run?.handleLLMNewToken(part)
    }
    const tool_call_chunks = calls.map(({ name, args, id }, index) => ({
      name,
      args: JSON.stringify(args),
      id,
      index,
      type: 'tool_call_chunk' as const,
    }))
    yield new ChatGenerationChunk({ text: '', message: new AIMessageChunk({ content: '', tool_call_chunks }) })
  }

  private reply(messages: readonly BaseMessage[]): { text: string; calls: readonly Call[] } {
    this.prompts.push([...messages])
    const reply = this.script(messages, this.prompts.length)
    return typeof reply === 'string' ? { text: reply, calls: [] } : { text: reply.text ?? '', calls: reply.calls }
  }
}

/** The texts of a prompt, each behind the type of its message. */
export function said(messages: readonly BaseMessage[] | undefined): string[] {
  return (messages ?? []).map((message) => `${message.getType()}: ${message.text}`)
}
