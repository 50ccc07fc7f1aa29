import type { MemoryQuery, MemoryRecord, RecordFilter } from '../memory/index.ts'
import { ids, record, type StoreSuite, vector } from './memory-store-fixture.ts'

/** All of them match the words and have vectors, so that only the filter tells them apart. */
const records: readonly MemoryRecord[] = [
  { id: 'passage', metadata: { tag: 'x', n: 1 } },
  { id: 'turn', kind: 'turn' as const, role: 'user' as const, createdAt: 100, metadata: { tag: 'x', n: '1', deep: { b: 2, a: [true] } } },
  { id: 'answer', kind: 'turn' as const, role: 'assistant' as const, createdAt: 200, documentId: 'chat' },
  { id: 'fact', kind: 'fact' as const, createdAt: 150, validFrom: 100, validTo: 200, supersededBy: 'newer', metadata: { tag: null } },
  { id: 'newer', kind: 'fact' as const, createdAt: 200, validFrom: 200 },
  { id: 'replaced', kind: 'fact' as const, createdAt: 200, supersededBy: 'newer' },
  { id: 'expiring', expiresAt: 500, createdAt: -5 },
  { id: 'pinned', expiresAt: 500, pinned: true, documentId: 'chat' },
].map(({ id, ...parts }, n) => record(id, { text: 'whale', vector: vector(n), index: n, ...parts }))

const cases: readonly (readonly [string, Omit<RecordFilter, 'scope'>, string])[] = [
  ['the documents that are asked for', { documentIds: ['chat'] }, 'answer pinned'],
  ['no document', { documentIds: [] }, ''],
  ['passages, which is what a record without a kind is', { kinds: ['passage'] }, 'expiring passage pinned'],
  ['facts and turns', { kinds: ['fact', 'turn'] }, 'answer fact newer replaced turn'],
  ['no kind', { kinds: [] }, ''],
  ['what the user said', { roles: ['user'] }, 'turn'],
  ['the time from 100 on', { from: 100 }, 'answer fact newer replaced turn'],
  ['the time before 200', { until: 200 }, 'expiring fact turn'],
  ['the time from 150 to 200, without its end', { from: 150, until: 200 }, 'fact'],
  ['an empty time', { from: 150, until: 150 }, ''],
  ['what was true at 150', { validAt: 150, kinds: ['fact'] }, 'fact'],
  ['what was true at 200', { validAt: 200, kinds: ['fact'] }, 'newer'],
  ['what was true at 50', { validAt: 50, kinds: ['fact'] }, ''],
  ['equal metadata', { metadata: { tag: 'x' } }, 'passage turn'],
  ['a number and not its digits', { metadata: { n: 1 } }, 'passage'],
  ['a null and not an absence', { metadata: { tag: null } }, 'fact'],
  ['an equal structure, whatever the order of its fields', { metadata: { deep: { a: [true], b: 2 } } }, 'turn'],
  ['several fields at once', { metadata: { tag: 'x', n: '1' } }, 'turn'],
  ['what has not expired before it expires', { now: 499 }, 'answer expiring fact newer passage pinned replaced turn'],
  ['what has not expired or is pinned', { now: 500 }, 'answer fact newer passage pinned replaced turn'],
  ['all of several conditions', { kinds: ['turn'], from: 150, now: 500, documentIds: ['chat', 'book'] }, 'answer'],
]

/** Filters are part of the search: every way to search lets through the same records. */
export function memoryFilterSuite({ name, describe, expect, test }: StoreSuite): void {
  describe(`${name}: filters`, () => {
    for (const [title, filter, expected] of cases) {
      test(`looks at ${title}`, async (store) => {
        await store.put([...records, record('elsewhere', { scope: 'two', text: 'whale', vector: vector(1) })])
        for (const fusion of ['min-max', 'rank', 'words', 'vectors'] as const) {
          const hits = await store.search({ scope: 'one', text: 'whale', vector: vector(2), k: 99, fusion, ...filter })
          expect(ids(hits).toSorted().join(' ')).toBe(expected)
        }
        const neighbours = await store.search({ scope: 'one', text: 'whale', k: 99, neighbours: 9, ...filter })
        expect(ids(neighbours).toSorted().join(' ')).toBe(expected)
      })
    }

    test('filters inside the search: what is asked for is found behind any number of better matches', async (store) => {
      const many = Array.from({ length: 400 }, (_, n) =>
        record(`r${n}`, { index: n, text: 'whale whale', vector: vector(1), createdAt: n }),
      )
      await store.put([...many, record('wanted', { index: 999, text: 'a whale among others', vector: vector(7), role: 'user' })])
      for (const fusion of ['min-max', 'rank', 'words', 'vectors'] as const) {
        const query: MemoryQuery = { scope: 'one', text: 'whale', vector: vector(1), k: 3, fusion }
        expect(ids(await store.search({ ...query, roles: ['user'] }))).toEqual(['wanted'])
        expect(ids(await store.search({ ...query, from: 397 })).toSorted()).toEqual(['r397', 'r398', 'r399'])
      }
    })

    test('sees at once what an update changes of what filters look at', async (store) => {
      await store.put([record('a', { text: 'whale', vector: vector(1), kind: 'fact', validFrom: 0 })])
      const find = async (filter: Partial<MemoryQuery>): Promise<string[]> =>
        ids(await store.search({ scope: 'one', text: 'whale', vector: vector(1), k: 5, ...filter }))
      expect(await find({ validAt: 100, now: 100 })).toEqual(['a'])
      await store.update('one', 'a', { validTo: 50, supersededBy: 'b' })
      expect(await find({ validAt: 100 })).toEqual([])
      expect(await find({ validAt: 49 })).toEqual(['a'])
      await store.update('one', 'a', { validTo: null, supersededBy: null, expiresAt: 90, metadata: { tag: 1 } })
      expect(await find({ validAt: 100 })).toEqual(['a'])
      expect(await find({ now: 100 })).toEqual([])
      expect(await find({ metadata: { tag: 1 } })).toEqual(['a'])
      await store.update('one', 'a', { pinned: true, metadata: null })
      expect(await find({ now: 100 })).toEqual(['a'])
      expect(await find({ metadata: { tag: 1 } })).toEqual([])
    })
  })
}
