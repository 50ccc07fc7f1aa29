import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Decoder } from '../../attention/index.ts'
import { packByFirstFit } from '../../attention/prefill-many.ts'
import { referenceLogProbs, type ReferenceDecoder } from '../../attention/reference-decoder.ts'
import { farthest, openTiny, someIds } from './open-tiny.ts'
import { tiny } from './tiny-model.ts'

const { vocabulary } = tiny

describe('packByFirstFit()', () => {
  test.each([
    [[3, 3, 3], 10, [[0, 1, 2]]],
    [
      [6, 5, 4, 5],
      10,
      [
        [0, 2],
        [1, 3],
      ],
    ],
    [[12, 2], 10, [[0], [1]]],
    [[], 10, []],
  ])('packs %j into bins of %d', (lengths, most, expected) => {
    expect(packByFirstFit(lengths, most)).toEqual(expected)
  })
})

describe('prompts that are prefilled together', () => {
  let decoder: Decoder
  let reference: ReferenceDecoder
  beforeAll(async () => {
    const opened = await openTiny({ type: 'Q4_1' })
    decoder = opened.decoder
    reference = opened.reference
  })
  afterAll(() => decoder.dispose())

  test.each([
    ['short', Array.from({ length: 40 }, (_, index) => 1 + (index % 9))],
    ['of mixed lengths', [1, 200, 8, 130, 300, 2, 255, 64]],
    ['single', [5]],
  ])('come to what each comes to alone when they are %s', async (_, lengths) => {
    const prompts = lengths.map((length, index) => someIds(length, index))
    const shares: number[] = []
    const found = await decoder.prefillMany(prompts, { onProgress: (share) => shares.push(share) })
    for (const [index, { cache, logits }] of found.entries()) {
      const ids = prompts[index]!
      expect(farthest(logits, reference.forward(ids).logits.slice(-vocabulary))).toBeLessThan(1e-3)
      const alone = decoder.createCache()
      expect(farthest(logits, await decoder.prefill(ids, alone))).toBeLessThan(1e-4)
      expect(farthest(cache.lastHidden!, alone.lastHidden!)).toBeLessThan(1e-4)
      expect(cache.positions).toEqual(alone.positions)
      for (let layer = 0; layer < tiny.layers; layer++) {
        expect(farthest(cache.exportRows(layer).keys, alone.exportRows(layer).keys)).toBeLessThan(1e-4)
        expect(farthest(cache.exportRows(layer).values, alone.exportRows(layer).values)).toBeLessThan(1e-4)
      }
    }
    expect(shares.at(-1)).toBe(1)
  })

  test('have caches that go on alone', async () => {
    const prompts = [someIds(6), someIds(9, 1)]
    const [first] = await decoder.prefillMany(prompts)
    const logits = await decoder.prefill([7, 8], first!.cache)
    expect(farthest(logits, reference.forward([...prompts[0]!, 7, 8]).logits.slice(-vocabulary))).toBeLessThan(1e-3)
  })

  test('come to the same in eight-bit integers, whatever runs beside them', async () => {
    const { decoder: fast } = await openTiny({ type: 'Q4_1' }, { readForm: 'int8' })
    const prompts = [someIds(20), someIds(300, 1), someIds(100, 2), someIds(90, 3)]
    for (const [index, { logits }] of (await fast.prefillMany(prompts)).entries()) {
      expect(farthest(logits, await fast.prefill(prompts[index]!, fast.createCache()))).toBeLessThan(1e-4)
    }
    await fast.dispose()
  })

  test.each([
    [[[1], []], 'no tokens'],
    [[[1], [96]], 'token 96'],
    [[Array<number>(2049).fill(1)], '2049'],
  ])('are refused when one of them cannot be fed', async (prompts, message) => {
    await expect(decoder.prefillMany(prompts)).rejects.toThrow(message)
  })

  test('stop within a layer when aborted', async () => {
    await expect(decoder.prefillMany([[1], [2]], { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  test('are scored without a common prefix', async () => {
    const texts = [someIds(12), someIds(30, 1), someIds(300, 2), someIds(5, 3)]
    const found = await decoder.logProbs(
      [],
      texts.map((ids) => ({ ids, from: 3 })),
    )
    for (const [index, ids] of texts.entries()) {
      const expected = referenceLogProbs(reference.forward(ids).logits, ids, vocabulary).slice(2)
      expect(farthest(found[index]!, expected)).toBeLessThan(1e-3)
    }
  })
})

describe('long reads in eight-bit integers', () => {
  test('stay near the reference, and name their arithmetic', async () => {
    const { decoder, reference } = await openTiny({ type: 'Q4_1' }, { readForm: 'int8' })
    const ids = someIds(400)
    expect(decoder.config.weightForm).toBe('q4_1/int8')
    const exact = reference.forward(ids).logits.slice(-vocabulary)
    const logits = await decoder.prefill(ids, decoder.createCache())
    expect(farthest(logits, exact)).toBeGreaterThan(1e-6)
    expect(farthest(logits, exact)).toBeLessThan(1)
    await decoder.dispose()
  })

  test('are exact where all weights are float32 already', async () => {
    const { decoder, reference } = await openTiny({ type: 'F32' }, { readForm: 'int8' })
    const ids = someIds(400)
    expect(decoder.config.weightForm).toBe('f32')
    expect(farthest(await decoder.prefill(ids, decoder.createCache()), reference.forward(ids).logits.slice(-vocabulary))).toBeLessThan(1e-3)
    await decoder.dispose()
  })
})
