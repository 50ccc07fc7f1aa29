import type { ControllerOptions, MemoryController, SelectedItem } from './memory-controller.ts'
import { recallTurns } from './recall-turns.ts'
import { candidatesFor } from './scm-assembly.ts'
import { checkBudget, createSelection, keepRaw, leaveOut } from './selection.ts'

export interface NaiveMemoryOptions extends ControllerOptions {
  /** Most turns that are looked at; as for `scmController` by default. */
  readonly k?: number
  /** Turns on each side of a hit that become candidates too; 2 by default. */
  readonly neighbours?: number
}

/** SCM without its controller and its flash memory: the nearest turns, whole, from the best one down until the next does not fit. */
export function naiveMemory(options: NaiveMemoryOptions): MemoryController {
  const { memory, count, embedder, neighbours, now = Date.now } = options
  return {
    name: 'naive-memory',
    async select(query, budget) {
      checkBudget(budget)
      const k = options.k ?? candidatesFor(budget)
      const hits = budget === 0 ? [] : await recallTurns(query, { memory, k, neighbours, now: now(), ...(embedder ? { embedder } : {}) })
      const items: SelectedItem[] = []
      let left = budget
      let full = false
      for (const [rank, { record, score }] of hits.entries()) {
        const item = keepRaw(record, score, `nearest turn ${rank + 1} of ${hits.length}`, count)
        full ||= item.tokens > left
        if (!full) left -= item.tokens
        items.push(full ? leaveOut(record, score, 'no room left') : item)
      }
      return createSelection(items)
    },
  }
}
