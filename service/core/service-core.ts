/** What the service is made of, without HTTP: whatever speaks for it (routes, tools, a compatible endpoint) opens memories of it. */
import type { FactExtractor, TurnSummary } from '../../agents/index.ts'
import type { Logger } from '../../log/index.ts'
import type { MemoryStore } from '../../memory/index.ts'
import type { ChatModel, ModelDescription, NamedEmbedder } from '../../models/index.ts'
import type { ControllerOptions, JobQueue, Journal, Limits, MemoryController } from '../../workflows/index.ts'
import type { AnswerDesk } from './answer-desk.ts'
import { BusyError } from './busy-error.ts'
import type { ScopeLocks } from './scope-lock.ts'

/** The model that answers, and what is known of it. */
export interface ServiceModel {
  readonly model: ChatModel
  readonly description: ModelDescription
}

export interface ServiceCore {
  readonly memory: MemoryStore
  readonly journal: Journal
  readonly queue: JobQueue
  readonly locks: ScopeLocks
  readonly desk: AnswerDesk
  /** Absent: nothing is answered. */
  readonly model?: ServiceModel | undefined
  /** Absent: memories are found by words alone. */
  readonly embedder?: NamedEmbedder | undefined
  readonly summary?: TurnSummary | undefined
  readonly extractor?: FactExtractor | undefined
  readonly controller: (options: ControllerOptions) => MemoryController
  /** Tokens of a text. */
  readonly count: (text: string) => number
  readonly limits: CoreLimits
  readonly logger: Logger
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export interface CoreLimits {
  /** Jobs that may wait before writes are refused. */
  readonly backlog: number
  /** Ceilings of every answer; a request may ask for less. */
  readonly answer: Limits
}

/** @throws BusyError when more waits to be derived than may wait */
export async function checkBacklog({ queue, limits }: Pick<ServiceCore, 'queue' | 'limits'>): Promise<void> {
  const backlog = await queue.backlog()
  if (backlog >= limits.backlog) throw new BusyError(`Cannot write as too many jobs wait: ${backlog}`, 5)
}
