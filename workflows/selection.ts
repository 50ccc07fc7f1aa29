/** What all controllers have in common: how an item is kept or left out, and how a selection is made of items. */
import type { MemoryRecord } from '../memory/index.ts'
import type { ControllerOptions, SelectedItem, Selection } from './memory-controller.ts'

type Count = ControllerOptions['count']

/** @throws RangeError when the budget is not a whole number from 0 */
export function checkBudget(budget: number): void {
  if (!(Number.isSafeInteger(budget) && budget >= 0))
    throw new RangeError(`Cannot select within a budget of ${budget} as it must be a whole number of tokens from 0`)
}

export function keepRaw(record: MemoryRecord, score: number, why: string, count: Count): SelectedItem {
  return { id: record.id, form: 'raw', score, why, record, text: record.text, tokens: count(record.text) }
}

export function leaveOut(record: MemoryRecord, score: number, why: string): SelectedItem {
  return { id: record.id, form: 'dropped', score, why, record, text: '', tokens: 0 }
}

/** The record's summary; undefined where it has none that is shorter than its text. */
export function keepSummary(record: MemoryRecord, score: number, why: string, count: Count): SelectedItem | undefined {
  const { id, summary: text, text: raw } = record
  if (text === undefined || text === '') return undefined
  const tokens = count(text)
  return tokens < count(raw) ? { id, form: 'summary', score, why, record, text, tokens } : undefined
}

/** Kept items in order of time, those left out behind them. */
export function createSelection(items: readonly SelectedItem[], calls = 0): Selection {
  const ordered = items.toSorted((a, b) => a.record.index - b.record.index)
  const kept = ordered.filter(({ form }) => form !== 'dropped')
  const tokens = kept.reduce((sum, item) => sum + item.tokens, 0)
  return { items: [...kept, ...ordered.filter(({ form }) => form === 'dropped')], tokens, calls }
}
