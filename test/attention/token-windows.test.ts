import { describe, expect, it } from 'vitest'
import { encodeWords } from '../../attention/encode-words.ts'
import { tokenWindows } from '../../attention/token-windows.ts'

describe('windows over tokens', () => {
  it('are one where all fits', () => {
    expect(tokenWindows(0, 10)).toEqual([{ from: 0, to: 0, first: 0, last: 0 }])
    expect(tokenWindows(10, 10)).toEqual([{ from: 0, to: 10, first: 0, last: 10 }])
  })

  it('keep each token once, from a window that knows a quarter of its room on both sides', () => {
    for (const room of [2, 3, 7, 10, 254]) {
      for (const count of [11, 255, 256, 1_000, 1_001]) {
        if (count <= room) continue
        let kept = 0
        for (const { from, to, first, last } of tokenWindows(count, room)) {
          expect(to - from).toBeLessThanOrEqual(room)
          expect(first).toBe(kept)
          expect(last).toBeGreaterThan(first)
          if (first > 0) expect(first - from).toBeGreaterThanOrEqual(Math.floor(room / 4))
          if (last < count) expect(to - last).toBeGreaterThanOrEqual(Math.floor(room / 4))
          kept = last
        }
        expect(kept).toBe(count)
      }
    }
  })
})

describe('words with their places', () => {
  const tokenizer = {
    vocabulary: 2 ** 21,
    special: {},
    encode: (text: string) => Array.from(text, (character) => character.codePointAt(0) ?? 0),
    decode: () => '',
    token: () => '',
  }

  it('give each token the place of its word', () => {
    expect(encodeWords(tokenizer, ' ab, 鯨c')).toEqual({
      ids: Array.from('ab,鯨c', (character) => character.codePointAt(0)),
      offsets: [1, 3, 1, 3, 3, 4, 5, 6, 6, 7],
    })
  })

  it('give nothing for white space', () => {
    expect(encodeWords(tokenizer, ' \n\u00a0\u3000')).toEqual({ ids: [], offsets: [] })
  })
})
