/** Messages of an agent as turns of a conversation. A call of a tool and its result are one turn, so that nothing can part them. */
import type { AIMessage, BaseMessage, ToolMessage } from '@langchain/core/messages'
import type { ToolCall } from '@langchain/core/messages/tool'
import type { TurnRole } from '../memory/index.ts'
import { renderCall, renderResult } from './tool-text.ts'

/** A turn that a message says. */
export interface MessageTurn {
  /** The message's own id, where it has one. */
  readonly id: string | undefined
  readonly role: TurnRole
  readonly text: string
}

/** Marks a message that a middleware put into a prompt. LangChain marks its summaries so, too. */
const SOURCE = 'lc_source'
export const injectedMark: Readonly<Record<string, string>> = { [SOURCE]: 'scriptorium-memory' }

/** Whether a message was put there by a middleware: it is nobody's turn, and must never be remembered. */
export function isInjected(message: BaseMessage): boolean {
  return SOURCE in message.additional_kwargs
}

/** The turns of messages, in order; injected ones, those of the system, and calls without a result are none. */
export function messageTurns(messages: readonly BaseMessage[]): MessageTurn[] {
  const calls = new Map<string, ToolCall>()
  return messages.flatMap((message): MessageTurn[] => {
    if (isInjected(message)) return []
    if (isToolMessage(message)) return [toolTurn(message, calls.get(message.tool_call_id))]
    for (const call of callsOf(message)) if (call.id !== undefined) calls.set(call.id, call)
    const role = ROLES[message.getType()]
    const text = textOf(message)
    return role === undefined || text === '' ? [] : [{ id: message.id, role, text }]
  })
}

const ROLES: Readonly<Record<string, TurnRole>> = { human: 'user', ai: 'assistant' }

function toolTurn(message: ToolMessage, call: ToolCall | undefined): MessageTurn {
  const result = renderResult(message, textOf(message))
  return { id: message.id, role: 'tool', text: call === undefined ? result : `${renderCall(call)}\n${result}` }
}

/** The text; what is not text is named by its type. */
export function textOf(message: BaseMessage): string {
  const { content } = message
  if (typeof content === 'string' || message.text !== '') return message.text
  const kinds = content.map(({ type }) => type).filter((type) => type !== undefined && !UNSAID.has(type))
  return kinds.map((type) => `[${type}]`).join(' ')
}

/** Blocks that are said elsewhere, or to nobody. */
const UNSAID = new Set(['text', 'tool_call', 'tool_use', 'function_call', 'reasoning', 'thinking'])

/**
 * Where the newest exchange begins: the newest message of the user, or before it where a result of a tool stands behind it whose call does not.
 * Gives undefined when no user has said anything.
 */
export function exchangeStart(messages: readonly BaseMessage[]): number | undefined {
  let start = messages.findLastIndex((message) => message.getType() === 'human' && !isInjected(message))
  if (start < 0) return undefined
  for (const message of messages.slice(start)) {
    if (isToolMessage(message)) start = Math.min(start, callPlace(messages, message.tool_call_id) ?? start)
  }
  return start
}

/** Instructions that stand among the messages: no middleware may lose them. */
export function systemMessages(messages: readonly BaseMessage[]): BaseMessage[] {
  return messages.filter((message) => message.getType() === 'system')
}

/** Where the message stands that made a call. */
function callPlace(messages: readonly BaseMessage[], id: string): number | undefined {
  const place = messages.findLastIndex((message) => callsOf(message).some((call) => call.id === id))
  return place < 0 ? undefined : place
}

export function callsOf(message: BaseMessage): readonly ToolCall[] {
  return isAIMessage(message) ? (message.tool_calls ?? []) : []
}

export function isToolMessage(message: BaseMessage): message is ToolMessage {
  return message.getType() === 'tool'
}

export function isAIMessage(message: BaseMessage): message is AIMessage {
  return message.getType() === 'ai'
}
