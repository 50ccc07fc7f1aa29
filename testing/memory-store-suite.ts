import type { MemoryStore } from '../memory/index.ts'
import { memoryFilterSuite } from './memory-filter-suite.ts'
import { memoryForgettingSuite } from './memory-forgetting-suite.ts'
import { memoryRankingSuite } from './memory-ranking-suite.ts'
import { memoryRecordsSuite } from './memory-records-suite.ts'
import { memorySearchSuite } from './memory-search-suite.ts'
import { createStoreSuite, record, type StoreSuite, type SuiteRunner, turn } from './memory-store-fixture.ts'
import { memoryTurnsSuite } from './memory-turns-suite.ts'

/**
 * What every store must do. Run it over your own with `memoryStoreSuite('my store', () => openMine(), { describe, it, expect })`.
 *
 * @param make a new empty store, each time it is called
 */
export function memoryStoreSuite(name: string, make: () => Promise<MemoryStore> | MemoryStore, runner: SuiteRunner): void {
  const suite = createStoreSuite(name, make, runner)
  memoryRecordsSuite(suite)
  memoryTurnsSuite(suite)
  memorySearchSuite(suite)
  memoryFilterSuite(suite)
  memoryRankingSuite(suite)
  memoryForgettingSuite(suite)
  closingSuite(suite)
}

function closingSuite({ name, describe, expect, test }: StoreSuite): void {
  describe(`${name}: closing`, () => {
    test('may be closed twice and then refuses every call', async (store) => {
      await store.put([record('a')])
      await store.close()
      await store.close()
      await store[Symbol.asyncDispose]()
      const closed = { name: 'StoreError', reason: 'closed' }
      await expect(store.put([record('b')])).rejects.toMatchObject(closed)
      await expect(store.get('one', 'a')).rejects.toMatchObject(closed)
      await expect(store.list('one', 'book')).rejects.toMatchObject(closed)
      await expect(store.search({ scope: 'one', text: 'text', k: 1 })).rejects.toMatchObject(closed)
      await expect(store.count('one')).rejects.toMatchObject(closed)
      await expect(store.deleteDocument('one', 'book')).rejects.toMatchObject(closed)
      await expect(store.isComplete('one', 'book', '1')).rejects.toMatchObject(closed)
      await expect(store.markComplete('one', 'book', '1')).rejects.toMatchObject(closed)
      await expect(store.append('one', 'chat', [turn('t')])).rejects.toMatchObject(closed)
      await expect(store.update('one', 'a', { tokens: 1 })).rejects.toMatchObject(closed)
      await expect(store.touch('one', ['a'], 0)).rejects.toMatchObject(closed)
      await expect(store.use('one', 'a')).rejects.toMatchObject(closed)
      await expect(store.coRecalled('one', 'a', 1)).rejects.toMatchObject(closed)
      await expect(store.withoutVector('one', 1)).rejects.toMatchObject(closed)
      await expect(store.delete('one', ['a'])).rejects.toMatchObject(closed)
      await expect(store.deleteExpired(0)).rejects.toMatchObject(closed)
      await expect(store.scopes(1)).rejects.toMatchObject(closed)
      await expect(store.documents('one', 1)).rejects.toMatchObject(closed)
      await expect(store.findErasable({ scope: 'one' })).rejects.toMatchObject(closed)
      await expect(store.erase({ scope: 'one' })).rejects.toMatchObject(closed)
    })
  })
}
