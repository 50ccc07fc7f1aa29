import { AIMessage, AIMessageChunk, type BaseMessageChunk, type UsageMetadata } from '@langchain/core/messages'
import type { ToolCallChunk } from '@langchain/core/messages/tool'
import { ChatGenerationChunk } from '@langchain/core/outputs'
import type { ReplyPart, ReplyUsage } from './reply-parts.ts'

/** One part of a reply as a part of LangChain's stream. */
export function replyChunk(part: ReplyPart, model: string, makeId: () => string): ChatGenerationChunk {
  if ('text' in part) return chunkOf(part.text, { content: part.text })
  if ('name' in part)
    return chunkOf('', { content: '', tool_call_chunks: [{ type: 'tool_call_chunk', index: 0, id: makeId(), name: part.name, args: '' }] })
  if ('args' in part) return chunkOf('', { content: '', tool_call_chunks: [{ type: 'tool_call_chunk', index: 0, args: part.args }] })
  const response_metadata = { model_provider: 'scriptorium', model_name: model, finish_reason: part.finish }
  return chunkOf('', { content: '', usage_metadata: usageOf(part.usage), response_metadata })
}

/** LangChain's own type of these fields knows no usage where a message's structure is left open. */
interface ChunkFields {
  readonly content: string
  readonly tool_call_chunks?: ToolCallChunk[]
  readonly usage_metadata?: UsageMetadata
  readonly response_metadata?: Record<string, unknown>
}

/** A whole reply of its joined parts. */
export function wholeMessage(chunk: BaseMessageChunk): AIMessage {
  const { content, tool_calls, invalid_tool_calls, response_metadata, id } = chunk as AIMessageChunk
  const usage_metadata = usageIn(chunk)
  const fields = {
    content,
    response_metadata,
    ...(id !== undefined && { id }),
    ...(tool_calls && { tool_calls }),
    ...(invalid_tool_calls && { invalid_tool_calls }),
    ...(usage_metadata && { usage_metadata }),
  }
  return new AIMessage(fields as ConstructorParameters<typeof AIMessage>[0])
}

/** What a message used, where it says so. */
export function usageIn(message: object): UsageMetadata | undefined {
  return Reflect.get(message, 'usage_metadata') as UsageMetadata | undefined
}

function chunkOf(text: string, fields: ChunkFields): ChatGenerationChunk {
  return new ChatGenerationChunk({ text, message: new AIMessageChunk(fields as ConstructorParameters<typeof AIMessageChunk>[0]) })
}

function usageOf({ input, output, cached }: ReplyUsage): UsageMetadata {
  return {
    input_tokens: input,
    output_tokens: output,
    total_tokens: input + output,
    ...(cached !== undefined && { input_token_details: { cache_read: cached } }),
  }
}
