import type { MemoryQuery } from '../memory/index.ts'
import { dot, ids, record, type StoreSuite, vector } from './memory-store-fixture.ts'

/** Queries that are full-text syntax to some engines and words to a reader. */
const oddQueries = [
  '',
  ' ',
  '"',
  '""',
  "'",
  '(',
  ')',
  '(whale',
  'whale)',
  '*',
  'wha*',
  '^whale',
  'NEAR(whale sea)',
  'NOT',
  'AND OR NOT',
  'whale AND',
]
const moreOddQueries = [
  'text:whale',
  '-whale',
  '+whale',
  '{whale}',
  'a OR',
  ';',
  '--',
  '\0',
  '%',
  '\\',
  '\ud800',
  'the of and',
  'who is it',
]

/** What a store finds by words and vectors. */
export function memorySearchSuite({ name, describe, expect, test }: StoreSuite): void {
  describe(`${name}: search`, () => {
    const whales = [
      record('a', { index: 0, text: 'The whale swam past the ship.' }),
      record('b', { index: 1, text: 'Nobody saw it.' }),
      record('c', { index: 2, text: 'Whales and more whales: whaling is their trade.' }),
      record('d', { index: 3, text: 'A rope lay on the deck.', context: 'Chapter of knots' }),
      record('e', { index: 4, text: 'Éowyn drank café.' }),
    ]

    for (const [question, expected] of [
      ['whale', ['a', 'c']],
      ['WHALES?', ['a', 'c']],
      ['ropes', ['d']],
      ['knot', ['d']],
      ['eowyn', ['e']],
      ['CAFÉS', ['e']],
      ['harpoon', []],
      ['the of and', []],
      ['ship rope', ['a', 'd']],
    ] as const) {
      test(`finds ${JSON.stringify(expected)} by the words ${question}`, async (store) => {
        await store.put(whales)
        const hits = await store.search({ scope: 'one', text: question, k: 10, fusion: 'words' })
        expect(ids(hits).toSorted()).toEqual([...expected])
        expect(hits.every((hit) => hit.words > 0 && hit.similarity === undefined)).toBe(true)
      })
    }

    test('takes every query as words and throws for none', async (store) => {
      await store.put(whales)
      for (const text of [
        ...oddQueries,
        ...moreOddQueries,
        'whale '.repeat(5_000),
        Array.from({ length: 3_000 }, (_, n) => `w${n}`).join(' '),
      ]) {
        const hits = await store.search({ scope: 'one', text, k: 10 })
        expect(ids(hits).toSorted()).toEqual(/\bwhale/.test(text) ? ['a', 'c'] : [])
      }
    })

    test('gives vectors in exact order of similarity', async (store) => {
      const records = Array.from({ length: 120 }, (_, n) => record(`r${n}`, { index: n, vector: vector(n) }))
      await store.put(records)
      const query = vector(1_000)
      const expected = records.map((one) => dot(query, one.vector ?? query)).toSorted((first, second) => second - first)
      const hits = await store.search({ scope: 'one', text: '', vector: query, k: 30, fusion: 'vectors' })
      expect(hits.map((hit) => hit.similarity?.toFixed(5))).toEqual(expected.slice(0, 30).map((similarity) => similarity.toFixed(5)))
    })

    test('breaks ties by document and index', async (store) => {
      const same = { vector: vector(1), text: 'whale' }
      await store.put([
        record('c', { ...same, index: 1 }),
        record('d', { ...same, documentId: 'a', index: 5 }),
        record('b', { ...same, index: 0 }),
      ])
      for (const fusion of ['min-max', 'rank', 'words', 'vectors'] as const) {
        expect(ids(await store.search({ scope: 'one', text: 'whale', vector: vector(1), k: 3, fusion }))).toEqual(['d', 'b', 'c'])
      }
    })

    test('joins words and vectors, with true scores and a fused score from 0 to 1, best first', async (store) => {
      await store.put(whales.map((one, n) => ({ ...one, vector: vector(n) })))
      for (const text of ['whale', 'ship rope', 'nothing', '']) {
        const hits = await store.search({ scope: 'one', text, vector: vector(3), k: 5 })
        expect(hits.length).toBe(5)
        for (const hit of hits) {
          expect(hit.score >= 0 && hit.score <= 1 && hit.words >= 0).toBe(true)
          expect(hit.similarity?.toFixed(5)).toBe(dot(vector(3), hit.record.vector ?? vector(0)).toFixed(5))
        }
        expect(hits.map((hit) => hit.score)).toEqual(hits.map((hit) => hit.score).toSorted((first, second) => second - first))
      }
    })

    test('lets records without a vector be found by words beside those with one', async (store) => {
      await store.put([record('a', { text: 'whale' }), record('b', { text: 'rope', vector: vector(2) })])
      const hits = await store.search({ scope: 'one', text: 'whale', vector: vector(2), k: 5 })
      expect(hits.map((hit) => `${hit.record.id} ${hit.similarity?.toFixed(3)}`).toSorted()).toEqual(['a undefined', 'b 1.000'])
    })

    test('makes the neighbours of a hit candidates, inside its document only', async (store) => {
      await store.put([...whales, record('x', { documentId: 'other', index: 3, text: 'Elsewhere.' })])
      const query: MemoryQuery = { scope: 'one', text: 'rope', k: 5 }
      expect(ids(await store.search(query))).toEqual(['d'])
      expect(ids(await store.search({ ...query, neighbours: 1 }))).toEqual(['d', 'c', 'e'])
      expect(ids(await store.search({ ...query, neighbours: 2 }))).toEqual(['d', 'b', 'c', 'e'])
      expect(ids(await store.search({ ...query, neighbours: 1, k: 1 }))).toEqual(['d'])
    })

    test('searches the documents that are asked for and no others', async (store) => {
      await store.put(['x', 'y', 'z'].map((documentId, n) => record(documentId, { documentId, text: 'whale', vector: vector(n) })))
      const query: MemoryQuery = { scope: 'one', text: 'whale', vector: vector(1), k: 9 }
      expect(ids(await store.search({ ...query, documentIds: ['x', 'z'] })).toSorted()).toEqual(['x', 'z'])
      expect(ids(await store.search({ ...query, documentIds: ['x', 'x', 'absent'] }))).toEqual(['x'])
      expect(ids(await store.search({ ...query, documentIds: [] }))).toEqual([])
      expect(ids(await store.search(query)).toSorted()).toEqual(['x', 'y', 'z'])
    })

    test('keeps scopes apart', async (store) => {
      const inTwo = record('a', { scope: 'two', text: 'whale of two', vector: vector(1), index: 1 })
      await store.put([record('a', { text: 'whale of one', vector: vector(1) }), inTwo, record('b', { scope: '1xtwo', text: 'whale' })])
      for (const fusion of ['min-max', 'rank', 'words', 'vectors'] as const) {
        const hits = await store.search({ scope: 'two', text: 'whale', vector: vector(1), k: 9, neighbours: 3, fusion })
        expect(hits.map((hit) => hit.record)).toEqual([inTwo])
      }
      expect(await store.deleteDocument('two', 'book')).toBe(1)
      expect((await store.get('one', 'a'))?.text).toBe('whale of one')
      expect(ids(await store.search({ scope: 'two', text: 'whale', vector: vector(1), k: 9 }))).toEqual([])
    })

    test('takes a k above and below what there is', async (store) => {
      await store.put(whales)
      expect(ids(await store.search({ scope: 'one', text: 'whale', k: 0 }))).toEqual([])
      expect((await store.search({ scope: 'one', text: 'whale', k: 1 })).length).toBe(1)
      expect((await store.search({ scope: 'one', text: 'whale', k: 1_000_000 })).length).toBe(2)
      expect(ids(await store.search({ scope: 'nowhere', text: 'whale', k: 3 }))).toEqual([])
    })

    test('sees a record as soon as it is put', async (store) => {
      const query: MemoryQuery = { scope: 'one', text: 'whale', vector: vector(1), k: 3 }
      expect(ids(await store.search(query))).toEqual([])
      for (const id of ['a', 'b', 'c']) {
        await store.put([record(id, { text: 'whale', vector: vector(1), index: id.charCodeAt(0) })])
        expect(ids(await store.search(query)).includes(id)).toBe(true)
      }
    })

    test('rejects with the signal’s own reason when aborted', async (store) => {
      await store.put(whales)
      const reason = new RangeError('enough')
      await expect(store.search({ scope: 'one', text: 'whale', k: 3, signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
        message: 'enough',
      })
    })

    test('refuses a query vector of another length', async (store) => {
      await store.put([record('a', { vector: vector(1) })])
      const query: MemoryQuery = { scope: 'one', text: '', vector: new Float32Array(3).fill(1), k: 1 }
      await expect(store.search(query)).rejects.toMatchObject({ name: 'StoreError', reason: 'mismatch' })
    })
  })
}
