import type { FactExtractor, TurnSummary } from '../agents/index.ts'
import type { Logger } from '../log/index.ts'
import type { MemoryStore } from '../memory/index.ts'
import type { ChatModel, ModelDescription, NamedEmbedder } from '../models/index.ts'
import type { ControllerOptions, JobQueue, Journal, Limits, MemoryController } from '../workflows/index.ts'
import type { AuditLog } from './audit-log.ts'
import type { KeyStore } from './keys/key-store.ts'

/** What must not be passed. */
export interface ServiceLimits {
  /** Bytes of a body of JSON; 4 MiB by default. */
  readonly bodyBytes?: number
  /** Bytes of an uploaded file or import; 32 MiB by default. Each upload under way is held in memory. */
  readonly uploadBytes?: number
  /** Levels of nested JSON; 32 by default. */
  readonly jsonDepth?: number
  /** Requests under way; 256 by default. */
  readonly requests?: number
  /** Answers that run or wait for one before them; 16 by default. */
  readonly answers?: number
  /** Jobs that wait before writes are refused; 100,000 by default. */
  readonly backlog?: number
  /** Requests of one key a second in the long run, and at once; 200 and 400 by default. */
  readonly requestsPerSecond?: number
  readonly burst?: number
  /** Ceilings of every answer; 120 seconds by default. */
  readonly answer?: Limits
}

export interface ServiceOptions {
  /** Where everything is kept; it stays open when the service closes. */
  readonly memory: MemoryStore
  /** Runs what is derived behind the writes; closed with the service. */
  readonly queue: JobQueue
  /** Keys that are accepted. */
  readonly keys?: KeyStore
  /** Whether requests from this machine need no key as long as there never was one; false by default. */
  readonly open?: boolean
  /** Where changes and refusals are noted; in memory, and gone with the process, by default. */
  readonly audit?: AuditLog
  /** Where answers are recorded; in memory, and gone with the process, by default. */
  readonly journal?: Journal
  /** Answers. Without it memories are kept and found, and nothing is answered. */
  readonly model?: ChatModel
  /** What the model does not say of itself. */
  readonly description?: Partial<ModelDescription>
  /** Embedder of the store's vectors; without it, memories are found by words alone. */
  readonly embedder?: NamedEmbedder
  /** Shortens long turns; without it, turns come back whole or not at all. */
  readonly summary?: TurnSummary
  /** Draws facts with a model; rules of English without one. */
  readonly extractor?: FactExtractor
  /** What comes back of a thread; `scmController` without judgements by default. */
  readonly controller?: (options: ControllerOptions) => MemoryController
  /** Origins of pages that browsers may let call the service; none by default. */
  readonly corsOrigins?: readonly string[]
  readonly limits?: ServiceLimits
  readonly logger?: Logger
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number
}
