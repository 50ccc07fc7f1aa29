/** A conversation of any length within a fixed budget: every turn is kept, and what matters of them comes back for each message. */
import { replier, type Replier, type ReplierOptions, type TurnSummary } from '../agents/index.ts'
import { StoreError } from '../errors/index.ts'
import type { MemoryRecord, MemoryStore, NewTurn, RangeOptions } from '../memory/index.ts'
import { type ChatModel, describe, type ModelDescription, type NamedEmbedder, openLocalModel } from '../models/index.ts'
import { copyTurn, exportHeader, exportTurn, importTurns } from './conversation-file.ts'
import { conversationSource } from './conversation-source.ts'
import { conversationTurn } from './conversation-turn.ts'
import { createTurnDeriver, type TurnDeriver } from './derive-turns.ts'
import type { Journal } from './journal.ts'
import type { ControllerOptions, MemoryController } from './memory-controller.ts'
import { createMemoryJournal } from './memory-journal.ts'
import { pickDefined } from './pick-defined.ts'
import type { RunOptions } from './run-options.ts'
import { type Run, startRun } from './run.ts'
import { scmController } from './scm-controller.ts'

export interface ConversationOptions
  extends Pick<RunOptions, 'limits' | 'call' | 'logger' | 'now'>, Pick<ReplierOptions, 'system' | 'budget' | 'maxOutput' | 'temperature'> {
  /** Where turns are kept. */
  readonly memory: MemoryStore
  readonly threadId: string
  /** Whose conversation it is; scopes never see each other. `default` by default. */
  readonly scope?: string
  /** Answers; the bundled local model by default. */
  readonly model?: ChatModel
  /** What `describe` cannot know of a remote model, such as its window. */
  readonly description?: Partial<ModelDescription>
  /** What comes back; `scmController` without judgements by default. */
  readonly controller?: (options: ControllerOptions) => MemoryController
  /** Embedder of the store's vectors; without it, turns are found by words alone. */
  readonly embedder?: NamedEmbedder
  /** Shortens long turns behind the replies; without it, turns come back whole or not at all. */
  readonly summary?: TurnSummary
  /** Where runs are recorded; in memory by default, gone with the process. */
  readonly journal?: Journal
  /** Derives summaries, vectors and uses of turns in place of the conversation itself. */
  readonly deriver?: TurnDeriver
}

export interface SendOptions extends Pick<RunOptions, 'limits' | 'signal' | 'resume'> {
  /**
   * Id of the message's turn, so that sending it again is harmless: a reply that is there already is given as it is. The run's id by
   * default.
   */
  readonly id?: string
}

export interface Conversation {
  readonly scope: string
  readonly threadId: string
  /**
   * Answers a message. It is stored before the model is called, and the reply after; messages sent meanwhile wait for their turn. The run's
   * events tell what came back and why (`memory.selected`) and the reply as it is written; its answer holds the reply.
   *
   * @throws TypeError when the message is empty
   */
  send(text: string, options?: SendOptions): Run
  /** Turns in order. */
  turns(range?: RangeOptions): Promise<MemoryRecord[]>
  /** Takes back every turn from `index` on, and gives how many; facts that rest on them alone go too. */
  rollBack(index: number): Promise<number>
  /**
   * Copies the turns below `until` (all by default) to a new thread, and gives its conversation.
   *
   * @throws StoreError `conflict` when the thread has turns
   */
  fork(threadId: string, options?: { readonly until?: number }): Promise<Conversation>
  /** The conversation as JSON lines, without line ends; see `importConversation`. */
  export(): AsyncIterable<string>
  /** Answers with another model from the next message on. */
  use(model: ChatModel, description?: Partial<ModelDescription>): void
  /** Resolves when summaries and vectors of all turns are made, as far as they can be. */
  idle(): Promise<void>
  /** Waits for what is under way. The store stays open. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Turns copied or read at a time. */
const PAGE = 500

/**
 * Opens a conversation, new or not. Another process may have left turns without vectors; they are made behind the first replies.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 * @throws RangeError when the budget is no number of tokens from 0
 */
export async function openConversation(options: ConversationOptions): Promise<Conversation> {
  const model = options.model ?? (await openLocalModel())
  const conversation = new OpenConversation(options, model)
  conversation.catchUp()
  return conversation
}

/**
 * Opens a conversation with the turns of an export, which keep their ids.
 *
 * @throws StoreError `conflict` when the thread has turns, or the scope another turn of the same id; `mismatch` or `corrupt` when the lines cannot be read
 */
export async function importConversation(
  lines: Iterable<string> | AsyncIterable<string>,
  options: ConversationOptions,
): Promise<Conversation> {
  const { memory, threadId, scope = 'default' } = options
  const turns: NewTurn[] = []
  for await (const turn of importTurns(lines)) turns.push(turn)
  await appendAll(memory, scope, threadId, turns)
  return openConversation(options)
}

class OpenConversation implements Conversation {
  readonly scope: string
  readonly threadId: string
  readonly #options: ConversationOptions
  readonly #journal: Journal
  readonly #deriver: TurnDeriver
  #description: ModelDescription
  #replier: Replier
  #controller: MemoryController
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: ConversationOptions, model: ChatModel) {
    this.scope = options.scope ?? 'default'
    this.threadId = options.threadId
    this.#options = { ...options, model }
    this.#journal = options.journal ?? createMemoryJournal()
    this.#description = describe(model, options.description)
    this.#replier = this.#createReplier(model)
    this.#controller = this.#createController(this.#replier)
    const { memory, embedder, summary, call, logger } = options
    const count = (text: string): number => this.#description.count(text)
    this.#deriver = options.deriver ?? createTurnDeriver({ memory, scope: this.scope, embedder, summary, count, call, logger })
  }

  catchUp(): void {
    this.#deriver.catchUp()
  }

  use(model: ChatModel, description?: Partial<ModelDescription>): void {
    this.#description = describe(model, description)
    this.#replier = this.#createReplier(model)
    this.#controller = this.#createController(this.#replier)
  }

  send(text: string, sent: SendOptions = {}): Run {
    if (text.trim() === '') throw new TypeError('Cannot send an empty message: give some words')
    const { memory, embedder, now = Date.now } = this.#options
    const { scope, threadId } = this
    const source = conversationSource(threadId, { memory, embedder, scope })
    const run: Run = startRun(async () => source, text, {
      strategy: conversationTurn({
        memory,
        scope,
        threadId,
        text,
        id: () => sent.id ?? run.id,
        controller: this.#controller,
        replier: this.#replier,
        count: this.#description.count,
        now,
        ready: this.#tail,
        stored: (turns, recalled) => {
          this.#deriver.add(turns)
          this.#deriver.touch(recalled, now())
        },
      }),
      journal: this.#journal,
      // A message may be sent twice in good faith; only a resumed run takes over what it had.
      fresh: true,
      now,
      ...pickDefined(this.#options, ['limits', 'call', 'logger']),
      ...pickDefined(sent, ['limits', 'signal', 'resume']),
    })
    this.#tail = Promise.allSettled([this.#tail, run.result])
    return run
  }

  async turns(range: RangeOptions = {}): Promise<MemoryRecord[]> {
    const records = await this.#options.memory.list(this.scope, this.threadId, range)
    return records.filter(({ kind }) => kind === 'turn')
  }

  async rollBack(index: number): Promise<number> {
    if (!(Number.isSafeInteger(index) && index >= 0))
      throw new RangeError(`Cannot roll back to turn ${index} as it must be a whole number from 0`)
    await this.#settle()
    const ids: string[] = []
    for await (const { id } of this.#walk(index)) ids.push(id)
    return this.#options.memory.delete(this.scope, ids)
  }

  async fork(threadId: string, { until = Infinity }: { readonly until?: number } = {}): Promise<Conversation> {
    await this.#settle()
    const turns: NewTurn[] = []
    for await (const turn of this.#walk(0, until)) turns.push(copyTurn(turn, `${threadId}/${turn.index}`))
    await appendAll(this.#options.memory, this.scope, threadId, turns)
    return openConversation({ ...this.#options, threadId })
  }

  async *export(): AsyncGenerator<string> {
    await this.#tail
    yield exportHeader(this.threadId)
    for await (const turn of this.#walk(0)) yield exportTurn(turn)
  }

  async idle(): Promise<void> {
    await this.#settle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#settle()
  }

  /** Replies under way and what is derived behind them. */
  async #settle(): Promise<void> {
    await this.#tail
    await this.#deriver.idle()
  }

  /** Turns from an index on, in order. */
  async *#walk(from: number, until = Infinity): AsyncGenerator<MemoryRecord> {
    let next = from
    for (;;) {
      const range = { from: next, limit: PAGE, ...(until === Infinity ? {} : { until }) }
      const records = await this.#options.memory.list(this.scope, this.threadId, range)
      yield* records.filter(({ kind }) => kind === 'turn')
      const last = records.at(-1)
      if (last === undefined || records.length < PAGE) return
      next = last.index + 1
    }
  }

  #createReplier(model: ChatModel): Replier {
    const own = pickDefined(this.#options, ['system', 'budget', 'maxOutput', 'temperature'])
    return replier(model, { ...own, description: this.#description })
  }

  #createController({ lineTokens: count }: Replier): MemoryController {
    const { memory, controller = scmController } = this.#options
    return controller({ memory, count, ...pickDefined(this.#options, ['embedder', 'now']) })
  }
}

/** Appends turns to a thread that has none yet, page by page. */
async function appendAll(memory: MemoryStore, scope: string, threadId: string, turns: readonly NewTurn[]): Promise<void> {
  const [known] = await memory.list(scope, threadId, { limit: 1 })
  if (known !== undefined) {
    const problem = `Cannot copy turns to the thread ${threadId} as it has some already. Choose another id`
    throw new StoreError(problem, { reason: 'conflict', store: 'memory' })
  }
  for (let start = 0; start < turns.length; start += PAGE) await memory.append(scope, threadId, turns.slice(start, start + PAGE))
}
