import type { AIMessage, BaseMessage, ToolMessage } from '@langchain/core/messages'
import type { ChatMessage } from '../models/index.ts'
import { renderCall, renderResult } from './tool-text.ts'

type Role = ChatMessage['role']

const ROLES: Readonly<Record<string, Role>> = {
  system: 'system',
  developer: 'system',
  human: 'user',
  user: 'user',
  ai: 'assistant',
  assistant: 'assistant',
  tool: 'user',
  function: 'user',
}

/** Blocks that say the same as a message's `tool_calls`, or that no model reads back. */
const UNREAD = new Set(['tool_call', 'tool_call_chunk', 'invalid_tool_call', 'tool_use', 'function_call', 'reasoning', 'thinking'])

/**
 * The turns of a conversation as every chat template can render them: text of the system, the user and the assistant. A call of a tool is the
 * JSON object by which the model asks for it, in the assistant's turn; its result is a turn of the user (see `renderResult`). Turns of one role
 * that follow each other are one turn, with a blank line between them, as some templates insist on roles that alternate.
 *
 * @throws TypeError when there are no messages, for a content that is not text, and for a role that is not known
 */
export function toTurns(messages: readonly BaseMessage[]): ChatMessage[] {
  if (messages.length === 0) throw new TypeError('Cannot reply as there are no messages: give at least one')
  const turns: ChatMessage[] = []
  for (const message of messages) {
    const turn = { role: roleOf(message), content: textOf(message) }
    const last = turns.at(-1)
    if (last?.role === turn.role) last.content = `${last.content}\n\n${turn.content}`
    else turns.push(turn)
  }
  return turns
}

function roleOf(message: BaseMessage): Role {
  const type = message.getType()
  const name: unknown = type === 'generic' ? Reflect.get(message, 'role') : type
  const role = typeof name === 'string' ? ROLES[name] : undefined
  if (role === undefined)
    throw new TypeError(`Cannot send a message as its role is not known: ${String(name)}. Use system, user, assistant or tool`)
  return role
}

function textOf(message: BaseMessage): string {
  const text = contentText(message.content)
  if (isToolMessage(message)) return renderResult(message, text)
  const calls = isAIMessage(message) ? (message.tool_calls ?? []) : []
  return [...(text === '' && calls.length > 0 ? [] : [text]), ...calls.map(renderCall)].join('\n')
}

/** @throws TypeError for a block that is not text */
export function contentText(content: BaseMessage['content']): string {
  return typeof content === 'string' ? content : content.map(blockText).join('')
}

function blockText(block: unknown): string {
  if (typeof block === 'string') return block
  const { type, text } = typeof block === 'object' && block !== null ? { type: undefined, text: undefined, ...block } : {}
  if (type === 'text' && typeof text === 'string') return text
  if (typeof type === 'string' && UNREAD.has(type)) return ''
  throw new TypeError(`Cannot send a content block to a local model as it reads text only: ${String(type)}`)
}

function isToolMessage(message: BaseMessage): message is ToolMessage {
  return message.getType() === 'tool'
}

function isAIMessage(message: BaseMessage): message is AIMessage {
  return message.getType() === 'ai'
}
