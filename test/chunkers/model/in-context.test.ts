import { describe, expect, it } from 'vitest'
import { type Chunk, createDocument, inContext } from '../../../chunkers/index.ts'
import { chunkerSuite, scriptedEmbedder } from '../../../testing/index.ts'
import { countWords } from './count-words.ts'

const embedder = scriptedEmbedder()
chunkerSuite('inContext', () => inContext({ embedder }), { describe, it, expect }, { graphemeShare: 0.5 })

const lines = Array.from({ length: 150 }, (_, day) => `On day ${day} sailor${day} mended sail${day} and sang.`)
const document = createDocument({ name: 'log.txt', text: lines.join('\n'), sections: [] })
const cut = async (maxTokens: number, own?: number): Promise<Chunk[]> => {
  const chunks: Chunk[] = []
  for await (const chunk of inContext({ embedder, ...(own === undefined ? {} : { own }) }).chunk(document, {
    maxTokens,
    count: countWords,
  }))
    chunks.push(chunk)
  return chunks
}
const dot = (one: Float32Array, other: Float32Array): number => one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0)

describe('inContext()', () => {
  it('gives sentences, each with the text of as many neighbours as fit', async () => {
    const wide = await cut(1000)
    expect(wide.map(({ text }) => text)).toEqual(lines)
    expect(wide[70]?.context).toBe([...lines.slice(66, 70), ...lines.slice(71, 75)].join(' '))
    expect(wide[0]?.context).toBe(lines.slice(1, 5).join(' '))
    const narrow = await cut(3 * countWords(lines[70]!) + 2)
    expect(narrow[70]?.context).toBe(`${lines[69]} ${lines[71]}`)
  })

  it('leans vectors to the neighbours, across the batches of the embedder too', async () => {
    const [alone, leaning] = [await cut(1000, 1), await cut(1000, 0.5)]
    for (const at of [0, 63, 64, 149]) {
      expect(dot(leaning[at]!.vector!, leaning[at]!.vector!)).toBeCloseTo(1)
      const near = at === 149 ? 148 : at + 1
      expect(dot(leaning[at]!.vector!, alone[near]!.vector!)).toBeGreaterThan(dot(alone[at]!.vector!, alone[near]!.vector!))
    }
    expect(alone[5]?.vector).toEqual((await embedder.embed([lines[5]!]))[0])
  })

  it.each([{ reach: 0 }, { reach: 1.5 }, { own: 0 }, { own: 1.1 }])('refuses %o', (options) => {
    expect(() => inContext({ embedder, ...options })).toThrow(RangeError)
  })
})
