import { ids, idsOf, record, type StoreSuite, turn, vector } from './memory-store-fixture.ts'

/** What a store does with the turns of a conversation, and with what is derived of them. */
export function memoryTurnsSuite({ name, describe, expect, test }: StoreSuite): void {
  describe(`${name}: turns`, () => {
    test('gives turns their places at the end of their conversation', async (store) => {
      const first = await store.append('one', 'chat', [turn('a', { text: '', role: 'user' }), turn('b', { createdAt: 5 })])
      expect(first).toEqual([
        { id: 'a', scope: 'one', documentId: 'chat', kind: 'turn', role: 'user', start: 0, end: 0, index: 0, text: '' },
        { id: 'b', scope: 'one', documentId: 'chat', kind: 'turn', start: 0, end: 9, index: 1, text: 'text of b', createdAt: 5 },
      ])
      const second = await store.append('one', 'chat', [turn('c', { kind: 'passage' })])
      expect(second.map(({ index, kind }) => [index, kind])).toEqual([[2, 'passage']])
      expect((await store.append('one', 'other', [turn('d')])).map(({ index }) => index)).toEqual([0])
      expect((await store.append('two', 'chat', [turn('a')])).map(({ index }) => index)).toEqual([0])
      expect(await store.append('one', 'chat', [])).toEqual([])
      expect(await store.get('one', 'b')).toEqual(first[1])
    })

    test('adds a turn once, however often it is written', async (store) => {
      const [first] = await store.append('one', 'chat', [turn('a', { createdAt: 5, summary: 'first' })])
      const again = await store.append('one', 'chat', [turn('b'), turn('a', { createdAt: 9 }), turn('b')])
      expect(idsOf(again)).toEqual(['b', 'a', 'b'])
      expect(again[1]).toEqual(first)
      expect(idsOf(await store.list('one', 'chat'))).toEqual(['a', 'b'])
    })

    test('refuses an id that is there with another text or in another conversation, and adds none', async (store) => {
      await store.append('one', 'chat', [turn('a')])
      const conflict = { name: 'StoreError', reason: 'conflict' }
      await expect(store.append('one', 'chat', [turn('b'), turn('a', { text: 'another' })])).rejects.toMatchObject(conflict)
      await expect(store.append('one', 'chat', [turn('b'), turn('b', { text: 'another' })])).rejects.toMatchObject(conflict)
      await expect(store.append('one', 'other', [turn('b'), turn('a')])).rejects.toMatchObject(conflict)
      expect(await store.count('one')).toBe(1)
    })

    test('refuses turns that no store can hold, and adds none', async (store) => {
      const spoilt = vector(1).fill(Number.NaN, 2, 3)
      for (const bad of [{ vector: spoilt }, { importance: 2 }, { tokens: -1 }, { createdAt: Number.NaN }, { expiresAt: Infinity }]) {
        await expect(store.append('one', 'chat', [turn('a'), turn('b', bad)])).rejects.toMatchObject({ name: 'RangeError' })
      }
      expect(await store.count('one')).toBe(0)
    })

    test('keeps every field of a record', async (store) => {
      const full = record('a', {
        kind: 'fact',
        role: 'assistant',
        context: 'Ada',
        vector: vector(1),
        createdAt: 1.5,
        tokens: 3,
        summary: 'short',
        summaryTokens: 1,
        importance: 0.25,
        pinned: true,
        expiresAt: 9e12,
        validFrom: -5,
        validTo: 7,
        supersededBy: 'b',
        sources: ['x', 'y\0'],
        metadata: { text: '\ud800', list: [1, { deep: null }], yes: true, none: null },
      })
      await store.put([full])
      expect(await store.get('one', 'a')).toEqual(full)
      const falsy = record('b', {
        role: 'tool',
        createdAt: 0,
        tokens: 0,
        summary: '',
        importance: 0,
        pinned: false,
        metadata: {},
        sources: [],
      })
      await store.put([falsy])
      expect(await store.get('one', 'b')).toEqual(falsy)
    })

    test('keeps a text of ten million characters, and finds it', async (store) => {
      const text = `${'lorem ipsum '.repeat(833_333)}whale`
      await store.append('one', 'chat', [turn('a', { text })])
      expect((await store.get('one', 'a'))?.text === text).toBe(true)
      expect(ids(await store.search({ scope: 'one', text: 'whales', k: 1 }))).toEqual(['a'])
    })

    test('keeps the order of arrival when the clock goes backwards', async (store) => {
      for (const [id, createdAt] of [
        ['a', 300],
        ['b', 200],
        ['c', 100],
      ] as const)
        await store.append('one', 'chat', [turn(id, { createdAt })])
      expect(idsOf(await store.list('one', 'chat'))).toEqual(['a', 'b', 'c'])
      await store.touch('one', ['a'], 500)
      await store.touch('one', ['a'], 400)
      expect(await store.use('one', 'a')).toEqual({ accesses: 2, accessedAt: 500 })
    })

    test('lists ranges of a conversation', async (store) => {
      await store.append(
        'one',
        'chat',
        Array.from({ length: 6 }, (_, n) => turn(`${n}`)),
      )
      const list = async (range: Parameters<typeof store.list>[2]): Promise<string> =>
        idsOf(await store.list('one', 'chat', range)).join('')
      expect(await list({ from: 4 })).toBe('45')
      expect(await list({ until: 2 })).toBe('01')
      expect(await list({ from: 1, until: 5, limit: 2 })).toBe('12')
      expect(await list({ from: 1, until: 5, limit: 2, newest: true })).toBe('34')
      expect(await list({ limit: 0 })).toBe('')
      expect(await list({ from: 5, until: 2 })).toBe('')
      expect(await list({ newest: true, limit: 99 })).toBe('012345')
      await expect(store.list('one', 'chat', { limit: -1 })).rejects.toMatchObject({ name: 'RangeError' })
    })
  })

  describe(`${name}: what is derived`, () => {
    test('changes, adds and takes away what is derived, and nothing else', async (store) => {
      const [before] = await store.append('one', 'chat', [turn('a', { tokens: 4, summary: 'old', role: 'user' })])
      expect(await store.update('one', 'a', { summary: 'new', summaryTokens: 1, importance: 0.5, vector: vector(1) })).toBe(true)
      expect(await store.get('one', 'a')).toEqual({ ...before, summary: 'new', summaryTokens: 1, importance: 0.5, vector: vector(1) })
      expect(await store.update('one', 'a', { summary: null, summaryTokens: null, importance: null, vector: null, tokens: null })).toBe(
        true,
      )
      const { tokens: _tokens, summary: _summary, ...rest } = before ?? record('a')
      expect(await store.get('one', 'a')).toEqual(rest)
      expect(await store.update('one', 'b', { tokens: 1 })).toBe(false)
      expect(await store.update('two', 'a', { tokens: 1 })).toBe(false)
    })

    test('refuses a change that no record can take', async (store) => {
      await store.append('one', 'chat', [turn('a', { vector: vector(1) })])
      await expect(store.update('one', 'a', { importance: 1.5 })).rejects.toMatchObject({ name: 'RangeError' })
      await expect(store.update('one', 'a', { vector: vector(1).fill(Infinity) })).rejects.toMatchObject({ name: 'RangeError' })
      const short = { name: 'StoreError', reason: 'mismatch' }
      await expect(store.update('one', 'a', { vector: new Float32Array(3).fill(1) })).rejects.toMatchObject(short)
      expect((await store.get('one', 'a'))?.vector).toEqual(vector(1))
    })

    test('finds a record by its new vector and not by its old one', async (store) => {
      await store.append('one', 'chat', [turn('a', { vector: vector(1) }), turn('b', { vector: vector(5) })])
      const nearest = async (seed: number): Promise<unknown> => {
        const hits = await store.search({ scope: 'one', text: '', vector: vector(seed), k: 1, fusion: 'vectors' })
        return hits.map(({ record: { id }, similarity }) => [id, similarity?.toFixed(4)])[0]
      }
      expect(await nearest(1)).toEqual(['a', '1.0000'])
      await store.update('one', 'a', { vector: vector(9) })
      expect(await nearest(9)).toEqual(['a', '1.0000'])
      await store.update('one', 'a', { vector: null })
      expect(await nearest(5)).toEqual(['b', '1.0000'])
      await store.update('one', 'a', { vector: vector(9) })
      expect(await nearest(9)).toEqual(['a', '1.0000'])
    })

    test('tells what still lacks a vector, in order of arrival', async (store) => {
      await store.append('one', 'chat', [turn('b'), turn('a', { vector: vector(1) }), turn('c')])
      await store.put([record('d'), record('b', { text: 'replaced' })])
      await store.append('two', 'chat', [turn('x')])
      expect(idsOf(await store.withoutVector('one', 9))).toEqual(['b', 'c', 'd'])
      expect(idsOf(await store.withoutVector('one', 2))).toEqual(['b', 'c'])
      await store.update('one', 'b', { vector: vector(2) })
      expect(idsOf(await store.withoutVector('one', 9))).toEqual(['c', 'd'])
      expect(await store.withoutVector('nowhere', 9)).toEqual([])
    })

    test('counts recalls, and recalls of two together', async (store) => {
      await store.append(
        'one',
        'chat',
        ['a', 'b', 'c'].map((id) => turn(id)),
      )
      expect(await store.use('one', 'a')).toEqual({ accesses: 0, accessedAt: undefined })
      await store.touch('one', ['a', 'b', 'absent', 'a'], 10)
      await store.touch('one', ['c', 'a', 'b'], 20)
      await store.touch('two', ['a'], 30)
      expect(await store.use('one', 'a')).toEqual({ accesses: 2, accessedAt: 20 })
      expect(await store.use('one', 'c')).toEqual({ accesses: 1, accessedAt: 20 })
      expect(await store.use('one', 'absent')).toBe(undefined)
      expect(await store.coRecalled('one', 'a', 9)).toEqual([
        { id: 'b', count: 2 },
        { id: 'c', count: 1 },
      ])
      expect(await store.coRecalled('one', 'c', 1)).toEqual([{ id: 'a', count: 1 }])
      expect(await store.coRecalled('one', 'absent', 9)).toEqual([])
      await store.put([record('a', { text: 'replaced' })])
      expect(await store.use('one', 'a')).toEqual({ accesses: 2, accessedAt: 20 })
      await store.delete('one', ['b'])
      expect(await store.coRecalled('one', 'a', 9)).toEqual([{ id: 'c', count: 1 }])
      await store.append('one', 'chat', [turn('b')])
      expect(await store.use('one', 'b')).toEqual({ accesses: 0, accessedAt: undefined })
    })
  })
}
