import { AIMessage, type BaseMessage, HumanMessage, type SystemMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { type AgentMiddleware, createMiddleware, type ToolRuntime } from 'langchain'
import { z } from 'zod'
import { cutNotes, type Mem1Tags, paperTags, splitState } from '../agents/index.ts'
import { approximateCount } from '../models/index.ts'
import { mem1Archive, type Mem1Archive, type Mem1ArchiveOptions, RECALL } from '../workflows/index.ts'
import { keepState, shownMessages, stateOf } from './mem1-messages.ts'
import { type MemoryScope, type OptionalScopeContext, optionalScopeContext, scopeOf } from './memory-scope.ts'
import { callsOf, injectedMark, isToolMessage, textOf } from './message-turns.ts'

export interface Mem1MiddlewareOptions {
  /** Most tokens of the state; 512 by default. */
  readonly stateTokens?: number
  /** Most tokens of all that came back from tools in one step, and of an answer that is looked back to; 1,000 by default. */
  readonly observationTokens?: number
  /** Tokens of a text as the agent's model counts them; `approximateCount` by default. */
  readonly count?: (text: string) => number
  /**
   * Keeps what is forgotten, and gives the agent a tool, `recall`, that finds it. Calls must then name their scope, `context: { scope: { user, thread } }`.
   */
  readonly archive?: Omit<Mem1ArchiveOptions, 'scope' | 'threadId'>
  readonly tags?: Mem1Tags
  /** Told what went otherwise than it should: `asked-again`, `state-cut`, `state-kept`. */
  readonly onNotice?: (code: string, message: string) => void
}

/**
 * The constant-state loop of MEM1 (arXiv 2506.15841) for `createAgent` of LangChain: with each step the model writes its state anew, and sees of all that was
 * only this state, its last step with all results, and the user's newest message. So the prompt is as long after a hundred steps as after two. The agent's own
 * messages are left as they are; the state is kept with each of them, so that a checkpointer keeps it, too, and it goes on in later exchanges.
 *
 * A step without a state, or with one that is too long, is asked for once more; what was streamed of it is void then. States are streamed as they are written.
 *
 * @throws RangeError when a number of tokens is not a whole number above 0
 */
export function mem1Middleware(options: Mem1MiddlewareOptions = {}): AgentMiddleware<undefined, OptionalScopeContext> {
  const { stateTokens = 512, observationTokens = 1_000, count = approximateCount, tags = paperTags, archive, onNotice } = options
  for (const [name, value] of Object.entries({ stateTokens, observationTokens })) {
    if (!(Number.isInteger(value) && value > 0))
      throw new RangeError(`Cannot keep a state as ${name} must be a whole number above 0: ${value}`)
  }
  const loop: Loop = { stateTokens, observationTokens, count, tags, onNotice }
  return createMiddleware({
    name: 'Mem1',
    contextSchema: optionalScopeContext,
    ...(archive && { tools: [recallTool(archive)] }),
    async wrapModelCall(request, handler) {
      const { messages, runtime } = request
      const shown = shownMessages(messages, loop)
      if (shown === undefined) return handler(request)
      const kept = archive && archiveOf(archive, scopeOf(runtime.context))
      const { signal = new AbortController().signal } = runtime
      if (kept !== undefined) await keepResults(kept, messages, signal)
      const before = stateOf(messages)
      const asks = { ...request, systemMessage: instructed(request.systemMessage, loop, request.responseFormat !== undefined) }
      const ask = async (...added: BaseMessage[]): Promise<Reply> => replyOf(await handler({ ...asks, messages: [...shown, ...added] }))
      const first = await ask()
      const fault = faultOf(first, before, loop)
      if (fault !== undefined) onNotice?.('asked-again', `A step was not taken over (${fault}); asking once more`)
      const reply = fault === undefined ? first : await ask(repair(fault, loop))
      const state = takeState(reply, before, loop)
      if (state !== before) await kept?.keepState(stepOf(messages) - 1, before, signal)
      return withState(reply, state, tags)
    },
  })
}

interface Loop {
  readonly stateTokens: number
  readonly observationTokens: number
  readonly count: (text: string) => number
  readonly tags: Mem1Tags
  readonly onNotice: Mem1MiddlewareOptions['onNotice']
}

function recallTool(archive: NonNullable<Mem1MiddlewareOptions['archive']>) {
  return tool(
    async ({ query }: { query: string }, runtime: ToolRuntime<unknown, { scope?: MemoryScope }>) => {
      const { signal = new AbortController().signal } = runtime
      const found = await archiveOf(archive, scopeOf(runtime.context)).tool.run(query, signal)
      return found === '' ? 'Nothing was found. Try other words.' : found
    },
    { name: RECALL, description: 'Finds what you saw or noted before and have forgotten', schema: z.object({ query: z.string() }) },
  )
}

function archiveOf(archive: NonNullable<Mem1MiddlewareOptions['archive']>, { user, thread }: MemoryScope): Mem1Archive {
  return mem1Archive({ ...archive, scope: user, threadId: `${thread}/mem1` })
}

/** Number of the step that comes next: the agent's messages so far. */
function stepOf(messages: readonly BaseMessage[]): number {
  return messages.filter((message) => message.getType() === 'ai').length
}

/** Keeps what came back in the last step, whole. */
async function keepResults(archive: Mem1Archive, messages: readonly BaseMessage[], signal: AbortSignal): Promise<void> {
  const last = messages.findLastIndex((message) => message.getType() === 'ai')
  for (const message of messages.slice(last + 1)) {
    const call = messages[last] && callsOf(messages[last]).find(({ id }) => isToolMessage(message) && id === message.tool_call_id)
    if (call === undefined || call.name === RECALL) continue
    await archive.keepObservation(stepOf(messages) - 1, call.name, JSON.stringify(call.args), textOf(message), signal)
  }
}

/** What the handler gives: a message, or the messages of a structured response. */
type Handled = AIMessage | { readonly structuredResponse: unknown; readonly messages: readonly BaseMessage[] }

interface Reply {
  readonly handled: Handled
  readonly message: AIMessage | undefined
  readonly isStep: boolean
}

function replyOf(handled: Handled): Reply {
  if (!('structuredResponse' in handled)) return { handled, message: handled, isStep: callsOf(handled).length > 0 }
  const message = handled.messages.find((one) => AIMessage.isInstance(one))
  return { handled, message, isStep: false }
}

type Fault = 'no-state' | 'long-state'

/** An answer ends the loop: it may come without a state, and with a long one. */
function faultOf({ message, isStep }: Reply, before: string, { stateTokens, count, tags }: Loop): Fault | undefined {
  if (!isStep || message === undefined) return undefined
  const { state = '' } = splitState(textOf(message), tags)
  if (state === '') return 'no-state'
  return count(state) > stateTokens ? 'long-state' : undefined
}

function takeState({ message, isStep }: Reply, before: string, { stateTokens, count, tags, onNotice }: Loop): string {
  const { state = '' } = message === undefined ? {} : splitState(textOf(message), tags)
  if (state === '') {
    if (isStep && before !== '') onNotice?.('state-kept', 'No reply held a state; the last one stays')
    return before
  }
  const cut = cutNotes(state, stateTokens, count)
  if (cut !== state) onNotice?.('state-cut', `The state was cut to ${stateTokens} tokens`)
  return cut
}

function withState({ handled, message }: Reply, state: string, tags: Mem1Tags): AIMessage {
  if (message === undefined) return handled as AIMessage
  const kept = keepState(message, state, tags)
  if (!('structuredResponse' in handled)) return kept
  // LangChain takes this form from its own handler, though its types do not say so.
  return { ...handled, messages: handled.messages.map((one) => (one === message ? kept : one)) } as unknown as AIMessage
}

function instructed(system: SystemMessage, { stateTokens, tags }: Loop, formed: boolean): SystemMessage {
  const { state } = tags
  const when = formed ? 'Begin each reply that calls a tool' : 'Begin each reply'
  const text = [
    'All that you will remember is what you write into your state: everything else but the newest message is gone after each step.',
    `${when} with <${state}>your state</${state}>: all that matters of your last state and of what came back, and what is still open.`,
    `Use at most ${wordsOf(stateTokens)} words. Then call the tools that you need next, or give your answer.`,
  ].join(' ')
  return system.concat(system.text === '' ? text : `\n\n${text}`)
}

function repair(fault: Fault, { stateTokens, tags: { state } }: Loop): HumanMessage {
  const content =
    fault === 'no-state'
      ? `Your last reply had no <${state}>. Write your whole state first, what you leave out is forgotten; then call the tools again.`
      : `Your last state was too long. Keep all facts, but say them in at most ${wordsOf(stateTokens)} words; then call the tools again.`
  return new HumanMessage({ content, additional_kwargs: { ...injectedMark } })
}

function wordsOf(tokens: number): number {
  return Math.max(10, Math.round((tokens * 0.6) / 10) * 10)
}
