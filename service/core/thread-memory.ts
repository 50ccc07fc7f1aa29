import { randomUUID } from 'node:crypto'
import { checkEmbedder, type MemoryRecord, type MemoryStore, type NewTurn, type RangeOptions } from '../../memory/index.ts'
import { type Conversation, type Limits, openConversation, type Run, type Selection } from '../../workflows/index.ts'
import { derivingJob } from './derive-jobs.ts'
import { type Owner, scopeOf } from './owner.ts'
import { recordId, threadKey } from './resource-ids.ts'
import { scopedStore } from './scoped-store.ts'
import { checkBacklog, type ServiceCore } from './service-core.ts'

/** A turn as a caller gives it; its id is its own within the thread, made up when left out. */
export type GivenTurn = Omit<NewTurn, 'id' | 'kind' | 'tokens' | 'vector' | 'sources'> & { readonly id?: string }

export interface AnswerOptions {
  /** Id of the message's turn: sending it again gives the reply that is there. */
  readonly id?: string | undefined
  readonly limits?: Limits | undefined
  readonly signal?: AbortSignal | undefined
}

/** The service was started without a model: it remembers, and does not answer. */
export class NoModelError extends Error {
  override readonly name = 'NoModelError'
}

/** One thread of one user, and nothing besides. */
export interface ThreadMemory {
  readonly threadId: string
  /**
   * Adds turns, all or none; on the disk when it resolves, with what is derived to follow. Turns whose ids are there already with the same
   * texts are given as they are.
   *
   * @throws StoreError `conflict` for an id that is there with another text; BusyError when too much waits to be derived
   */
  append(turns: readonly GivenTurn[]): Promise<MemoryRecord[]>
  list(range: RangeOptions): Promise<MemoryRecord[]>
  get(turnId: string): Promise<MemoryRecord | undefined>
  /** What of the thread comes back for a text, within a budget in tokens, and why. */
  recall(text: string, budget: number, signal?: AbortSignal): Promise<Selection>
  /**
   * Answers a message with what comes back of the thread. The run goes on until it ends or its signal aborts.
   *
   * @throws NoModelError; BusyError when too many answers are under way; ContextOverflowError when the message is too long
   */
  answer(text: string, options?: AnswerOptions): Promise<Run>
}

export function openThread(core: ServiceCore, owner: Owner, threadId: string): ThreadMemory {
  const scope = scopeOf(owner)
  const key = threadKey(threadId)
  const memory = scopedStore(core.memory, scope, key)
  const job = derivingJob(scope, key)

  async function recall(text: string, budget: number, signal?: AbortSignal): Promise<Selection> {
    const controller = core.controller({ memory, count: core.count, now: core.now, ...(core.embedder && { embedder: core.embedder }) })
    return controller.select({ scope, threadId: key, text, ...(signal && { signal }) }, budget)
  }

  /** Holds the scope for as long as the run takes: an erasure waits for it, so that its reply does not outlive what it was made of. */
  async function answer(text: string, { id = randomUUID(), limits = {}, signal }: AnswerOptions = {}): Promise<Run> {
    await checkBacklog(core)
    const exit = await core.locks.enter(scope)
    try {
      const { conversation, leave } = await core.desk.enter(`${scope}/${key}`, () => openThreadConversation(core, memory, scope, key))
      const turnId = recordId(key, id)
      const run = conversation.send(text, { id: turnId, limits: leastLimits(core.limits.answer, limits), ...(signal && { signal }) })
      void settled(run.result)
        .then(() => deriveFrom(core, memory, scope, key, turnId))
        .catch((error: unknown) => core.logger.error({ err: error }, 'a job could not be added; it is found again at the next start'))
        .finally(() => {
          leave()
          exit()
        })
      return run
    } catch (error) {
      exit()
      throw error
    }
  }

  return {
    threadId,
    async append(turns) {
      await checkBacklog(core)
      return core.locks.shared(scope, async () => {
        const records = await memory.append(
          scope,
          key,
          turns.map((turn) => toTurn(core, key, turn)),
        )
        const from = Math.min(...records.map(({ index }) => index))
        await core.queue.add([{ ...job, from }])
        return records
      })
    },
    list: (range) => memory.list(scope, key, range),
    get: (turnId) => memory.get(scope, recordId(key, turnId)),
    recall,
    answer,
  }
}

function toTurn({ count, now }: ServiceCore, key: string, { id = randomUUID(), text, createdAt = now(), ...turn }: GivenTurn): NewTurn {
  return { ...turn, id: recordId(key, id), text, createdAt, kind: 'turn', tokens: count(text) }
}

async function openThreadConversation(core: ServiceCore, memory: MemoryStore, scope: string, key: string): Promise<Conversation> {
  const { model, journal, embedder, controller, now, logger } = core
  if (model === undefined) throw new NoModelError('Cannot answer as the service has no model')
  checkEmbedder(memory.embedderId, embedder?.id, 'of the memory')
  return openConversation({
    memory,
    scope,
    threadId: key,
    model: model.model,
    description: model.description,
    controller,
    journal,
    now,
    logger,
    ...(embedder && { embedder }),
    deriver: {
      // The job that follows every answer derives what is to be derived.
      add() {},
      catchUp() {},
      touch: (ids, at) => {
        memory.touch(scope, ids, at).catch((error: unknown) => logger.warn({ err: error }, 'a recall could not be counted'))
      },
      idle: () => Promise.resolve(),
    },
  })
}

/** Also where there is no reply, the message is there. */
async function deriveFrom({ queue }: ServiceCore, memory: MemoryStore, scope: string, key: string, turnId: string): Promise<void> {
  const turn = await memory.get(scope, turnId)
  if (turn !== undefined) await queue.add([{ ...derivingJob(scope, key), from: turn.index }])
}

function settled(result: Promise<unknown>): Promise<void> {
  return result.then(
    () => undefined,
    () => undefined,
  )
}

function leastLimits(most: Limits, asked: Limits): Limits {
  const limits: Partial<Record<keyof Limits, number>> = { ...most }
  for (const [name, value] of Object.entries(asked) as [keyof Limits, number | undefined][]) {
    if (value !== undefined) limits[name] = Math.min(value, most[name] ?? Infinity)
  }
  return limits
}
