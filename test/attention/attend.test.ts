import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attend, attentionWeights, watchAttention } from '../../attention/attend.ts'
import type { Decoder, Observation } from '../../attention/index.ts'
import type { ReferenceDecoder } from '../../attention/reference-decoder.ts'
import { farthest, openTiny, someIds } from './open-tiny.ts'
import { tiny } from './tiny-model.ts'

/** Differences of float32 arithmetic in another order. */
const close = 1e-5

let decoder: Decoder
let reference: ReferenceDecoder
beforeAll(async () => {
  const opened = await openTiny()
  decoder = opened.decoder
  reference = opened.reference
})
afterAll(() => decoder.dispose())

const everyHead = Array.from({ length: tiny.layers * tiny.heads }, (_, index) => ({
  layer: Math.floor(index / tiny.heads),
  head: index % tiny.heads,
}))

/** Mean of the reference's weights over the last rows. */
function referenceMean(ids: readonly number[], { layer, head }: { layer: number; head: number }, rows: number): number[] {
  const all = reference.forward(ids).weights[layer]?.slice(-rows) ?? []
  return ids.map((_, token) => all.reduce((sum, row) => sum + (row[head]?.[token] ?? 0), 0) / rows)
}

describe('attend()', () => {
  test.each([
    { before: 0, tokens: 30, rows: 4 },
    { before: 20, tokens: 1, rows: 1 },
    { before: 20, tokens: 12, rows: 12 },
    // The window lies across a border of slices, and the cache has a closed block.
    { before: 3, tokens: 515, rows: 8 },
    { before: 512, tokens: 6, rows: 3 },
  ])('gives the weights of the reference after $before tokens, for $rows of $tokens', async ({ before, tokens, rows }) => {
    const ids = someIds(before + tokens)
    using cache = decoder.createCache()
    if (before > 0) await decoder.prefill(ids.slice(0, before), cache)
    const { weights } = await attend(decoder, ids.slice(before), cache, { heads: everyHead, rows })
    const run = reference.forward(ids)
    for (const [index, { layer, head }] of everyHead.entries()) {
      const last = run.weights[layer]?.slice(-rows) ?? []
      const mean = ids.map((_, token) => last.reduce((sum, row) => sum + (row[head]?.[token] ?? 0), 0) / rows)
      expect(farthest(weights[index] ?? [], mean)).toBeLessThan(close)
    }
  })

  test('watches as many tokens as there are when the window is longer', async () => {
    const ids = someIds(5)
    const { weights } = await attend(decoder, ids, decoder.createCache(), { heads: [{ layer: 1, head: 3 }], rows: 50 })
    expect(farthest(weights[0] ?? [], referenceMean(ids, { layer: 1, head: 3 }, 5))).toBeLessThan(close)
  })

  test('gives the logits that prefill gives', async () => {
    const ids = someIds(9)
    const { logits } = await attend(decoder, ids, decoder.createCache(), { heads: [{ layer: 0, head: 0 }] })
    expect(farthest(logits, await decoder.prefill(ids, decoder.createCache()))).toBe(0)
  })

  test.each([
    { layer: tiny.layers, head: 0 },
    { layer: 0, head: tiny.heads },
    { layer: -1, head: 0 },
    { layer: 0.5, head: 0 },
  ])('refuses head $head of layer $layer', async (head) => {
    await expect(attend(decoder, [1], decoder.createCache(), { heads: [head] })).rejects.toThrow(RangeError)
  })

  test.each([0, -1, 1.5, NaN])('refuses a window of %d tokens', async (rows) => {
    await expect(attend(decoder, [1], decoder.createCache(), { heads: [{ layer: 0, head: 0 }], rows })).rejects.toThrow(RangeError)
  })
})

describe('watchAttention()', () => {
  test('shows only the layers that its heads are in', async () => {
    const { observe } = watchAttention(
      decoder.config,
      [
        { layer: 2, head: 0 },
        { layer: 2, head: 1 },
      ],
      3,
    )
    expect(observe.layers).toEqual([2])
  })
})

describe('an observed run', () => {
  test('shows the rows of each continuation beside the others, each in its own cache', async () => {
    const prefix = someIds(6)
    const texts = [someIds(5, 1), someIds(9, 2), someIds(3, 3)]
    const seen: { readonly sequence: number; readonly start: number; readonly weights: Float32Array }[] = []
    const onQueries = (one: Observation): void => {
      seen.push({ sequence: one.sequence, start: one.start, weights: attentionWeights(decoder.config, one, 2) })
    }
    const continuations = texts.map((ids) => ({ ids }))
    await decoder.logProbs(prefix, continuations, { observe: { layers: [1], rows: 2, onQueries } })
    expect(seen.map(({ sequence, start }) => [sequence, start])).toEqual([
      [0, 8],
      [1, 12],
      [2, 6],
    ])
    for (const { sequence, weights } of seen) {
      const ids = [...prefix, ...(texts[sequence] ?? []).slice(0, -1)]
      const expected = (reference.forward(ids).weights[1] ?? []).slice(-2).flatMap((row) => {
        return Array.from({ length: ids.length }, (_, token) => row[2]?.[token] ?? 0)
      })
      expect(farthest(weights, expected)).toBeLessThan(close)
    }
  })

  test('shows the tail of a continuation that is cut into slices', async () => {
    const long = someIds(700, 4)
    const shown: number[][] = []
    await decoder.logProbs([1], [{ ids: someIds(20) }, { ids: long }], {
      observe: { layers: [0], rows: 300, onQueries: ({ sequence, start, rows }) => shown.push([sequence, start, rows]) },
    })
    expect(shown.filter(([sequence]) => sequence === 1).reduce((sum, [, , rows = 0]) => sum + rows, 0)).toBe(300)
    const [sequence, start = 0, rows = 0] = shown.at(-1) ?? []
    // The last token of a continuation is not run.
    expect([sequence, start + rows]).toEqual([1, 1 + 699])
    expect(rows).toBeLessThan(300)
  })

  test('shows all layers and all tokens by default', async () => {
    const shown: number[][] = []
    await decoder.prefill(someIds(7), decoder.createCache(), {
      observe: { onQueries: ({ layer, rows }) => shown.push([layer, rows]) },
    })
    expect(shown).toEqual([...Array(tiny.layers).keys()].map((layer) => [layer, 7]))
  })
})
