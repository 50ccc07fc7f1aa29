/** The contract of memory controllers: what of a conversation comes back for a query, in which form, within a budget. */
import type { MemoryRecord, MemoryStore } from '../memory/index.ts'
import type { NamedEmbedder } from '../models/index.ts'
import type { Step } from './strategy.ts'

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

/** One record that was looked at. */
export interface SelectedItem {
  readonly id: string
  readonly form: 'raw' | 'summary' | 'dropped'
  /** Activation score; higher is nearer. */
  readonly score: number
  /** In words: why it came back, was shortened, or was left out. */
  readonly why: string
  readonly record: MemoryRecord
  /** Text in this form, and its tokens; empty and 0 when dropped. */
  readonly text: string
  readonly tokens: number
}

export interface Selection {
  /** What was looked at, kept ones in order of time, which is the order for the prompt; dropped ones behind them. */
  readonly items: readonly SelectedItem[]
  /** Tokens of all kept items together: never above the budget. */
  readonly tokens: number
  /** Calls of a model that the decision took. */
  readonly calls: number
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
