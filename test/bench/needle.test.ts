import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { haystack, hideNeedle, needlePlaces } from '../../bench/haystack.ts'
import { isFound, measureNeedle } from '../../bench/needle.ts'
import { findNeedles } from '../../testing/index.ts'
import type { Citation } from '../../workflows/index.ts'

const folder = await mkdtemp(join(tmpdir(), 'needle-'))
afterAll(() => rm(folder, { recursive: true }))

describe('haystack', () => {
  it.each(['noise', 'words'] as const)('of %s fills its length, is determined by its seed and holds no needle', (kind) => {
    const text = haystack(kind, 20_000, 7)
    expect(text.length).toBeGreaterThan(19_900)
    expect(text.length).toBeLessThanOrEqual(20_000)
    expect(haystack(kind, 20_000, 7)).toBe(text)
    expect(findNeedles(text)).toEqual([])
  })

  it('of words differs from seed to seed', () => {
    expect(haystack('words', 1000, 1)).not.toBe(haystack('words', 1000, 2))
  })
})

describe('hideNeedle', () => {
  const hay = haystack('words', 5000, 1)

  it.each([0, 1, 2500, hay.length - 1, hay.length])('hides one needle whole at place %i and says where', (place) => {
    const { text, value, start, end, question } = hideNeedle(hay, { id: 'x', place, seed: 3 })
    const [needle, ...others] = findNeedles(text)
    expect(others).toEqual([])
    expect(needle?.value).toBe(value)
    expect(findNeedles(text.slice(start, end))).toEqual([needle])
    expect(question).toContain(needle?.key)
    expect((text.slice(0, start) + text.slice(end)).replaceAll(/\s+/g, '')).toBe(hay.replaceAll(/\s+/g, ''))
  })

  it.each([-1, hay.length + 1, NaN])('refuses the place %d', (place) => {
    expect(() => hideNeedle(hay, { id: 'x', place, seed: 1 })).toThrow(RangeError)
  })
})

describe('needlePlaces', () => {
  it('spread from the start to the end, every other one lying across a border', () => {
    const hay = haystack('words', 8000, 5)
    const borders = [2000, 4000, 6000].map((near) => hay.indexOf('. ', near) + 2)
    const places = needlePlaces(9, hay.length, borders)
    expect([places[0], places[8]]).toEqual([0, hay.length])
    for (const at of [1, 3, 5, 7]) {
      const { start, end } = hideNeedle(hay, { id: 'x', place: places[at] as number, seed: at })
      expect(borders.some((border) => start < border && border < end)).toBe(true)
    }
  })
})

describe('isFound', () => {
  const item = { id: 'x', text: '', question: '', value: '1234567', start: 10, end: 20 }
  const citation = { start: 10, end: 20 } as Citation

  it.each([
    { text: 'It is 1234567.', citations: [citation], found: true },
    { text: 'It is 7654321.', citations: [citation], found: false },
    { text: 'It is 1234567.', citations: [], found: false },
    { text: 'It is 1234567.', citations: [{ ...citation, start: 11 }], found: false },
  ])('is $found for $text with $citations.length citations', ({ text, citations, found }) => {
    expect(isFound({ text, citations }, item)).toBe(found)
  })
})

describe('the benchmark', () => {
  it('finds every needle of a small haystack with an oracle, and with one that fails now and then', async () => {
    const options = { quick: true, seed: 42, signal: new AbortController().signal, log: () => undefined }
    const { figures, items } = await measureNeedle(options, { tokens: 60_000, items: 8 }, folder)
    expect(figures).toMatchObject({ found: 100, faultyFound: 100 })
    expect(figures['retries']).toBeGreaterThan(0)
    expect(figures['faultyCalls']).toBeGreaterThan(figures['calls'] as number)
    expect(items).toHaveLength(16)
  })
})
