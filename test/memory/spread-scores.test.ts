import { describe, expect, it } from 'vitest'
import { createMemoryStore } from '../../memory/index.ts'
import { spreadScores } from '../../memory/spread-scores.ts'

const places = (...indexes: readonly number[]): { documentId: string; index: number }[] =>
  indexes.map((index) => ({ documentId: 'a', index }))

describe('spreadScores', () => {
  it('adds a share of the best neighbour, before or behind', () => {
    expect(spreadScores(places(5, 4, 6, 8), [1, 0, 0.5, 0.25], 0.5, 1)).toEqual([1.25, 0.5, 1, 0.25])
  })

  it('reaches as far as it is told', () => {
    expect(spreadScores(places(5, 7, 8), [1, 0, 0], 0.5, 2)).toEqual([1, 0.5, 0])
  })

  it('does not reach into another document, nor does anything without a share', () => {
    expect(spreadScores([...places(1), { documentId: 'b', index: 2 }], [1, 0], 0.5, 1)).toEqual([1, 0])
    expect(spreadScores(places(1, 2), [1, 0], 0, 1)).toEqual([1, 0])
  })
})

describe('a search with spread', () => {
  const texts = ['The tea is cold.', 'Noted.', 'Where is the gold?', 'Under the oak.', 'And then?']

  it('finds the answer next to the question', async () => {
    const store = createMemoryStore()
    await store.append(
      's',
      'd',
      texts.map((text, at) => ({ id: `t${at}`, text, kind: 'turn' })),
    )
    const hits = await store.search({ scope: 's', text: 'gold', k: 3, neighbours: 1, spread: 0.5 })
    expect(hits.map(({ record, score }) => [record.id, score])).toEqual([
      ['t2', 1],
      ['t1', 0.5],
      ['t3', 0.5],
    ])
    await expect(store.search({ scope: 's', text: 'gold', k: 2, spread: 2 })).rejects.toThrow(RangeError)
  })
})
