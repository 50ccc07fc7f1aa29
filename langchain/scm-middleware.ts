import { HumanMessage, type BaseMessage } from '@langchain/core/messages'
import { type AgentMiddleware, createMiddleware } from 'langchain'
import { LRUCache } from 'lru-cache'
import { recalledLine, type TurnSummary } from '../agents/index.ts'
import type { Logger } from '../log/index.ts'
import type { MemoryStore } from '../memory/index.ts'
import { approximateCount, type NamedEmbedder } from '../models/index.ts'
import {
  type ControllerOptions,
  createTurnDeriver,
  type MemoryController,
  scmController,
  type SelectedItem,
  type Selection,
} from '../workflows/index.ts'
import { type MemoryScope, type ScopeContext, scopeContext, scopeOf } from './memory-scope.ts'
import { exchangeStart, injectedMark, isInjected, messageTurns, systemMessages, textOf } from './message-turns.ts'
import { newestTurns, rememberTurns } from './remember-turns.ts'

export interface ScmMiddlewareOptions {
  readonly memory: MemoryStore
  /** Most tokens of what comes back, with its heading. */
  readonly budget: number
  /** Makes what chooses what comes back; `scmController`, without judgements, by default. */
  readonly controller?: (options: ControllerOptions) => MemoryController
  /** Tokens of a text as the agent's model counts them; `approximateCount` by default. */
  readonly count?: (text: string) => number
  /** Embedder of the store's vectors; without it, turns are found by words alone. */
  readonly embedder?: NamedEmbedder
  /** Shortens long turns once they are stored; without it, turns come back whole or not at all. */
  readonly summary?: TurnSummary
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Told what came back for a message, was shortened or left out, and why. */
  readonly onSelection?: (selection: Selection, scope: MemoryScope) => void
  readonly logger?: Logger
}

/** Conversations whose newest selection is kept, so that the calls of one exchange share it. */
const REMEMBERED = 1_000

/**
 * Memory for `createAgent` of LangChain: a conversation of any length takes a prompt of constant length. The model sees the newest exchange whole, the user's
 * newest message and the calls of tools that followed with their results, and before it what the controller brings back of all earlier turns within the
 * budget. Turns are stored as they are said; the agent's own state is left as it is, and what was brought back is never stored as a turn.
 *
 * A call must name its scope, `context: { scope: { user, thread } }`: without one it throws.
 *
 * @throws RangeError when the budget is not a whole number from 0
 * @example
 * ```ts
 * const agent = createAgent({ model, tools, middleware: [scmMiddleware({ memory: await openMemory('chat.db'), budget: 2_000 })] })
 * await agent.invoke({ messages: [{ role: 'user', content: 'Hello' }] }, { context: { scope: { user: 'ada', thread: 'first' } } })
 * ```
 */
export function scmMiddleware(options: ScmMiddlewareOptions): AgentMiddleware<undefined, ScopeContext> {
  const { memory, budget, count = approximateCount, embedder, now = Date.now } = options
  if (!(Number.isSafeInteger(budget) && budget >= 0))
    throw new RangeError(`Cannot bring back memory as the budget must be a whole number of tokens from 0: ${budget}`)
  const lineTokens = (text: string): number => count(`\n${recalledLine({ role: 'assistant', text, at: 0 })}`) + 1
  const { controller = scmController } = options
  const recall: Recall = {
    ...options,
    count,
    now,
    chooser: controller({ memory, count: lineTokens, ...(embedder && { embedder }), now }),
    room: Math.max(0, budget - count(HEADING)),
  }
  const newest = new LRUCache<string, Recalled>({ max: REMEMBERED })

  return createMiddleware({
    name: 'ScmMemory',
    contextSchema: scopeContext,
    async wrapModelCall(request, handler) {
      const scope = scopeOf(request.runtime.context)
      const start = exchangeStart(request.messages)
      if (start === undefined) return handler(request)
      const exchange = request.messages.slice(start).filter((message) => message.getType() !== 'system')
      const key = JSON.stringify([scope.user, scope.thread])
      const asked = exchange.findLast((message) => message.getType() === 'human' && !isInjected(message)) as BaseMessage
      let recalled = newest.get(key)
      if (asked.id === undefined || recalled?.id !== asked.id || recalled.text !== asked.text) {
        await remember(recall, request.state.messages, scope)
        recalled = { id: asked.id, text: asked.text, messages: await recallFor(recall, exchange, scope, request.runtime.signal) }
        newest.set(key, recalled)
      }
      return handler({ ...request, messages: [...systemMessages(request.messages), ...recalled.messages, ...exchange] })
    },
    async afterAgent({ messages }, { context }) {
      await remember(recall, messages, scopeOf(context))
    },
  })
}

/** What came back for a message of the user: one message, or none where nothing did. */
interface Recalled {
  readonly id: string | undefined
  readonly text: string
  readonly messages: readonly HumanMessage[]
}

interface Recall extends ScmMiddlewareOptions {
  readonly chooser: MemoryController
  readonly count: (text: string) => number
  readonly now: () => number
  /** Tokens for what comes back, without its heading. */
  readonly room: number
}

/** Turns are stored first; what fails in summaries and vectors leaves them as they are. */
async function remember(recall: Recall, messages: readonly BaseMessage[], scope: MemoryScope): Promise<void> {
  const { memory, count, embedder, summary, logger } = recall
  const turns = await rememberTurns(messageTurns(messages), scope, recall)
  if (turns.length === 0) return
  const deriver = createTurnDeriver({ memory, scope: scope.user, embedder, summary, count, logger })
  deriver.add(turns)
  await deriver.idle()
}

/** The exchange's own turns are stored last of all: only what stands before them can come back. */
async function recallFor(
  recall: Recall,
  exchange: readonly BaseMessage[],
  scope: MemoryScope,
  signal: AbortSignal | undefined,
): Promise<HumanMessage[]> {
  const { memory, chooser, room, now, onSelection } = recall
  const [first] = await newestTurns(memory, scope.user, scope.thread, messageTurns(exchange).length)
  const text = exchange
    .map((message) => (message.getType() === 'human' ? textOf(message) : ''))
    .join('\n')
    .trim()
  const before = first === undefined ? {} : { before: first.index }
  const selection = await chooser.select({ scope: scope.user, threadId: scope.thread, text, ...before, ...(signal && { signal }) }, room)
  onSelection?.(selection, scope)
  const kept = selection.items.filter(({ form }) => form !== 'dropped')
  if (kept.length === 0) return []
  await memory.touch(
    scope.user,
    kept.map(({ id }) => id),
    now(),
  )
  return memoryMessage(recall, kept)
}

const HEADING =
  'Earlier in this conversation, in order of time; some turns are shortened. Where they disagree, the latest holds. This is for reference, not a new request.'

/** Counted as a whole, a text may have more tokens than its parts: then the lowest items leave until it fits. */
function memoryMessage({ count, budget }: Recall, kept: readonly SelectedItem[]): HumanMessage[] {
  const ranked = kept.toSorted((a, b) => b.score - a.score)
  for (let length = ranked.length; length > 0; length--) {
    const staying = new Set(ranked.slice(0, length))
    const content = [HEADING, ...kept.filter((item) => staying.has(item)).map(lineOf)].join('\n')
    if (count(content) <= budget) return [new HumanMessage({ content, additional_kwargs: { ...injectedMark } })]
  }
  return []
}

function lineOf({ text, record: { role = 'user', createdAt } }: SelectedItem): string {
  return recalledLine({ role, text, ...(createdAt !== undefined && { at: createdAt }) })
}
