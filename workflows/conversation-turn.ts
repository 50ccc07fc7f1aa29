/** One exchange of a conversation as a strategy, so that it has the limits, events, journal and cancellation of every run. */
import type { RecalledTurn, Replier } from '../agents/index.ts'
import type { MemoryRecord, MemoryStore } from '../memory/index.ts'
import type { MemoryController, SelectedItem, Selection } from './memory-controller.ts'
import { createSelection, leaveOut } from './selection.ts'
import type { Strategy, StrategyContext } from './strategy.ts'
import { sumPlan } from './sum-plan.ts'

export interface ConversationTurn {
  readonly memory: MemoryStore
  readonly scope: string
  readonly threadId: string
  /** The user's message. */
  readonly text: string
  /** Id of the user's turn; its reply is `ID/reply`. */
  id(): string
  readonly controller: MemoryController
  readonly replier: Replier
  /** Tokens of a text. */
  readonly count: (text: string) => number
  readonly now: () => number
  /** Resolves when the exchange before is over. */
  readonly ready: Promise<unknown>
  /** Told of both turns once they are stored, and of what was recalled for them. */
  stored(turns: readonly MemoryRecord[], recalled: readonly string[]): void
}

export function conversationTurn(turn: ConversationTurn): Strategy {
  return {
    name: 'conversation',
    version: 1,
    plan: () =>
      sumPlan('conversation', [turn.replier.estimate({ memory: [], message: turn.text })], {
        chunks: 0,
        criticalPath: 1,
        notes: ['What comes back of the memory is not counted; it adds tokens up to the budget'],
      }),
    async run(context) {
      await unlessAborted(turn.ready, context.signal)
      return { status: 'answered', text: await exchange(turn, context) }
    },
  }
}

/** Waits, and rejects with the signal's reason when it aborts first. */
function unlessAborted(waiting: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    const settle = (): void => {
      signal.removeEventListener('abort', abort)
      resolve()
    }
    waiting.then(settle, settle)
  })
}

async function exchange(turn: ConversationTurn, context: StrategyContext): Promise<string> {
  const { memory, scope, threadId, text, controller, replier } = turn
  const user = await append(turn, { id: turn.id(), role: 'user', text })
  const known = await memory.get(scope, replyId(user.id))
  if (known !== undefined) return known.text
  const room = replier.room(text)
  const query = { scope, threadId, text, before: user.index, step: context.step, signal: context.signal }
  const selection = fitPrompt(replier, text, await controller.select(query, room))
  context.emit({ type: 'memory.selected', controller: controller.name, budget: room, ...selection })
  const kept = selection.items.filter(({ form }) => form !== 'dropped')
  context.phase('answering')
  const reply = await context.step(replier, { memory: kept.map(recalledTurn), message: text }, { path: 'reply' })
  const assistant = await append(turn, { id: replyId(user.id), role: 'assistant', text: reply })
  turn.stored(
    [user, assistant],
    kept.map(({ id }) => id),
  )
  return reply
}

function replyId(id: string): string {
  return `${id}/reply`
}

async function append(
  { memory, scope, threadId, count, now }: ConversationTurn,
  turn: Pick<MemoryRecord, 'id' | 'role' | 'text'>,
): Promise<MemoryRecord> {
  const [record] = await memory.append(scope, threadId, [{ ...turn, kind: 'turn', createdAt: now(), tokens: count(turn.text) }])
  return record as MemoryRecord
}

function recalledTurn({ text, record: { role = 'user', createdAt } }: SelectedItem): RecalledTurn {
  return { role, text, ...(createdAt === undefined ? {} : { at: createdAt }) }
}

/** Counted as a whole, a prompt may have more tokens than its parts: then the lowest items leave until it fits. */
function fitPrompt(replier: Replier, message: string, selection: Selection): Selection {
  const fits = (kept: readonly SelectedItem[]): boolean =>
    replier.promptTokens({ memory: createSelection(kept).items.map(recalledTurn), message }) <= replier.limit
  const ranked = selection.items.filter(({ form }) => form !== 'dropped').toSorted((a, b) => b.score - a.score)
  const left: SelectedItem[] = []
  while (ranked.length > 0 && !fits(ranked)) left.push(ranked.pop() as SelectedItem)
  if (left.length === 0) return selection
  const items = selection.items.map((item) => (left.includes(item) ? leaveOut(item.record, item.score, `${item.why}; no room left`) : item))
  return createSelection(items, selection.calls)
}
