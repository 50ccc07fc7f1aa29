import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Decoder } from '../../attention/index.ts'
import { type PrefixDecoder, reusePrefixes } from '../../attention/prefix-decoder.ts'
import { farthest, openTiny, someIds } from './open-tiny.ts'
import { tiny } from './tiny-model.ts'

const close = 1e-4
const document = someIds(700)
const asked = [...document, ...someIds(20, 3)]
const otherwise = [...document, ...someIds(25, 8)]
const tokenBytes = tiny.layers * 2 * tiny.kvHeads * tiny.headDim * 4

describe('reusePrefixes()', () => {
  let plain: Decoder
  let decoder: PrefixDecoder
  beforeEach(async () => {
    plain = (await openTiny()).decoder
    decoder = reusePrefixes(plain, Infinity)
  })
  afterEach(() => decoder.dispose())

  async function run(on: Decoder, ids: readonly number[]): Promise<Float32Array> {
    using cache = on.createCache()
    return await on.prefill(ids, cache)
  }

  test('computes what two prompts have in common once, with the same logits', async () => {
    using first = decoder.createCache()
    await decoder.prefill(asked, first)
    expect(decoder.reused(first)).toBe(0)
    using second = decoder.createCache()
    const logits = await decoder.prefill(otherwise, second)
    expect(decoder.reused(second)).toBe(document.length)
    expect([second.length, [...second.ids]]).toEqual([otherwise.length, otherwise])
    expect(farthest(logits, await run(plain, otherwise))).toBeLessThan(close)
    expect(farthest(await decoder.prefill([5], second), await run(plain, [...otherwise, 5]))).toBeLessThan(close)
    expect(decoder.prefixStats).toMatchObject({ lookups: 2, hits: 1, tokens: 720 + 725, reusedTokens: 700, sequences: 2 })
  })

  test('gives a prompt that was seen as a whole bit for bit, also after longer ones', async () => {
    const logits = await run(decoder, document)
    await run(decoder, asked)
    await run(decoder, otherwise)
    using cache = decoder.createCache()
    const shares: number[] = []
    expect(await decoder.prefill(document, cache, { onProgress: (share) => shares.push(share) })).toEqual(logits)
    expect(decoder.reused(cache)).toBe(document.length)
    expect(shares).toEqual([1])
    expect(await decoder.prefill([5], cache)).toEqual(await plain.prefill([5], await filled(plain, document)))
  })

  test('takes up a cache that is fed in pieces', async () => {
    await run(decoder, asked)
    using cache = decoder.createCache()
    await decoder.prefill(asked.slice(0, 300), cache)
    await decoder.prefill(asked.slice(300, 600), cache)
    // The last token of a piece is run for its logits.
    expect(decoder.reused(cache)).toBe(299)
    const logits = await decoder.prefill(asked.slice(600), cache)
    expect(farthest(logits, await run(plain, asked))).toBeLessThan(close)
  })

  test('scores after a shared prefix as without', async () => {
    const items = [{ ids: someIds(5, 1) }, { ids: someIds(9, 2) }]
    await decoder.logProbs(document, items)
    const found = await decoder.logProbs(document, items)
    const expected = await plain.logProbs(document, items)
    for (const [index, scores] of expected.entries()) expect(farthest(found[index] ?? [], scores)).toBeLessThan(close)
    expect(decoder.prefixStats).toMatchObject({ hits: 1, reusedTokens: 700 })
  })

  test('takes over only what ran in the same arithmetic, so that answers do not depend on what was asked before', async () => {
    const bytes = (await openTiny({ type: 'Q4_0' }, { readForm: 'int8' })).decoder
    expect([bytes.isLongRead(255), bytes.isLongRead(256)]).toEqual([false, true])
    await using reusing = reusePrefixes(bytes, Infinity)
    await run(reusing, document.slice(0, 200))
    using first = reusing.createCache()
    await reusing.prefill(asked, first)
    expect(reusing.reused(first)).toBe(0)
    using second = reusing.createCache()
    const logits = await reusing.prefill(otherwise, second)
    expect(reusing.reused(second)).toBe(document.length)
    const alone = await run(bytes, otherwise)
    expect(farthest(logits, alone)).toBeLessThan(2e-3)
    using short = bytes.createCache()
    await bytes.prefill(document, short, { longRead: false })
    expect(farthest(await bytes.prefill(someIds(25, 8), short), alone)).toBeGreaterThan(farthest(logits, alone))
    using pieces = reusing.createCache()
    await reusing.prefill(asked.slice(0, 600), pieces, { longRead: true })
    await reusing.prefill(asked.slice(600), pieces, { longRead: true })
    expect([...pieces.longReads].every((form) => form === 1)).toBe(true)
    expect(reusing.reused(pieces)).toBe(120)
  })

  test('shows the queries of the rows that are asked for', async () => {
    await run(decoder, asked)
    using cache = decoder.createCache()
    const seen: number[] = []
    await decoder.prefill(asked, cache, { observe: { layers: [1], rows: 16, onQueries: ({ rows, start }) => seen.push(start, rows) } })
    expect(seen).toEqual([704, 16])
    expect(decoder.reused(cache)).toBe(704)
    using all = decoder.createCache()
    await decoder.prefill(asked, all, { observe: { onQueries: () => {} } })
    expect(decoder.reused(all)).toBe(0)
  })

  test('does not mistake caches that were not fed in order for those that were', async () => {
    await run(decoder, document)
    using placed = decoder.createCache()
    await decoder.prefill(document, placed, { positions: document.map((_, index) => index + 5) })
    expect(decoder.reused(placed)).toBe(0)
    await decoder.prefill(someIds(30), placed)
    expect(decoder.prefixStats.lookups).toBe(1)
  })

  test('leaves cache and tree as they were when a prefill is cancelled', async () => {
    await run(decoder, document)
    using cache = decoder.createCache()
    await decoder.prefill(document.slice(0, 100), cache)
    const { lastHidden } = cache
    const before = decoder.prefixStats
    const controller = new AbortController()
    const cancelled = decoder.prefill(asked.slice(100), cache, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    })
    await expect(cancelled).rejects.toThrow('enough')
    expect([cache.length, cache.lastHidden]).toEqual([100, lastHidden])
    expect(decoder.prefixStats).toMatchObject({ sequences: before.sequences, bytes: before.bytes })
    expect(farthest(await decoder.prefill(asked.slice(100), cache), await run(plain, asked))).toBeLessThan(close)
  })

  test('holds no more bytes than it may, what was used last longest', async () => {
    const small = reusePrefixes(plain, 1200 * tokenBytes)
    const [a, b, c] = [someIds(512, 1), someIds(512, 2), someIds(512, 5)]
    await run(small, a)
    await run(small, b)
    await run(small, a)
    await run(small, c)
    expect(small.prefixStats).toMatchObject({ sequences: 2, bytes: 1024 * tokenBytes, hits: 1 })
    await run(small, b)
    expect(small.prefixStats.hits).toBe(1)
    await run(small, c)
    expect(small.prefixStats.hits).toBe(2)
  })

  test('counts blocks that sequences share once', async () => {
    await run(decoder, asked)
    await run(decoder, otherwise)
    expect(decoder.prefixStats.bytes).toBe(tokenBytes * (512 + 256 + 256))
  })

  test('does nothing with a budget of 0, and refuses one that is none', async () => {
    const none = reusePrefixes(plain, 0)
    await run(none, document)
    await run(none, document)
    expect(none.prefixStats).toEqual({ lookups: 0, hits: 0, tokens: 0, reusedTokens: 0, sequences: 0, bytes: 0 })
    expect(() => reusePrefixes(plain, -1)).toThrow(RangeError)
    expect(() => reusePrefixes(plain, NaN)).toThrow(RangeError)
  })
})

async function filled(decoder: Decoder, ids: readonly number[]): Promise<ReturnType<Decoder['createCache']>> {
  const cache = decoder.createCache()
  await decoder.prefill(ids, cache)
  return cache
}
