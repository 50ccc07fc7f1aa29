import type { ControllerOptions, MemoryController, SelectedItem } from './memory-controller.ts'
import { readBack } from './read-back.ts'
import { checkBudget, createSelection, keepRaw, keepSummary, leaveOut } from './selection.ts'

export interface SummaryBufferOptions extends ControllerOptions {
  /** Share of the budget for the newest turns as they were said, from 0 to 1; 0.5 by default. */
  readonly rawShare?: number
}

/** The newest turns whole, and before them the summaries of older ones, as far as the budget reaches; a turn without a summary is whole. */
export function summaryBuffer(options: SummaryBufferOptions): MemoryController {
  const { memory, count, now = Date.now, rawShare = 0.5 } = options
  if (!(rawShare >= 0 && rawShare <= 1)) throw new RangeError(`Cannot keep a share of ${rawShare} whole as a share must lie from 0 to 1`)
  return {
    name: 'summary-buffer',
    async select(query, budget) {
      checkBudget(budget)
      const items: SelectedItem[] = []
      let tokens = 0
      let shortening = false
      for await (const record of readBack({ memory, query, now: now() })) {
        const raw = keepRaw(record, 1, shortening ? 'an older turn without a summary' : 'one of the newest turns', count)
        shortening ||= tokens + raw.tokens > rawShare * budget
        const item = (shortening ? keepSummary(record, 1, 'an older turn, by its summary', count) : undefined) ?? raw
        if (tokens + item.tokens > budget) {
          items.push(leaveOut(record, 1, 'older than what the budget holds, as is all before it'))
          break
        }
        tokens += item.tokens
        items.push(item)
      }
      return createSelection(items)
    },
  }
}
