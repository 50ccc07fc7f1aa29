import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Decoder } from '../../attention/index.ts'
import { referenceLogProbs, type ReferenceDecoder } from '../../attention/reference-decoder.ts'
import { scoreItems } from '../../models/score-items.ts'
import { farthest, openTiny, someIds } from '../attention/open-tiny.ts'
import { tiny } from '../attention/tiny-model.ts'

describe('scoreItems()', () => {
  let decoder: Decoder
  let reference: ReferenceDecoder
  beforeAll(async () => {
    const opened = await openTiny({ type: 'Q4_1' })
    decoder = opened.decoder
    reference = opened.reference
  })
  afterAll(() => decoder.dispose())

  test('scores texts after different prefixes as each alone, in few runs, and gives way between them', async () => {
    const items = Array.from({ length: 70 }, (_, index) => ({
      prefix: someIds(1 + (index % 7), index),
      text: someIds(3 + (index % 5), index + 1),
    }))
    const shares: number[] = []
    let turns = 0
    const found = await scoreItems(decoder, items, {
      signal: new AbortController().signal,
      progress: (share) => shares.push(share),
      giveWay: async () => void turns++,
    })
    for (const [index, { prefix, text }] of items.entries()) {
      const ids = [...prefix, ...text]
      const expected = referenceLogProbs(reference.forward(ids).logits, ids, tiny.vocabulary).slice(prefix.length - 1)
      expect(farthest(found[index]!, expected)).toBeLessThan(1e-3)
    }
    expect(shares.at(-1)).toBe(1)
    expect(turns).toBe(2)
  })
})
