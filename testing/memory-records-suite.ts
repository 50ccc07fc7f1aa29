import { ids, record, type StoreSuite, vector } from './memory-store-fixture.ts'

/** What a store does with records. */
export function memoryRecordsSuite({ name, describe, expect, test }: StoreSuite): void {
  describe(`${name}: records`, () => {
    test('gives back what was put, whole', async (store) => {
      const full = record('a', { context: 'Title', vector: vector(1), start: 7, end: 11, index: 3 })
      await store.put([full])
      expect(await store.get('one', 'a')).toEqual(full)
      expect(await store.list('one', 'book')).toEqual([full])
      expect(await store.count('one')).toBe(1)
    })

    test('keeps empty and falsy values', async (store) => {
      const empty = record('', { scope: '', documentId: '', text: '', context: '', start: 0, end: 0, index: 0 })
      await store.put([empty, record('0', { scope: '', text: '0' })])
      expect(await store.get('', '')).toEqual(empty)
      expect(await store.list('', '')).toEqual([empty])
      expect(await store.count('')).toBe(2)
    })

    for (const text of ['a\0b', 'a\ud800b', '\udc00', '日本語の文', 'e\u0301', '🐋', ' \r\n\t ', "'; DROP TABLE records; --"]) {
      test(`keeps the text ${JSON.stringify(text)} unit for unit`, async (store) => {
        await store.put([record('a', { text, context: text })])
        expect(await store.get('one', 'a')).toEqual(record('a', { text, context: text }))
      })
    }

    test('does not tell an absent record, document or scope from an empty store', async (store) => {
      await store.put([])
      await store.put([record('a')])
      expect(await store.get('one', 'b')).toBe(undefined)
      expect(await store.get('two', 'a')).toBe(undefined)
      expect(await store.list('one', 'other')).toEqual([])
      expect(await store.list('two', 'book')).toEqual([])
      expect(await store.count('two')).toBe(0)
    })

    test('lists a document in order of index, whatever the order of arrival', async (store) => {
      await store.put([record('c', { index: 2 }), record('a', { index: 0 })])
      await store.put([record('b', { index: 1 }), record('x', { documentId: 'other' })])
      expect((await store.list('one', 'book')).map((one) => one.id)).toEqual(['a', 'b', 'c'])
    })

    test('replaces a record of the same id, with its words, vector and document', async (store) => {
      await store.put([record('a', { text: 'whale', vector: vector(1) }), record('b', { text: 'rope', vector: vector(2) })])
      await store.put([record('a', { text: 'ship', documentId: 'second' })])
      expect(await store.count('one')).toBe(2)
      expect((await store.list('one', 'book')).map((one) => one.id)).toEqual(['b'])
      expect(ids(await store.search({ scope: 'one', text: 'whale', k: 5, fusion: 'words' }))).toEqual([])
      expect(ids(await store.search({ scope: 'one', text: 'ship', k: 5, fusion: 'words' }))).toEqual(['a'])
      expect(ids(await store.search({ scope: 'one', text: '', vector: vector(1), k: 5, fusion: 'vectors' }))).toEqual(['b'])
    })

    test('does not change with the caller’s objects', async (store) => {
      const changing = vector(1)
      await store.put([record('a', { vector: changing })])
      changing.fill(0)
      expect((await store.get('one', 'a'))?.vector).toEqual(vector(1))
    })

    test('puts all records or none', async (store) => {
      await store.put([record('a', { vector: vector(1) })])
      await expect(
        store.put([record('b', { vector: vector(2) }), record('c', { vector: new Float32Array(3).fill(1) })]),
      ).rejects.toMatchObject({ name: 'StoreError', reason: 'mismatch' })
      expect(await store.count('one')).toBe(1)
    })

    for (const bad of [Number.NaN, Infinity, -Infinity]) {
      test(`refuses a vector with ${bad}`, async (store) => {
        const spoilt = vector(1)
        spoilt[2] = bad
        await expect(store.put([record('a', { vector: spoilt })])).rejects.toMatchObject({ name: 'RangeError' })
        await expect(store.search({ scope: 'one', text: '', vector: spoilt, k: 1 })).rejects.toMatchObject({ name: 'RangeError' })
      })
    }

    test('refuses spans and places that are none', async (store) => {
      await expect(store.put([record('a', { start: 5, end: 4 })])).rejects.toMatchObject({ name: 'RangeError' })
      await expect(store.put([record('a', { index: -1 })])).rejects.toMatchObject({ name: 'RangeError' })
      await expect(store.search({ scope: 'one', text: '', k: -1 })).rejects.toMatchObject({ name: 'RangeError' })
      await expect(store.search({ scope: 'one', text: '', k: 1.5 })).rejects.toMatchObject({ name: 'RangeError' })
    })

    test('deletes a document everywhere and counts what it deleted', async (store) => {
      await store.put([
        record('a', { text: 'whale', vector: vector(1) }),
        record('b', { text: 'whale', documentId: 'kept', vector: vector(2) }),
      ])
      await store.markComplete('one', 'book', '1')
      expect(await store.deleteDocument('one', 'book')).toBe(1)
      expect(await store.deleteDocument('one', 'book')).toBe(0)
      expect(await store.deleteDocument('nowhere', 'book')).toBe(0)
      expect(await store.get('one', 'a')).toBe(undefined)
      expect(await store.isComplete('one', 'book', '1')).toBe(false)
      expect(ids(await store.search({ scope: 'one', text: 'whale', vector: vector(1), k: 5, neighbours: 2 }))).toEqual(['b'])
      expect(await store.count('one')).toBe(1)
    })

    test('knows the version that a document is complete for, the last one marked', async (store) => {
      expect(await store.isComplete('one', 'book', '1')).toBe(false)
      await store.markComplete('one', 'book', '1')
      expect(await store.isComplete('one', 'book', '1')).toBe(true)
      expect(await store.isComplete('one', 'book', '')).toBe(false)
      expect(await store.isComplete('two', 'book', '1')).toBe(false)
      await store.markComplete('one', 'book', '2')
      expect(await store.isComplete('one', 'book', '1')).toBe(false)
      expect(await store.isComplete('one', 'book', '2')).toBe(true)
    })
  })
}
