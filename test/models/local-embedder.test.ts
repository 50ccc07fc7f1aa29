import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalEmbedder, type NamedEmbedder, openEngine, openLocalEmbedder, openLocalModel } from '../../models/index.ts'
import golden from '../golden/all-minilm-l6-v2.json' with { type: 'json' }

describe('the bundled embedder', { timeout: 60_000 }, () => {
  let embedder: LocalEmbedder

  beforeAll(async () => {
    embedder = await openLocalEmbedder()
  })

  afterAll(() => embedder.dispose())

  it('is a named embedder', () => {
    embedder satisfies NamedEmbedder
    expect(embedder.id).toMatch(/^all-minilm-l6-v2@[0-9a-f]{16}$/)
    expect(embedder.dimensions).toBe(384)
  })

  it('gives the reference vectors, whichever way they are asked for', async () => {
    const vectors = await embedder.embed(golden.sentences)
    const plain = await embedder.embedDocuments(golden.sentences)
    expect(vectors).toHaveLength(golden.sentences.length)
    for (const [index, expected] of golden.int8.entries()) {
      expect(dot(vectors[index] ?? [], expected)).toBeGreaterThan(0.9999)
      expect(plain[index]).toEqual([...(vectors[index] ?? [])])
    }
    expect(await embedder.embedQuery(golden.sentences[0] ?? '')).toEqual(plain[0])
  })

  it('gives the vectors of tokens, of whose rows the vector of the text is the mean', async () => {
    const texts = [...golden.sentences, '', 'naïve Ａ\u200db 鯨は白い。 [SEP] it’s e.g. 3.5%']
    const vectors = await embedder.embed(texts)
    const tokens = await embedder.embedTokens(texts)
    for (const [index, { vectors: rows, offsets }] of tokens.entries()) {
      expect(rows).toHaveLength((offsets.length / 2) * embedder.dimensions)
      expect(dot(vectors[index] ?? [], unitMean(rows, embedder.dimensions))).toBeGreaterThan(0.99999)
    }
  })

  it('gives the place of each token, with empty places for what frames a text', async () => {
    const text = '  The whale, unbelievable!'
    const [{ offsets } = { offsets: new Int32Array() }] = await embedder.embedTokens([text])
    const words = Array.from({ length: offsets.length / 2 }, (_, at) => text.slice(offsets[2 * at], offsets[2 * at + 1]))
    expect([...new Set(words)]).toEqual(['', 'The', 'whale', ',', 'unbelievable', '!'])
    expect([...offsets.subarray(-2)]).toEqual([text.length, text.length])
  })

  it('reads a long text in windows: its middle tokens know more than a text cut at the window has', async () => {
    const text = Array.from({ length: 700 }, (_, at) => `word${at % 9}`).join(' ')
    const [whole] = await embedder.embedTokens([text])
    const count = (whole?.offsets.length ?? 0) / 2
    expect(count).toBeGreaterThan(1_000)
    expect(whole?.offsets.at(-3)).toBe(text.length)
    // The first tokens are those of the first window, which is all that `embed` reads.
    const [start] = await embedder.embedTokens([text.slice(0, whole?.offsets[2 * 254 + 1])])
    expect(whole?.vectors.slice(0, 384 * 60)).toEqual(start?.vectors.slice(0, 384 * 60))
  })

  it('gives an empty list for an empty list', async () => {
    expect(await embedder.embedTokens([])).toEqual([])
    expect(await embedder.embed([])).toEqual([])
    expect(await embedder.embedDocuments([])).toEqual([])
  })

  it('tells how far it is and lets a query overtake', async () => {
    const seen: number[] = []
    const order: string[] = []
    const texts = Array.from({ length: 40 }, (_, index) => `Sentence number ${index}.`)
    const many = embedder.embed(texts, { onProgress: (done) => seen.push(done) }).then(() => order.push('many'))
    const query = embedder.embedQuery('whale').then(() => order.push('query'))
    await Promise.all([many, query])
    expect(order).toEqual(['query', 'many'])
    expect(seen.at(-1)).toBe(40)
    expect(seen).toEqual(seen.toSorted((left, right) => left - right))
  })

  it('rejects with the reason of the signal, before and during the work', async () => {
    const reason = new Error('enough')
    await expect(embedder.embed(['a'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const texts = Array.from({ length: 200 }, () => 'word '.repeat(100))
    const work = embedder.embed(texts, { signal: controller.signal, onProgress: () => controller.abort(reason) })
    await expect(work).rejects.toBe(reason)
  })
})

describe('an engine that a model and an embedder share', { timeout: 60_000 }, () => {
  it('goes on for one when the other is disposed', async () => {
    await using engine = openEngine()
    const model = await openLocalModel({ engine })
    const embedder = await openLocalEmbedder({ engine })
    await embedder.embedQuery('a')
    await model.dispose()
    expect(await embedder.embedQuery('a')).toHaveLength(384)
    await embedder.dispose()
    await expect(embedder.embed(['a'])).rejects.toThrow(/is disposed/)
    expect(engine.running).toBe(true)
  })
})

function unitMean(rows: Float32Array, width: number): number[] {
  const sum = Array.from({ length: width }, (_, axis) =>
    rows.reduce((total, value, at) => (at % width === axis ? total + value : total), 0),
  )
  const length = Math.hypot(...sum)
  return sum.map((value) => value / length)
}

function dot(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let total = 0
  for (let at = 0; at < left.length; at++) total += (left[at] ?? 0) * (right[at] ?? 0)
  return total
}
