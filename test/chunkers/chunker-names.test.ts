import { describe, expect, it } from 'vitest'
import { type Chunk, type ChunkerModels, createDocument, namedChunkers } from '../../chunkers/index.ts'
import { scriptedEmbedder, scriptedLikelihoodModel } from '../../testing/index.ts'

const lines = Array.from({ length: 12 }, (_, day) => `On day ${day} the crew mended sails, and saw nothing at all.`)
const text = `# The log\n\n${lines.slice(0, 6).join(' ')}\n\n## Later\n\n${lines.slice(6).join(' ')}\n`
const document = createDocument({ name: 'log.md', text, sections: [] })
const count = (part: string): number => Math.ceil(part.length / 4)

const models = (asked: string[] = []): ChunkerModels => ({
  embedder: async () => {
    asked.push('embedder')
    return scriptedEmbedder()
  },
  model: async () => {
    asked.push('model')
    return scriptedLikelihoodModel()
  },
})

describe('every named chunker', () => {
  it('has a name of its own and says where it cuts', () => {
    const names = namedChunkers.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual(expect.arrayContaining(['sentence-packed', 'recursive', 'structural', 'content-defined', 'in-context']))
    for (const { name, about } of namedChunkers) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(about.length).toBeGreaterThan(10)
    }
  })

  it.each(namedChunkers.map(({ name, make }) => ({ name, make })))('$name cuts a small text, and all of it', async ({ make }) => {
    const chunker = await make(models())
    const chunks: Chunk[] = []
    for await (const chunk of chunker.chunk(document, { maxTokens: 64, count })) chunks.push(chunk)
    expect(chunks.length).toBeGreaterThan(2)
    let end = 0
    for (const [at, chunk] of chunks.entries()) {
      expect(chunk).toMatchObject({ index: at, text: text.slice(chunk.start, chunk.end), tokens: count(chunk.text) })
      expect(chunk.tokens).toBeLessThanOrEqual(64)
      expect(text.slice(end, chunk.start).trim()).toBe('')
      end = chunk.end
    }
    expect(text.slice(end).trim()).toBe('')
  })

  it('names itself by options and models so that no two share what is cached', async () => {
    const made = await Promise.all(namedChunkers.map(async ({ make }) => (await make(models())).name))
    expect(new Set(made).size).toBe(made.length)
  })

  it.each([
    ['recursive', []],
    ['structural', []],
    ['content-defined', []],
    ['in-context', ['embedder']],
    ['semantic', ['embedder']],
    ['likelihood', ['model']],
  ])('%s asks for the models %j and no other', async (name, wanted) => {
    const asked: string[] = []
    await namedChunkers.find((one) => one.name === name)?.make(models(asked))
    expect(asked).toEqual(wanted)
  })
})
