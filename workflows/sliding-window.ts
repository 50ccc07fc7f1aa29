import type { ControllerOptions, MemoryController, SelectedItem } from './memory-controller.ts'
import { readBack } from './read-back.ts'
import { checkBudget, createSelection, keepRaw, leaveOut } from './selection.ts'

export interface SlidingWindowOptions extends ControllerOptions {
  /** Most turns that are kept; 20 by default. */
  readonly turns?: number
}

/** The newest turns, whole, up to a number of them and as far as the budget reaches. */
export function slidingWindow(options: SlidingWindowOptions): MemoryController {
  const { turns = 20, ...rest } = options
  if (!(Number.isInteger(turns) && turns >= 0)) throw new RangeError(`Cannot keep ${turns} turns as it must be a whole number from 0`)
  return newest('sliding-window', turns, rest)
}

/** As many of the newest turns as the budget holds, whole; older ones are cut off. */
export function truncateHistory(options: ControllerOptions): MemoryController {
  return newest('truncate', Infinity, options)
}

function newest(name: string, most: number, { memory, count, now = Date.now }: ControllerOptions): MemoryController {
  return {
    name,
    async select(query, budget) {
      checkBudget(budget)
      const items: SelectedItem[] = []
      let left = budget
      if (most > 0) {
        for await (const record of readBack({ memory, query, now: now() })) {
          const item = keepRaw(record, 1, `one of the newest turns (${items.length + 1} back)`, count)
          if (item.tokens > left) {
            items.push(leaveOut(record, 1, 'older than what the budget holds, as is all before it'))
            break
          }
          left -= item.tokens
          items.push(item)
          if (items.length >= most) break
        }
      }
      return createSelection(items)
    },
  }
}
