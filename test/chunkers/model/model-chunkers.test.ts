import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AsyncChunker,
  type Chunk,
  chulo,
  createDocument,
  crossSegment,
  type Document,
  fixedTokens,
  lateChunking,
  likelihood,
  semantic,
  sentencePacked,
} from '../../../chunkers/index.ts'
import { type Embedder, type LocalEmbedder, openLocalEmbedder, type TokenEmbedder } from '../../../models/index.ts'
import { chunkerSuite, scriptedEmbedder, scriptedLikelihoodModel } from '../../../testing/index.ts'
import { countWords, textsOf } from './count-words.ts'

const runner = { describe, it, expect }
const embedder = scriptedEmbedder()
const model = scriptedLikelihoodModel()

// These see the whole text before their first chunk.
chunkerSuite('semantic', () => semantic({ embedder }), runner, { ahead: Infinity })
chunkerSuite('crossSegment', () => crossSegment({ embedder }), runner, { ahead: Infinity })
chunkerSuite('likelihood', () => likelihood({ model, context: 8, ahead: 8, maxGaps: 50 }), runner, { ahead: Infinity })
chunkerSuite('chulo', () => chulo({ embedder }), runner, { graphemeShare: 0.9 })
chunkerSuite('lateChunking', () => lateChunking({ chunker: sentencePacked(), embedder }), runner)

const whales = 'The whale swims in the sea. A whale breathes air at sea. The sea holds one whale. Whale and sea are old.'
const bread = 'Bread rises in the oven. The oven bakes bread. Warm bread smells of oven. Bread needs an oven.'
const text = `${whales} ${bread}`
const document = createDocument({ name: 'two.txt', text, sections: [] })

describe('chunkers that ask a model', () => {
  it.each<[string, AsyncChunker]>([
    ['semantic', semantic({ embedder })],
    ['crossSegment', crossSegment({ embedder })],
    ['likelihood', likelihood({ model })],
  ])('%s cuts where the subject changes', async (_, chunker) => {
    expect(await textsOf(chunker.chunk(document, { maxTokens: 30, count: countWords }))).toEqual([whales, bread])
  })

  it.each<[string, (embedder: TokenEmbedder) => AsyncChunker]>([
    ['semantic', (broken) => semantic({ embedder: broken })],
    ['crossSegment', (broken) => crossSegment({ embedder: broken })],
    ['chulo', (broken) => chulo({ embedder: broken })],
    ['lateChunking', (broken) => lateChunking({ chunker: fixedTokens(), embedder: broken })],
  ])('%s refuses an embedder that gives no numbers or too few, by its name', async (_, make) => {
    const notNumbers = brokenEmbedder((vector) => vector.map(() => Number.NaN))
    await expect(textsOf(make(notNumbers).chunk(document, { maxTokens: 12, count: countWords }))).rejects.toThrow(
      /embedder broken as .* not finite: NaN/,
    )
    const tooFew: TokenEmbedder = { ...embedder, id: 'broken', embed: async () => [], embedTokens: async () => [] }
    await expect(textsOf(make(tooFew).chunk(document, { maxTokens: 12, count: countWords }))).rejects.toThrow(/embedder broken as it gave/)
    const short = brokenEmbedder((vector, at) => vector.subarray(at % 2))
    await expect(textsOf(make(short).chunk(document, { maxTokens: 12, count: countWords }))).rejects.toThrow(/embedder broken as it gave/)
  })

  it('refuses a likelihood model that gives too few', async () => {
    const broken = { ...model, id: 'broken', logProbs: async () => [] }
    await expect(textsOf(likelihood({ model: broken }).chunk(document, { maxTokens: 30, count: countWords }))).rejects.toThrow(
      'model broken as it gave 0 likelihoods for 14 texts',
    )
  })

  it('takes an embedder of LangChain as it is', async () => {
    const plain: Embedder = { embedDocuments: (texts) => embedder.embedDocuments(texts), embedQuery: (query) => embedder.embedQuery(query) }
    expect(await textsOf(semantic({ embedder: plain }).chunk(document, { maxTokens: 30, count: countWords }))).toEqual([whales, bread])
  })

  it.each([
    [() => semantic({ embedder, window: -1 }), 'window is no number of 0 or more: -1'],
    [() => likelihood({ model, context: 0 }), 'context is no whole number above 0: 0'],
    [() => likelihood({ model, maxGaps: 1.5 }), 'maxGaps is no whole number above 0: 1.5'],
    [() => likelihood({ model: scriptedLikelihoodModel({ window: 50 }) }), 'above the window of scripted-likelihood, 50: 96 + 48'],
    [() => chulo({ embedder, emphasis: 0 }), 'emphasis is no number above 0: 0'],
    [() => chulo({ embedder, phrases: -1 }), 'phrases is no whole number: -1'],
    [() => lateChunking({ chunker: fixedTokens(), embedder, stretch: 0 }), 'stretch is not above 0: 0'],
  ])('refuses impossible settings', (make, message) => {
    expect(make).toThrow(message)
  })
})

describe('the likelihood chunker', () => {
  it('says how far it is and what it has read, within its bounds', async () => {
    const own = scriptedLikelihoodModel()
    const seen: { done: number; total: number; tokens?: number }[] = []
    const chunker = likelihood({ model: own, context: 6, ahead: 4, onProgress: (progress) => seen.push(progress) })
    await textsOf(chunker.chunk(document, { maxTokens: 30, count: countWords }))
    expect(seen.at(-1)).toMatchObject({ done: 7, total: 7 })
    expect(seen.at(-1)?.tokens).toBeLessThanOrEqual(7 * (6 + 2 * 4))
    for (const { prefix, text: judged } of own.queries) {
      expect(own.count(prefix)).toBeLessThanOrEqual(6)
      expect(own.count(judged)).toBeLessThanOrEqual(4)
    }
  })

  it('judges no more gaps than it may, and cuts at them only', async () => {
    const own = scriptedLikelihoodModel()
    const chunker = likelihood({ model: own, maxGaps: 3 })
    const texts = await textsOf(chunker.chunk(document, { maxTokens: 30, count: countWords }))
    // Of three equal parts, the last ends with the text.
    expect(own.queries).toHaveLength(2 * 2)
    expect(texts.join(' ')).toBe(text)
  })
})

describe('vectors of chunks', () => {
  it('are means of the tokens in the chunk, of length 1', async () => {
    const chunks = await chunksOf(lateChunking({ chunker: sentencePacked(), embedder }), document, 25)
    // The scripted embedder's tokens know nothing of each other, so that the mean is the vector of the chunk's own text.
    const alone = await embedder.embed(chunks.map((chunk) => chunk.text))
    for (const [at, { vector }] of chunks.entries()) expect(dot(vector, alone[at])).toBeCloseTo(1, 5)
  })

  it('do not depend on how long the stretches are, where tokens do not depend on each other', async () => {
    const long = createDocument({ name: 'long', text: Array.from({ length: 80 }, () => text).join('\n\n'), sections: [] })
    const short = await chunksOf(lateChunking({ chunker: sentencePacked(), embedder, stretch: 500 }), long, 25)
    const whole = await chunksOf(lateChunking({ chunker: sentencePacked(), embedder, stretch: 1e6 }), long, 25)
    for (const [at, { vector }] of short.entries()) expect(dot(vector, whole[at]?.vector)).toBeCloseTo(1, 5)
  })

  it('lean to key phrases, which stand in the context', async () => {
    const plain = await chunksOf(chulo({ embedder, emphasis: 1 }), document, 40)
    const leaning = await chunksOf(chulo({ embedder, emphasis: 50 }), document, 40)
    const [phrases] = await embedder.embed(['bread'])
    expect(leaning.at(-1)?.context).toMatch(/^Key phrases: .*\bbread\b/i)
    expect(dot(leaning.at(-1)?.vector, phrases)).toBeGreaterThan(dot(plain.at(-1)?.vector, phrases))
    expect(leaning.map((chunk) => chunk.text)).toEqual(plain.map((chunk) => chunk.text))
  })

  it('leave out the context where it is told to', async () => {
    const chunks = await chunksOf(chulo({ embedder, phrases: 0 }), document, 40)
    expect(chunks.every(({ context, vector }) => context === undefined && vector !== undefined)).toBe(true)
  })

  it('tell how far they are', async () => {
    const seen: number[] = []
    await chunksOf(
      lateChunking({ chunker: sentencePacked(), embedder, stretch: 50, onProgress: ({ done }) => seen.push(done) }),
      document,
      25,
    )
    expect(seen.at(-1)).toBe(text.length)
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
  })
})

describe('chunkers on the bundled embedder', { timeout: 60_000 }, () => {
  let local: LocalEmbedder
  beforeAll(async () => {
    local = await openLocalEmbedder()
  })
  afterAll(() => local.dispose())

  it.each([
    ['semantic', () => semantic({ embedder: local })],
    ['crossSegment', () => crossSegment({ embedder: local })],
  ])('%s cuts where the subject changes', async (_, make) => {
    expect(await textsOf(make().chunk(document, { maxTokens: 30, count: countWords }))).toEqual([whales, bread])
  })

  it('late chunking gives a chunk another vector than its text alone has, but near it', async () => {
    const chunks = await chunksOf(lateChunking({ chunker: sentencePacked(), embedder: local }), document, 25)
    const alone = await local.embed(chunks.map((chunk) => chunk.text))
    for (const [at, { vector }] of chunks.entries()) {
      expect(dot(vector, alone[at])).toBeGreaterThan(0.5)
      expect(dot(vector, alone[at])).toBeLessThan(0.999)
    }
  })
})

function brokenEmbedder(change: (vector: Float32Array, at: number) => Float32Array): TokenEmbedder {
  return {
    ...embedder,
    id: 'broken',
    embed: async (texts) => (await embedder.embed(texts)).map(change),
    embedTokens: async (texts) =>
      (await embedder.embedTokens(texts)).map(({ vectors, offsets }) => ({ vectors: change(vectors, 1), offsets })),
  }
}

async function chunksOf(chunker: AsyncChunker, of: Document, maxTokens: number): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const chunk of chunker.chunk(of, { maxTokens, count: countWords })) chunks.push(chunk)
  return chunks
}

function dot(left: Float32Array | undefined, right: Float32Array | undefined): number {
  if (!left || left.length !== right?.length) return Number.NaN
  return left.reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0)
}
