import type { MemoryRecord, MemoryStore } from '../memory/index.ts'
import { ids, idsOf, record, type StoreSuite, turn, vector } from './memory-store-fixture.ts'

function fact(id: string, sources: readonly string[], parts: Partial<MemoryRecord> = {}): MemoryRecord {
  return record(id, { kind: 'fact', documentId: 'facts', text: `whale ${id}`, sources, ...parts })
}

/** What a store forgets, and how it tells what it holds. */
export function memoryForgettingSuite({ name, describe, expect, test }: StoreSuite): void {
  async function found(store: MemoryStore): Promise<string[]> {
    return ids(await store.search({ scope: 'one', text: 'whale', vector: vector(1), k: 99, neighbours: 3 })).toSorted()
  }

  describe(`${name}: forgetting`, () => {
    test('deletes records everywhere and counts what it deleted', async (store) => {
      await store.put(['a', 'b', 'c'].map((id, index) => record(id, { text: 'whale', index, vector: vector(index) })))
      await store.touch('one', ['a', 'b'], 5)
      expect(await store.delete('one', ['a', 'absent', 'a'])).toBe(1)
      expect(await store.delete('one', ['a'])).toBe(0)
      expect(await store.delete('nowhere', ['b'])).toBe(0)
      expect(await store.delete('one', [])).toBe(0)
      expect(await store.get('one', 'a')).toBe(undefined)
      expect(await store.use('one', 'a')).toBe(undefined)
      expect(await store.coRecalled('one', 'b', 9)).toEqual([])
      expect(idsOf(await store.list('one', 'book'))).toEqual(['b', 'c'])
      expect(await found(store)).toEqual(['b', 'c'])
    })

    test('takes facts along whose sources are all gone, however long the chain, and no others', async (store) => {
      await store.append(
        'one',
        'chat',
        ['t1', 't2'].map((id) => turn(id)),
      )
      await store.put([
        fact('of both', ['t1', 't2']),
        fact('of the first', ['t1']),
        fact('of a fact', ['of the first']),
        fact('of itself and the first', ['of itself and the first', 't1']),
        fact('of none', []),
        fact('of the unknown', ['unknown']),
        fact('of the first', ['t1'], { scope: 'two' }),
      ])
      expect(await store.delete('one', ['unknown'])).toBe(0)
      expect(await store.delete('one', ['t1'])).toBe(4)
      expect(await found(store)).toEqual(['of both', 'of none', 'of the unknown'])
      expect(await store.count('two')).toBe(1)
      expect(await store.deleteDocument('one', 'chat')).toBe(2)
      expect(await found(store)).toEqual(['of none', 'of the unknown'])
    })

    test('counts the sources that a record has now, not those it had', async (store) => {
      await store.append(
        'one',
        'chat',
        ['t1', 't2'].map((id) => turn(id)),
      )
      await store.put([fact('f', ['t1'])])
      await store.put([fact('f', ['t2'])])
      expect(await store.delete('one', ['t1'])).toBe(1)
      expect(await store.delete('one', ['t2'])).toBe(2)
    })

    test('deletes what has expired in every scope, and spares what is pinned', async (store) => {
      await store.put([
        record('a', { expiresAt: 100 }),
        record('b', { expiresAt: 101 }),
        record('c', { expiresAt: 50, pinned: true }),
        record('d'),
        record('a', { scope: 'two', expiresAt: 0 }),
        fact('f', ['a']),
      ])
      expect(await store.deleteExpired(99)).toBe(1)
      expect(await store.deleteExpired(100)).toBe(2)
      expect(await store.deleteExpired(100)).toBe(0)
      expect(idsOf(await store.list('one', 'book'))).toEqual(['b', 'c', 'd'])
      expect(await store.scopes(9)).toEqual(['one'])
      await expect(store.deleteExpired(Number.NaN)).rejects.toMatchObject({ name: 'RangeError' })
    })

    test('gives a place again once it is free, and never a deleted turn back', async (store) => {
      await store.append(
        'one',
        'chat',
        ['a', 'b'].map((id) => turn(id, { text: `whale ${id}`, vector: vector(1) })),
      )
      await store.delete('one', ['b'])
      const [back] = await store.append('one', 'chat', [turn('b', { text: 'rope', vector: vector(50) })])
      expect(back?.index).toBe(1)
      const hits = await store.search({ scope: 'one', text: 'whale', k: 9, fusion: 'words' })
      expect(ids(hits)).toEqual(['a'])
    })
  })

  describe(`${name}: overview`, () => {
    test('tells its scopes in pages, those with records only', async (store) => {
      await store.put(['b', 'a', 'd', 'c'].map((scope) => record('r', { scope })))
      await store.markComplete('empty', 'book', '1')
      expect(await store.scopes(9)).toEqual(['a', 'b', 'c', 'd'])
      expect(await store.scopes(2)).toEqual(['a', 'b'])
      expect(await store.scopes(2, 'b')).toEqual(['c', 'd'])
      expect(await store.scopes(2, 'bb')).toEqual(['c', 'd'])
      expect(await store.scopes(0)).toEqual([])
      await store.deleteDocument('b', 'book')
      expect(await store.scopes(9)).toEqual(['a', 'c', 'd'])
    })

    test('tells the documents and conversations of a scope in pages, with what they hold', async (store) => {
      await store.append('one', 'chat', [turn('a', { createdAt: 300 }), turn('b', { createdAt: 200 })])
      await store.put([record('c'), record('x', { scope: 'two', documentId: 'other' })])
      const [book, chat] = [
        { documentId: 'book', records: 1, lastAt: undefined },
        { documentId: 'chat', records: 2, lastAt: 300 },
      ]
      expect(await store.documents('one', 9)).toEqual([book, chat])
      expect(await store.documents('one', 1)).toEqual([book])
      expect(await store.documents('one', 9, 'book')).toEqual([chat])
      expect(await store.documents('nowhere', 9)).toEqual([])
    })
  })

  describe(`${name}: erasure`, () => {
    async function fill(store: MemoryStore): Promise<void> {
      await store.append('one', 'chat', [turn('t1', { summary: 'first', vector: vector(1) }), turn('t2')])
      await store.put([record('p'), fact('f', ['t1']), fact('g', ['t1', 't2']), fact('f', ['t1'], { scope: 'two' })])
      await store.markComplete('one', 'chat', '1')
    }

    test('finds without deleting, erases what it found, and then finds nothing', async (store) => {
      await fill(store)
      const target = { scope: 'one', ids: ['t1', 'absent'] }
      const preview = await store.findErasable(target)
      expect([preview.holder, preview.counts]).toEqual(['memory', { passages: 0, turns: 1, facts: 1, summaries: 1, vectors: 1 }])
      expect(/^[0-9a-f]{64}$/.test(preview.hash)).toBe(true)
      expect(await store.count('one')).toBe(5)
      expect(await store.erase(target)).toEqual(preview)
      expect(await store.count('one')).toBe(3)
      const nothing = await store.erase(target)
      expect(nothing.counts).toEqual({ passages: 0, turns: 0, facts: 0, summaries: 0, vectors: 0 })
      expect(nothing).toEqual(await store.findErasable({ scope: 'nowhere' }))
    })

    test('erases conversations, with what was drawn from them, and whole scopes', async (store) => {
      await fill(store)
      expect((await store.erase({ scope: 'one', documentIds: ['chat'], ids: ['p'] })).counts).toEqual({
        passages: 1,
        turns: 2,
        facts: 2,
        summaries: 1,
        vectors: 1,
      })
      expect(await store.isComplete('one', 'chat', '1')).toBe(false)
      await fill(store)
      expect((await store.erase({ scope: 'one' })).counts['turns']).toBe(2)
      expect([await store.count('one'), await store.scopes(9)]).toEqual([0, ['two']])
      expect((await store.erase({ scope: 'two', documentIds: [], ids: [] })).counts['facts']).toBe(0)
      expect(await store.count('two')).toBe(1)
    })

    test('says what must be gone from the files', async (store) => {
      await fill(store)
      const parts: (string | number)[] = []
      for await (const part of store.erasableContent({ scope: 'one', ids: ['t1'] }))
        parts.push(typeof part === 'string' ? part : part.length)
      expect(parts.map(String).toSorted()).toEqual(['32', 'first', 'text of t1', 'whale f'])
    })
  })
}
