import type { MemoryHit, MemoryQuery, MemoryRecord, MemoryStore } from '../memory/index.ts'

/** The part of a test runner that the suite uses; Vitest's and Jest's globals fit. */
export interface SuiteRunner {
  describe(name: string, body: () => void): void
  it(name: string, body: () => Promise<void>): void
  expect(value: unknown): SuiteExpectation
}

export interface SuiteExpectation {
  toEqual(expected: unknown): void
  toBe(expected: unknown): void
  readonly rejects: { toMatchObject(expected: object): Promise<void> }
}

const dimensions = 8
const base = { scope: 'one', documentId: 'book', start: 0, end: 4, index: 0, text: 'text' }

/** A record with what a test does not care about filled in. */
function record(id: string, parts: Partial<MemoryRecord> = {}): MemoryRecord {
  return { ...base, id, ...parts }
}

/** A unit vector that is the same for the same seed on every machine. */
function vector(seed: number): Float32Array {
  const raw = Array.from({ length: dimensions }, (_, index) => Math.fround(Math.sin(seed * 12.9898 + index * 78.233)))
  const norm = Math.hypot(...raw)
  return Float32Array.from(raw, (component) => component / norm)
}

function dot(first: Float32Array, second: Float32Array): number {
  return first.reduce((sum, component, index) => sum + component * (second[index] ?? 0), 0)
}

const ids = (hits: readonly MemoryHit[]): string[] => hits.map((hit) => hit.record.id)

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

/**
 * What every store must do. Run it over your own with `memoryStoreSuite('my store', () => openMine(), { describe, it, expect })`.
 *
 * @param make a new empty store, each time it is called
 */
export function memoryStoreSuite(name: string, make: () => Promise<MemoryStore> | MemoryStore, runner: SuiteRunner): void {
  const { describe, it, expect } = runner

  /** A test with a store of its own, closed at the end. */
  function test(title: string, body: (store: MemoryStore) => Promise<void>): void {
    it(title, async () => {
      const store = await make()
      try {
        await body(store)
      } finally {
        await store.close()
      }
    })
  }

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
    })
  })
}
