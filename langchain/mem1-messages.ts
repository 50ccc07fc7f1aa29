/** What a model of MEM1 sees of an agent's messages, and how its state is taken out of what it says. */
import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { cutWords, type Mem1Tags, neutraliseTags, splitState } from '../agents/index.ts'
import { callsOf, injectedMark, isAIMessage, isInjected, isToolMessage, systemMessages, textOf } from './message-turns.ts'

/** Where a message of the agent keeps the state that was written with it. */
const STATE = 'mem1_state'

export interface ShownOptions {
  readonly tags: Mem1Tags
  /** Most tokens of all that came back from tools in the last step. */
  readonly observationTokens: number
  readonly count: (text: string) => number
}

/** The newest state that a message keeps; empty when none does. */
export function stateOf(messages: readonly BaseMessage[]): string {
  const kept = messages.findLast((message) => typeof message.additional_kwargs[STATE] === 'string')
  return kept === undefined ? '' : String(kept.additional_kwargs[STATE])
}

/**
 * The last step and the newest message of the user: what the agent said last, with its state and all results of its calls, and nothing older. Gives undefined
 * when no user has said anything.
 */
export function shownMessages(messages: readonly BaseMessage[], options: ShownOptions): BaseMessage[] | undefined {
  const asked = messages.findLastIndex((message) => message.getType() === 'human' && !isInjected(message))
  const human = messages[asked]
  if (human === undefined) return undefined
  const system = systemMessages(messages)
  const last = messages.findLastIndex(isAIMessage)
  const said = messages[last]
  if (said === undefined || !isAIMessage(said)) return [...system, human]
  const state = tagged(stateOf(messages), options.tags)
  const results = shorten(messages.slice(last + 1).filter(isToolMessage), said, options)
  if (last > asked) return [...system, human, withText(said, state), ...results]
  const mine = new HumanMessage({ content: `Your state:\n${state}`, additional_kwargs: { ...injectedMark } })
  const answer = withText(said, cutWords(textOf(said), options.observationTokens, options.count))
  return [...system, mine, answer, ...results, human]
}

/** A message of the agent without its state, which is kept beside its words. */
export function keepState(message: AIMessage, state: string, tags: Mem1Tags): AIMessage {
  const { content } = message
  const bare = typeof content === 'string' ? answerIn(content, message, tags) : content.map((block) => withoutState(block, tags))
  return copyOf(message, bare, { ...message.additional_kwargs, [STATE]: state })
}

/** What stands behind the state; all of it where an answer has nothing there, as its state never ends. */
function answerIn(text: string, message: AIMessage, tags: Mem1Tags): string {
  const answer = splitState(text, tags).rest.trim()
  return answer === '' && callsOf(message).length === 0 ? neutraliseTags(text, tags) : answer
}

type Block = Exclude<AIMessage['content'], string>[number]

function withoutState(block: Block, tags: Mem1Tags): Block {
  return block.type === 'text' && typeof block['text'] === 'string'
    ? { ...block, text: splitState(block['text'], tags).rest.trim() }
    : block
}

function tagged(state: string, { state: tag }: Mem1Tags): string {
  return `<${tag}>${state}</${tag}>`
}

/** The message with other words; its calls stay. */
function withText(message: AIMessage, text: string): AIMessage {
  const { content } = message
  if (typeof content === 'string') return copyOf(message, text, {})
  return copyOf(message, [{ type: 'text', text }, ...content.filter(({ type }) => type !== 'text')], {})
}

function copyOf(message: AIMessage, content: AIMessage['content'], additional: AIMessage['additional_kwargs']): AIMessage {
  const { id, name, tool_calls, invalid_tool_calls, usage_metadata, response_metadata } = message
  return new AIMessage({
    content,
    additional_kwargs: additional,
    response_metadata,
    ...(id !== undefined && { id }),
    ...(name !== undefined && { name }),
    ...(tool_calls !== undefined && { tool_calls }),
    ...(invalid_tool_calls !== undefined && { invalid_tool_calls }),
    ...(usage_metadata !== undefined && { usage_metadata }),
  })
}

/** Results of tools share the tokens there are; each stays, however short it becomes. */
function shorten(results: readonly ToolMessage[], said: AIMessage, { tags, observationTokens, count }: ShownOptions): ToolMessage[] {
  const most = Math.max(1, Math.floor(observationTokens / Math.max(1, callsOf(said).length)))
  return results.map((message) => {
    const text = neutraliseTags(textOf(message), tags)
    const { id, name, tool_call_id, status } = message
    return new ToolMessage({
      content: cutWords(text, most, count),
      tool_call_id,
      ...(id !== undefined && { id }),
      ...(name !== undefined && { name }),
      ...(status !== undefined && { status }),
    })
  })
}
