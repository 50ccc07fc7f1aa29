import { LRUCache } from 'lru-cache'
import { ScopeView } from '../scope-view.ts'
import type { Database } from './sqlite-meta.ts'
import { toTraits, traitsColumns, type TraitsRow } from './sqlite-rows.ts'

/** Records that all views together may hold, at about 200 bytes each; a larger scope's view lasts for one search. */
const maxRecords = 2_000_000

/** Views of the scopes that were searched last. */
export interface ScopeViews {
  /** The scope as it now is. */
  get(scope: number): ScopeView
}

export function createScopeViews(database: Database): ScopeViews {
  const state = database.prepare<[], { last: number; epoch: number }>('SELECT last, epoch FROM changes')
  const removed = database
    .prepare<[number, number], number>('SELECT key FROM removals WHERE scope = ? AND change > ? ORDER BY change')
    .pluck()
  const changed = database.prepare<[number, number], TraitsRow>(`SELECT ${traitsColumns} FROM records WHERE scope = ? AND change > ?`)
  let created = 0
  const views = new LRUCache<number, ScopeView>({ maxSize: maxRecords, sizeCalculation: ({ size }) => 100 + size })

  function catchUp(view: ScopeView, scope: number, last: number): void {
    for (const key of removed.all(scope, view.seen)) view.delete(key)
    for (const row of changed.iterate(scope, view.seen)) {
      view.set({ key: row.key, vector: row.vector ?? undefined, ...toTraits(row) })
    }
    view.seen = last
  }

  return {
    get(scope) {
      const { last, epoch } = state.get() as { last: number; epoch: number }
      const known = views.get(scope)
      const view = known?.epoch === epoch ? known : new ScopeView(epoch, 2 ** 32 * created++)
      if (view === known && view.seen === last) return view
      const before = view.size
      catchUp(view, scope, last)
      if (view !== known || view.size !== before) views.set(scope, view)
      return view
    },
  }
}
