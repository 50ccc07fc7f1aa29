import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryStore, type MemoryQuery, type MemoryStore, openMemory } from '../../memory/index.ts'
import { contents, createOperations, outcome } from './store-operations.ts'

/** Word scores differ between the stores, as SQLite counts the words of all scopes: what was found is compared, and the order of vectors. */
async function summary(store: MemoryStore, query: MemoryQuery): Promise<unknown> {
  const hits = await store.search(query)
  const order = hits.map((hit) => hit.record.id)
  return query.fusion === 'vectors' && !query.weights && query.relevance !== 0.5
    ? hits.map((hit) => [hit.record, hit.words > 0, hit.similarity?.toFixed(4)])
    : [order.toSorted(), hits.map((hit) => hit.record.id + (hit.words > 0 ? ' matched' : '')).toSorted()]
}

describe('a SQLite store', () => {
  it.each([
    ['with exact search', 20_000],
    ['with an index', 0],
  ])(
    '%s does as the in-process store does, whatever is asked of both',
    async (_, exactBelow) => {
      await fc.assert(
        fc.asyncProperty(fc.array(createOperations(summary), { minLength: 1, maxLength: 25 }), async (calls) => {
          await using expected = createMemoryStore()
          await using actual = await openMemory(':memory:', { exactBelow })
          for (const call of calls) expect(await outcome(call, actual)).toEqual(await outcome(call, expected))
          expect(await contents(actual)).toEqual(await contents(expected))
          expect(await actual.verify()).toEqual([])
        }),
        { numRuns: 60 },
      )
    },
    120_000,
  )
})
