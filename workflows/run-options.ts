import type { CallModelOptions } from '../models/index.ts'
import type { Logger } from '../log/index.ts'
import type { Journal } from './journal.ts'
import type { Limits } from './limits.ts'
import type { SourceContextOptions } from './source-context.ts'
import type { Strategy } from './strategy.ts'

export interface RunOptions extends Pick<SourceContextOptions, 'chunker' | 'chunkTokens'> {
  readonly strategy: Strategy
  readonly journal: Journal
  readonly limits?: Limits
  readonly signal?: AbortSignal
  /** Calls the models again even where the journal knows the answer of an equal step. */
  readonly fresh?: boolean
  /** Id of a run to go on with. */
  readonly resume?: string
  readonly namespace?: string
  readonly call?: CallModelOptions
  readonly logger?: Logger
  /** Milliseconds since 1970. */
  readonly now?: () => number
}
