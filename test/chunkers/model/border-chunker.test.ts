import { describe, expect, it } from 'vitest'
import { borderChunker, type BorderScorer, type Chunk, createDocument } from '../../../chunkers/index.ts'
import { countWords, textsOf } from './count-words.ts'

const text = 'One two. Three four. Five six. Seven eight. Nine ten. Eleven twelve.'

function scorer(scores: readonly number[]): BorderScorer {
  return { name: 'told', version: 3, scoreGaps: async () => scores }
}

async function cut(scores: readonly number[], maxTokens: number, options = {}): Promise<string[]> {
  return textsOf(
    borderChunker(scorer(scores), options).chunk(createDocument({ name: 'a', text, sections: [] }), { maxTokens, count: countWords }),
  )
}

describe('the border chunker', () => {
  it('cuts at the gap with the highest score under the budget', async () => {
    expect(await cut([0, 1, 0, 0, 0], 8)).toEqual(['One two. Three four.', 'Five six. Seven eight. Nine ten. Eleven twelve.'])
    expect(await cut([0, 0, 0, 1, 0], 8)).toEqual(['One two. Three four. Five six. Seven eight.', 'Nine ten. Eleven twelve.'])
  })

  it('gives the same borders for the same scores on another scale', async () => {
    const scores = [3, 9, 1, 7, 2]
    expect(
      await cut(
        scores.map((score) => 1000 - 5 * -score),
        6,
      ),
    ).toEqual(await cut(scores, 6))
  })

  it('makes no cut at a gap that is out of the question, unless it must', async () => {
    const never = -Infinity
    expect(await cut([never, never, 0, never, never], 8, { target: 4 })).toEqual([text.slice(0, 30), text.slice(31)])
    expect((await cut([never, never, never, never, never], 2)).length).toBe(6)
  })

  it('cuts at sections, and after no title', async () => {
    const titled = 'Whales\n\nThey swim. They dive.\n\nBread\n\nIt rises. It bakes.'
    const start = titled.indexOf('Bread')
    const sections = [
      { title: 'Whales', level: 1, start: 0, end: start },
      { title: 'Bread', level: 1, start, end: titled.length },
    ]
    const document = createDocument({ name: 'b', text: titled, sections })
    const chunker = borderChunker(scorer([0, 0, 0, 0, 0]))
    expect(await textsOf(chunker.chunk(document, { maxTokens: 8, count: countWords }))).toEqual([
      titled.slice(0, start).trim(),
      titled.slice(start),
    ])
  })

  it('names its scorer and what was set', () => {
    expect(borderChunker(scorer([]))).toMatchObject({ name: 'told', version: 3 })
    expect(borderChunker(scorer([]), { target: 100, onProgress: () => {} }).name).toBe('told {"target":100}')
  })

  it.each([
    [[0, 0], 'another number of scores than 5: 2'],
    [[0, 0, Number.NaN, 0, 0], 'the score of gap 2 is no number: NaN'],
    [[0, 0, Infinity, 0, 0], 'the score of gap 2 is no number: Infinity'],
  ])('refuses the scores %j', async (scores, message) => {
    await expect(cut(scores, 8)).rejects.toThrow(message)
  })

  it.each([
    [{ target: 0 }, 'target is not above 0: 0'],
    [{ max: Number.NaN }, 'max is not above 0: NaN'],
    [{ min: -1 }, 'min is no number of 0 or more: -1'],
    [{ sizeWeight: Infinity }, 'sizeWeight is no number of 0 or more: Infinity'],
    [{ price: Number.NaN }, 'price is not finite: NaN'],
    [{ min: 5, max: 4 }, 'min is above max, 4: 5'],
  ])('refuses the options %j', (options, message) => {
    expect(() => borderChunker(scorer([]), options)).toThrow(message)
  })

  it('hands on the target, the signal and the progress', async () => {
    const seen: unknown[] = []
    const { signal } = new AbortController()
    const watching: BorderScorer = {
      name: 'watching',
      version: 1,
      async scoreGaps(units, options) {
        seen.push(options.target, options.signal === signal)
        options.onProgress?.({ done: 1, total: 2 })
        return units.slice(1).map(() => 0)
      },
    }
    const chunks: Chunk[] = []
    const options = { target: 6, onProgress: (progress: object) => void seen.push(progress) }
    const document = createDocument({ name: 'a', text, sections: [] })
    for await (const chunk of borderChunker(watching, options).chunk(document, { maxTokens: 8, count: countWords, signal }))
      chunks.push(chunk)
    expect(seen).toEqual([6, true, { done: 1, total: 2 }])
    expect(chunks.map(({ index }) => index)).toEqual([...chunks.keys()])
  })
})
