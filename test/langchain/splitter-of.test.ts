import { Document } from '@langchain/core/documents'
import { RunnableLambda } from '@langchain/core/runnables'
import { RecursiveCharacterTextSplitter, type TextSplitter } from '@langchain/textsplitters'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { contextual, parentChild, semantic, sentencePacked, structural, withContext } from '../../chunkers/index.ts'
import { type ChunkerSplitter, ScriptoriumVectorStore, splitterOf } from '../../langchain/index.ts'
import { createMemoryStore } from '../../memory/index.ts'
import { scriptedEmbedder } from '../../testing/index.ts'

const WHALES = 'The whale is white. The whale is old. The whale took a leg.'
const BREAD = 'Bread is baked at dawn. Bread needs an oven. Bread is cut at noon.'
const text = `# Whales\n\n${WHALES}\n\n# Bread\n\n${BREAD}`

const countWords = (part: string): number => part.split(/\s+/).filter((word) => word !== '').length
const limits = { maxTokens: 20, count: countWords }
const source = (): Document => new Document({ pageContent: text, metadata: { source: 'log.md', loc: { pageNumber: 3 } } })

describe('a splitter over a chunker that asks a model', () => {
  const embedder = scriptedEmbedder()
  const splitter = (): ChunkerSplitter => splitterOf(semantic({ embedder }), limits)

  it('cuts texts where the subject changes, within the limit', async () => {
    const before = embedder.embedded
    const chunks = await splitter().splitText(`${WHALES} ${BREAD}`)
    expect(chunks).toEqual([WHALES, BREAD])
    expect(embedder.embedded).toBeGreaterThan(before)
  })

  it('says of each chunk where it lies, and keeps what the document says of itself', async () => {
    const documents = await splitter().splitDocuments([source()])
    expect(documents.length).toBeGreaterThan(1)
    for (const { pageContent, metadata } of documents) {
      expect(text.slice(metadata['start'] as number, metadata['end'] as number)).toBe(pageContent)
      expect(metadata).toMatchObject({ source: 'log.md', tokens: countWords(pageContent), loc: { pageNumber: 3 } })
      expect(countWords(pageContent)).toBeLessThanOrEqual(limits.maxTokens)
    }
    expect(await splitter().transformDocuments([source()])).toEqual(documents)
  })

  it("is a step of a chain, and stops with the chain's signal", async () => {
    const chain = RunnableLambda.from((pageContent: string) => [new Document({ pageContent })])
      .pipe(splitter())
      .pipe((documents: Document[]) => documents.map(({ pageContent }) => pageContent))
    expect(await chain.invoke(`${WHALES} ${BREAD}`)).toEqual([WHALES, BREAD])
    expect(await chain.batch([WHALES, BREAD])).toEqual([[WHALES], [BREAD]])
    const reason = new Error('enough')
    await expect(chain.invoke(text, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const stopping = {
      ...embedder,
      embed: (...given: Parameters<typeof embedder.embed>) => (controller.abort(reason), embedder.embed(...given)),
    }
    const stopped = splitterOf(semantic({ embedder: stopping }), limits)
    await expect(stopped.invoke([source()], { signal: controller.signal })).rejects.toBe(reason)
  })

  it("rejects with the model's error", async () => {
    const failing = { ...embedder, embed: () => Promise.reject(new Error('no embedder')) }
    await expect(splitterOf(semantic({ embedder: failing }), limits).splitText(text)).rejects.toThrow('no embedder')
  })
})

describe('a splitter in front of a vector store', () => {
  const embeddings = scriptedEmbedder()
  const config = (): ConstructorParameters<typeof ScriptoriumVectorStore>[1] => ({
    memory: createMemoryStore({ embedderId: embeddings.id }),
    scope: 'ann',
  })

  it('keeps the context of chunks, which can be read in front of them', async () => {
    const chunks = await splitterOf(contextual(structural()), limits).invoke([source()])
    const store = await ScriptoriumVectorStore.fromDocuments(chunks, embeddings, config())
    const [found] = await store.similaritySearch('Bread is baked at dawn', 1)
    expect(found?.metadata).toMatchObject({ source: 'log.md', sections: ['Bread'], context: expect.stringContaining('Bread') })
    const { context } = found!.metadata as { context: string }
    expect(withContext({ context, text: found?.pageContent ?? '' })).toBe(`${context}\n\n${found?.pageContent}`)
  })

  it('keeps the parent of chunks, which is a span of the document', async () => {
    const chunker = parentChild({ parent: structural(), child: sentencePacked(), times: 4 })
    const chunks = await splitterOf(chunker, { ...limits, maxTokens: 6 }).invoke([source()])
    const store = await ScriptoriumVectorStore.fromDocuments(chunks, embeddings, config())
    const [found] = await store.similaritySearch('The whale is old.', 1)
    expect(found?.pageContent).toBe('The whale is old.')
    const { parent } = found!.metadata as { parent: { start: number; end: number } }
    expect(text.slice(parent.start, parent.end)).toContain(WHALES)
    expect(text.slice(parent.start, parent.end)).not.toContain(BREAD)
  })

  it('has neither where its chunker gives none', async () => {
    const store = await ScriptoriumVectorStore.fromDocuments(
      await splitterOf(sentencePacked(), limits).invoke([source()]),
      embeddings,
      config(),
    )
    const [found] = await store.similaritySearch('Bread', 1)
    expect(found?.metadata).toMatchObject({ source: 'log.md' })
    for (const field of ['context', 'parent']) expect(found?.metadata).not.toHaveProperty(field)
  })
})

describe("a splitter offers what LangChain's TextSplitter does", () => {
  /** Merging is how those splitters work, not what they are for: a chunker has no separators. */
  type Offered = Omit<TextSplitter, 'mergeSplits'>
  const ours: Offered = splitterOf(sentencePacked(), limits)
  const theirs = new RecursiveCharacterTextSplitter({ chunkSize: limits.maxTokens, chunkOverlap: 0, lengthFunction: countWords })

  it('by its type', () => {
    expectTypeOf<ChunkerSplitter>().toExtend<Offered>()
  })

  it('with the same fields', () => {
    const fields = ({ chunkSize, chunkOverlap, keepSeparator }: Offered): object => ({ chunkSize, chunkOverlap, keepSeparator })
    expect(fields(ours)).toEqual(fields(theirs))
    expect(ours.lengthFunction('one two')).toBe(2)
    expect(ours.lc_namespace).toHaveLength(2)
  })

  const short = 'One two three.\nFour five.'
  const cases: [string, (splitter: Offered) => Promise<unknown>][] = [
    ['splitText', (splitter) => splitter.splitText(short)],
    ['createDocuments', async (splitter) => shapeOf(await splitter.createDocuments([short, 'Six.'], [{ page: 1 }, { page: 2 }]))],
    ['createDocuments without metadata', async (splitter) => shapeOf(await splitter.createDocuments([short]))],
    ['createDocuments with a header', async (splitter) => shapeOf(await splitter.createDocuments([short], [], { chunkHeader: 'LOG: ' }))],
    [
      'splitDocuments',
      async (splitter) => shapeOf(await splitter.splitDocuments([new Document({ pageContent: short, metadata: { page: 1 } })])),
    ],
    ['transformDocuments', async (splitter) => shapeOf(await splitter.transformDocuments([new Document({ pageContent: short })]))],
    ['invoke', async (splitter) => shapeOf(await splitter.invoke([new Document({ pageContent: short })]))],
    ['nothing to split', (splitter) => splitter.splitDocuments([])],
  ]
  it.each(cases)('with the same result where a text is one chunk: %s', async (_, split) => {
    expect(await split(ours)).toEqual(await split(theirs))
  })

  it('with headers in front of later chunks where they are asked for', async () => {
    const headers = { chunkHeader: 'LOG: ', appendChunkOverlapHeader: true }
    const cut = splitterOf(sentencePacked(), { ...limits, maxTokens: 4 })
    const contents = (await cut.createDocuments(['One two three. Four five six.'], [], headers)).map(({ pageContent }) => pageContent)
    expect(contents).toEqual(['LOG: One two three.', "LOG: (cont'd) Four five six."])
  })
})

/** What both say of documents; ours say more. */
function shapeOf(documents: readonly Document[]): object[] {
  return documents.map(
    ({ pageContent, metadata: { page, loc } }: { pageContent: string; metadata: { page?: unknown; loc?: unknown } }) => ({
      pageContent,
      page,
      loc,
    }),
  )
}
