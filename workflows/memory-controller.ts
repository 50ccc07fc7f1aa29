/** The contract of memory controllers: what of a conversation comes back for a query, in which form, within a budget. */
import type { MemoryStore } from '../memory/index.ts'
import type { NamedEmbedder } from '../models/index.ts'
import type { Selection } from './memory-selection.ts'
import type { Step } from './strategy.ts'

export type { SelectedItem, Selection } from './memory-selection.ts'

/** What is asked of the memory. */
export interface SelectQuery {
  readonly scope: string
  /** The conversation whose turns are looked at; its newest ones may come back without a search. */
  readonly threadId: string
  /** The user's message that is to be answered; it never comes back itself. */
  readonly text: string
  /** Only turns with a lower index are looked at: where the message is in the store already, its index; all by default. */
  readonly before?: number
  /** Runs agents inside of a run, with its limits, journal and events; on their own by default. */
  readonly step?: Step
  readonly signal?: AbortSignal
}

/** Chooses what comes back. Implementations differ in what they look at and how they shorten. */
export interface MemoryController {
  /** Kebab-case. */
  readonly name: string
  /**
   * @param budget most tokens of all kept items, from 0
   * @throws RangeError when the budget is not a whole number from 0
   */
  select(query: SelectQuery, budget: number): Promise<Selection>
}

/** What every controller needs. */
export interface ControllerOptions {
  readonly memory: MemoryStore
  /** Tokens of a text, as the answering model counts them, with what the prompt puts around it. */
  readonly count: (text: string) => number
  /** Embedder of the store's vectors; without it, words alone find. */
  readonly embedder?: NamedEmbedder
  /** Milliseconds since 1970; the system's clock by default. */
  readonly now?: () => number
}
