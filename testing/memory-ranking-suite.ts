import type { MemoryQuery, MemoryStore, RankingWeights } from '../memory/index.ts'
import { ids, record, type StoreSuite, vector } from './memory-store-fixture.ts'

/** What besides likeness decides the order. */
export function memoryRankingSuite({ name, describe, expect, test }: StoreSuite): void {
  const day = 86_400_000

  async function ranked(store: MemoryStore, weights: RankingWeights): Promise<readonly (readonly [string, string])[]> {
    const hits = await store.search({ scope: 'one', text: 'whale', k: 9, weights })
    return hits.map((hit) => [hit.record.id, hit.score.toFixed(3)])
  }

  describe(`${name}: ranking`, () => {
    test('adds a share for recency, halved with every half-life, from the last recall or else from the writing', async (store) => {
      const times = { old: 0, mid: 9 * day, new: 10 * day, late: 12 * day } as const
      await store.put(Object.entries(times).map(([id, createdAt], index) => record(id, { text: 'whale', index, createdAt })))
      await store.put([record('never', { text: 'whale', index: 9 })])
      const recency = { weight: 0.5, halfLife: day, now: 10 * day }
      expect(await ranked(store, { recency })).toEqual([
        ['new', '1.500'],
        ['late', '1.500'],
        ['mid', '1.250'],
        ['old', '1.000'],
        ['never', '1.000'],
      ])
      await store.touch('one', ['old'], 9 * day)
      expect((await ranked(store, { recency })).find(([id]) => id === 'old')).toEqual(['old', '1.250'])
    })

    test('adds a share for importance and for recalls', async (store) => {
      await store.put(['a', 'b', 'c'].map((id, index) => record(id, { text: 'whale', index, ...(id === 'b' ? { importance: 0.5 } : {}) })))
      for (let time = 0; time < 3; time++) await store.touch('one', ['c'], time)
      expect(await ranked(store, { importance: 0.4 })).toEqual([
        ['b', '1.200'],
        ['a', '1.000'],
        ['c', '1.000'],
      ])
      expect(await ranked(store, { accesses: 0.4 })).toEqual([
        ['c', '1.300'],
        ['a', '1.000'],
        ['b', '1.000'],
      ])
      expect(await ranked(store, {})).toEqual([
        ['a', '1.000'],
        ['b', '1.000'],
        ['c', '1.000'],
      ])
    })

    test('chooses what differs where it is asked to', async (store) => {
      const near = (seed: number): Float32Array => vector(1).map((component, at) => component + 0.01 * (vector(seed)[at] ?? 0))
      await store.put([
        ...[2, 3, 4].map((seed) => record(`same${seed}`, { text: 'whale', index: seed, vector: near(seed) })),
        record('other', { text: 'rope', index: 9, vector: vector(1).map((component, at) => component + 1.5 * (vector(30)[at] ?? 0)) }),
      ])
      const query: MemoryQuery = { scope: 'one', text: '', vector: vector(1), k: 2, fusion: 'vectors' }
      expect(ids(await store.search(query)).includes('other')).toBe(false)
      expect(ids(await store.search({ ...query, relevance: 0.3 }))[1]).toBe('other')
      expect(ids(await store.search({ ...query, relevance: 1 }))).toEqual(ids(await store.search(query)))
    })

    test('knows what differs by words where there are no vectors', async (store) => {
      const texts = ['the white whale sank', 'the white whale swam', 'a whale of a rope']
      await store.put(texts.map((text, index) => record(`${index}`, { text, index })))
      const query: MemoryQuery = { scope: 'one', text: 'white whale', k: 2 }
      expect(ids(await store.search(query))).toEqual(['0', '1'])
      expect(ids(await store.search({ ...query, relevance: 0.1 }))).toEqual(['0', '2'])
    })

    test('refuses weights and shares that are none', async (store) => {
      const query: MemoryQuery = { scope: 'one', text: 'whale', k: 2 }
      for (const relevance of [-0.1, 1.1, Number.NaN]) {
        await expect(store.search({ ...query, relevance })).rejects.toMatchObject({ name: 'RangeError' })
      }
      const recency = { weight: 1, halfLife: 0, now: 0 }
      await expect(store.search({ ...query, weights: { recency } })).rejects.toMatchObject({ name: 'RangeError' })
    })
  })
}
