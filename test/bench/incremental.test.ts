import { describe, expect, it } from 'vitest'
import { measureIncremental } from '../../bench/incremental.ts'

/** A book without headings, where greedy packing has nothing to catch on. */
const text = Array.from({ length: 600 }, (_, at) =>
  Array.from(
    { length: 2 + ((at * 7) % 4) },
    (__, of) => `On watch ${at} hand ${of} spoke of the whale and of the ${(at * of) % 17} lost boats.`,
  ).join(' '),
).join('\n\n')

describe('measureIncremental()', () => {
  it('reads and embeds anew only what lies around an inserted paragraph', async () => {
    const options = { quick: true, signal: new AbortController().signal, seed: 7, log: () => {} }
    const { figures } = await measureIncremental(options, { text, places: [0.2], chunkTokens: 300 })
    expect(figures['embeddingShare']).toBeLessThan(0.2)
    expect(figures['mapShare']).toBeLessThan(8)
    expect(figures['greedyMapShare']).toBeGreaterThan(60)
    expect(figures['chainBefore']).toBe(0)
    expect(figures['chainShare']).toBeGreaterThan(70)
    expect(figures['chainShare']).toBeLessThan(90)
  })
})
