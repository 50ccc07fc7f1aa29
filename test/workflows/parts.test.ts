import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Quote } from '../../agents/index.ts'
import { createDocument } from '../../chunkers/index.ts'
import { citeQuotes } from '../../workflows/cite-quotes.ts'
import { EventStream } from '../../workflows/event-stream.ts'
import { passagesToIndex } from '../../workflows/index-passages.ts'
import { createMeter, LimitReached } from '../../workflows/limits.ts'
import { mapConcurrent } from '../../workflows/map-concurrent.ts'
import { readingPaths } from '../../workflows/paths.ts'

const document = createDocument({ name: 'a.txt', text: 'One two.  Three four. Five.', sections: [] })

function quote(start: number, end: number, part: Partial<Quote> = {}): Quote {
  return { id: 'q1', documentId: document.id, chunkIndex: 0, start, end, text: document.text.slice(start, end), how: 'exact', ...part }
}

describe('citeQuotes()', () => {
  it('shows the words at their place, and those that go on with the ones before', () => {
    const citations = citeQuotes([quote(0, 8), quote(10, 21, { continues: true })], [document], () => expect.unreachable())
    expect(citations.map(({ quote: words, start, end }) => [words, start, end])).toEqual([['One two.  Three four.', 0, 21]])
  })

  it('finds words again whose offsets are wrong, and rejects what is not there', () => {
    const rejected: string[] = []
    const wrong = quote(0, 5, { text: 'Three four.' })
    const none = quote(0, 5, { text: 'Six seven.' })
    const citations = citeQuotes([wrong, none, quote(0, 3, { documentId: 'other' })], [document], ({ text }) => rejected.push(text))
    expect(citations.map(({ start, end }) => document.slice(start, end))).toEqual(['Three four.'])
    expect(rejected).toEqual(['Six seven.', 'One'])
  })

  it('never shows what is not literally in the document', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: -5, max: 40 }), fc.integer({ min: -5, max: 40 }), (text, start, end) => {
        for (const citation of citeQuotes([quote(0, 1, { text, start, end })], [document], () => undefined)) {
          expect(document.slice(citation.start, citation.end)).toBe(citation.quote)
        }
      }),
    )
  })
})

describe('passagesToIndex()', () => {
  it('leaves headings to the section titles', () => {
    const book = createDocument({
      name: 'b.md',
      text: '# The Whale\n\nIt was white and very large indeed.\n\n## The Sea\n\nIt was deep and cold and without an end.',
    })
    const cut = passagesToIndex(book)
    expect(cut.map(({ text }) => text)).toEqual(['It was white and very large indeed.', 'It was deep and cold and without an end.'])
    expect(cut.every(({ start, end, text }) => book.slice(start, end) === text)).toBe(true)
    expect(cut.map(({ index }) => index)).toEqual([0, 1])
  })
})

describe('createMeter()', () => {
  it('counts calls under way with what they reserved', () => {
    const meter = createMeter({ calls: 2 })
    const use = { calls: 1, inputTokens: 5, outputTokens: 1, usd: 0 }
    const settle = meter.reserve(use)
    meter.reserve(use)
    expect(() => meter.reserve(use)).toThrow(LimitReached)
    settle(use)
    expect(meter.used).toMatchObject({ calls: 1, inputTokens: 5 })
  })

  it.each([{ usd: -1 }, { tokens: Number.NaN }])('refuses %j', (limits) => {
    expect(() => createMeter(limits)).toThrow(RangeError)
  })
})

describe('EventStream', () => {
  it('keeps nothing for nobody, and gives each listener all that comes after it', async () => {
    const stream = new EventStream<number>()
    stream.emit(1)
    const listener = stream.listen()
    stream.emit(2)
    stream.emit(3)
    stream.end()
    const seen: number[] = []
    for await (const event of listener) seen.push(event)
    expect(seen).toEqual([2, 3])
    expect(await stream.listen().next()).toEqual({ done: true, value: undefined })
  })

  it('forgets a reader that leaves its loop', async () => {
    const stream = new EventStream<number>()
    const listener = stream.listen()
    stream.emit(1)
    for await (const event of listener) {
      expect(event).toBe(1)
      break
    }
    stream.emit(2)
    expect(await listener.next()).toEqual({ done: true, value: undefined })
  })
})

describe('mapConcurrent()', () => {
  it('keeps the order and the limit', async () => {
    let running = 0
    let most = 0
    const results = await mapConcurrent([1, 2, 3, 4, 5], 2, async (item) => {
      most = Math.max(most, ++running)
      await Promise.resolve()
      running--
      return item * 2
    })
    expect(results).toEqual([2, 4, 6, 8, 10])
    expect(most).toBe(2)
  })

  it('throws the first failure, once all under way have ended', async () => {
    const seen: number[] = []
    const work = mapConcurrent([1, 2, 3, 4], 2, async (item) => {
      seen.push(item)
      await Promise.resolve()
      if (item === 1) throw new Error('one')
    })
    await expect(work).rejects.toThrow('one')
    expect(seen).not.toContain(4)
  })
})

describe('readingPaths()', () => {
  it('reads each chunk once in every path, and the same order for the same seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 6 }), fc.integer(), (length, permutations, seed) => {
        const paths = readingPaths({ permutations, seed }, length)
        expect(paths).toHaveLength(permutations)
        for (const { order } of paths) expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length }, (_, place) => place))
        expect(readingPaths({ permutations, seed }, length)).toEqual(paths)
      }),
    )
  })
})
