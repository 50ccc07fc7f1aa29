import { ContextOverflowError } from '../errors/index.ts'
import type { ControllerOptions, MemoryController, SelectedItem } from './memory-controller.ts'
import { readBack } from './read-back.ts'
import { checkBudget, createSelection, keepRaw } from './selection.ts'

/** Every turn, whole: the baseline without memory. `select` throws ContextOverflowError when the turns do not fit the budget. */
export function fullHistory({ memory, count, now = Date.now }: ControllerOptions): MemoryController {
  return {
    name: 'full-history',
    async select(query, budget) {
      checkBudget(budget)
      const items: SelectedItem[] = []
      let tokens = 0
      for await (const record of readBack({ memory, query, now: now() })) {
        const item = keepRaw(record, 1, 'the whole history is kept', count)
        if (tokens + item.tokens > budget) throw tooLong({ newer: tokens, next: item.tokens }, budget)
        tokens += item.tokens
        items.push(item)
      }
      return createSelection(items)
    },
  }
}

function tooLong(parts: Readonly<Record<string, number>>, budget: number): ContextOverflowError {
  return new ContextOverflowError('Cannot keep the whole history', parts, budget, 'Raise the budget, or use another controller')
}
