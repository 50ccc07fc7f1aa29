import type { MemoryRecord } from '../memory/index.ts'

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
