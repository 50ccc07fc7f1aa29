import { Document } from '@langchain/core/documents'
import { StringOutputParser } from '@langchain/core/output_parsers'
import { ChatPromptTemplate } from '@langchain/core/prompts'
import { RunnableLambda, RunnablePassthrough, RunnableSequence } from '@langchain/core/runnables'
import { tool } from '@langchain/core/tools'
import { createAgent } from 'langchain'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { LocalChatModel, MemoryRetriever, ScriptoriumVectorStore, type VectorStoreConfig } from '../../langchain/index.ts'
import { createMemoryStore, FACTS_DOCUMENT, type MemoryStore } from '../../memory/index.ts'
import { scriptedEmbedder } from '../../testing/index.ts'
import { scriptedLocal } from './scripted-local.ts'

const embeddings = scriptedEmbedder()
const texts = ['Ahab hunts the white whale', 'Ishmael sails with Ahab', 'The whale is white', 'Bread is baked in an oven']
const metadatas = [{ chapter: 1 }, { chapter: 1, by: 'Ishmael' }, { chapter: 2 }, { chapter: 3, loc: { lines: { from: 1, to: 2 } } }]

let memory: MemoryStore

beforeEach(() => {
  memory = createMemoryStore({ embedderId: embeddings.id })
})

const fill = (config: Partial<VectorStoreConfig> = {}): Promise<ScriptoriumVectorStore> =>
  ScriptoriumVectorStore.fromTexts(texts, metadatas, embeddings, { memory, scope: 'ann', ...config })
const contents = (documents: readonly { pageContent: string }[]): string[] => documents.map(({ pageContent }) => pageContent)

describe('ScriptoriumVectorStore', () => {
  it('finds by likeness, with ids, metadata and cosine similarities', async () => {
    const store = await fill()
    const found = await store.similaritySearchWithScore('The whale is white', 2)
    expect(found[0]?.[1]).toBeCloseTo(1)
    expect(found[0]?.[0]).toMatchObject({ pageContent: 'The whale is white', metadata: { chapter: 2 } })
    expect(typeof found[0]?.[0].id).toBe('string')
    expect(found[1]?.[1]).toBeLessThan(1)
    expect(contents(await store.similaritySearch('Bread is baked in an oven', 1))).toEqual(['Bread is baked in an oven'])
    const [bread] = await store.similaritySearch('Bread is baked in an oven', 1)
    expect(bread?.metadata).toEqual(metadatas[3])
  })

  it('gives a text that is added again under its id in place of the old one', async () => {
    const store = new ScriptoriumVectorStore(embeddings, { memory, scope: 'ann' })
    const ids = await store.addDocuments([new Document({ pageContent: 'one', id: 'a' }), new Document({ pageContent: 'two' })], {
      ids: [undefined, 'b'],
    })
    expect(ids).toEqual(['a', 'b'])
    await store.addDocuments([new Document({ pageContent: 'three', id: 'a' })])
    expect(await memory.list('ann', 'langchain')).toMatchObject([
      { id: 'a', index: 0, text: 'three', kind: 'passage' },
      { id: 'b', index: 1, text: 'two' },
    ])
  })

  it('adds to the document that metadata name', async () => {
    const store = await ScriptoriumVectorStore.fromDocuments(
      [
        new Document({ pageContent: 'call me', metadata: { documentId: 'moby' } }),
        new Document({ pageContent: 'Ishmael', metadata: { documentId: 'moby' } }),
      ],
      embeddings,
      { memory, scope: 'ann' },
    )
    expect((await memory.list('ann', 'moby')).map(({ index }) => index)).toEqual([0, 1])
    expect(contents(await store.similaritySearch('Ishmael', 4, { documentIds: ['other'] }))).toEqual([])
  })

  it.each([
    [{ metadata: { chapter: 1 } }, 2],
    [{ metadata: { chapter: 1, by: 'Ishmael' } }, 1],
    [{ metadata: { chapter: 9 } }, 0],
    [{ documentIds: ['langchain'] }, 4],
    [{ kinds: ['fact' as const] }, 0],
  ])('filters inside the search by %j', async (filter, count) => {
    const store = await fill()
    expect(await store.similaritySearch('whale', 4, filter)).toHaveLength(count)
    expect(await store.maxMarginalRelevanceSearch('whale', { k: 4, filter })).toHaveLength(count)
  })

  it('refuses a filter that it does not know, and another scope', async () => {
    const store = await fill()
    await expect(store.similaritySearch('whale', 1, { chapter: 1 } as object)).rejects.toThrow(/unknown field: chapter/)
    await expect(store.similaritySearch('whale', 1, { scope: 'bob' } as object)).rejects.toThrow(/scope/)
    await expect(store.delete({ filter: { scope: 'bob' } as object })).rejects.toThrow(TypeError)
  })

  it('finds by words, too, where it is hybrid', async () => {
    const rare = 'Zanzibar'
    const store = await fill({ hybrid: true })
    await store.addVectors([await embeddings.embedQuery('bread oven baked')], [new Document({ pageContent: `A town named ${rare}` })])
    const [best] = await store.similaritySearchWithScore(rare, 1)
    expect(best?.[0].pageContent).toContain(rare)
    expect(best?.[1]).toBeLessThanOrEqual(1)
  })

  it('chooses what is unlike', async () => {
    const store = await ScriptoriumVectorStore.fromTexts(['red cat', 'red cat sat', 'red dog ran home'], {}, embeddings, {
      memory,
      scope: 'ann',
    })
    expect(contents(await store.maxMarginalRelevanceSearch('red cat', { k: 2, lambda: 1 }))).toEqual(['red cat', 'red cat sat'])
    expect(contents(await store.maxMarginalRelevanceSearch('red cat', { k: 2, lambda: 0.3 }))).toEqual(['red cat', 'red dog ran home'])
    expect(contents(await store.asRetriever({ searchType: 'mmr', k: 1 }).invoke('red cat'))).toEqual(['red cat'])
  })

  it('deletes by id and by filter, and nothing without either', async () => {
    const store = await fill()
    const [first] = await memory.list('ann', 'langchain')
    await store.delete({ ids: [first?.id ?? ''] })
    expect(await memory.count('ann')).toBe(3)
    await store.delete({ filter: { metadata: { chapter: 2 } } })
    expect((await memory.list('ann', 'langchain')).map(({ text }) => text)).toEqual([texts[1], texts[3]])
    await expect(store.delete({})).rejects.toThrow(TypeError)
    await expect(store.delete({ filter: {} })).rejects.toThrow(TypeError)
    expect(await memory.count('ann')).toBe(2)
  })

  it('keeps to its scope and its own filter', async () => {
    await fill()
    const bob = await ScriptoriumVectorStore.fromExistingIndex(embeddings, { memory, scope: 'bob' })
    expect(await bob.similaritySearch('whale', 4)).toEqual([])
    const ids = (await memory.list('ann', 'langchain')).map(({ id }) => id)
    await bob.delete({ ids })
    const narrow = await ScriptoriumVectorStore.fromExistingIndex(embeddings, {
      memory,
      scope: 'ann',
      filter: { metadata: { chapter: 1 } },
    })
    expect(await narrow.similaritySearch('whale', 4, { metadata: { chapter: 2 } })).toHaveLength(2)
    await narrow.delete({ ids })
    await narrow.delete({ filter: { documentIds: ['langchain'] } })
    expect((await memory.list('ann', 'langchain')).map(({ text }) => text)).toEqual(texts.slice(2))
  })

  it('refuses vectors of another model, of another length, or of no known model', async () => {
    await fill()
    const other = scriptedEmbedder({ id: 'other' })
    expect(() => new ScriptoriumVectorStore(other, { memory, scope: 'ann' })).toThrow(
      /scripted-embedder-64.*other|other.*scripted-embedder-64/,
    )
    const nameless = { embedQuery: other.embedQuery, embedDocuments: other.embedDocuments }
    expect(() => new ScriptoriumVectorStore(nameless, { memory, scope: 'ann' })).toThrow(/Pass embedderId/)
    const store = new ScriptoriumVectorStore(nameless, { memory, scope: 'ann', embedderId: embeddings.id })
    await expect(store.addVectors([[1, 0]], [new Document({ pageContent: 'short' })])).rejects.toMatchObject({ reason: 'mismatch' })
    await expect(store.addVectors([Array.from({ length: 64 }, () => Number.NaN)], [new Document({ pageContent: 'none' })])).rejects.toThrow(
      RangeError,
    )
    await expect(store.addVectors([], [new Document({ pageContent: 'none' })])).rejects.toThrow(RangeError)
    expect(await memory.count('ann')).toBe(4)
  })
})

describe('MemoryRetriever', () => {
  beforeEach(async () => {
    await memory.append('ann', 'chat', [
      { id: 't0', role: 'user', text: 'I keep a whale in the bath', createdAt: 5 },
      { id: 't1', role: 'assistant', text: 'That is a big bath', createdAt: 6 },
      { id: 't2', role: 'user', text: 'Its name is Mocha', createdAt: 7, expiresAt: 100 },
    ])
    await memory.append('ann', FACTS_DOCUMENT, [{ id: 'f0', kind: 'fact', text: 'The user has a whale', sources: ['t0'] }])
  })

  const retriever = (fields: object = {}): MemoryRetriever => new MemoryRetriever({ memory, scope: 'ann', now: () => 50, ...fields })

  it('gives turns and facts with their scores and where they come from', async () => {
    const [turn] = await retriever({ filter: { kinds: ['turn'] }, k: 1 }).invoke('whale')
    expect(turn).toMatchObject({ id: 't0', metadata: { kind: 'turn', role: 'user', documentId: 'chat', createdAt: 5 } })
    expect(turn?.metadata['score']).toBeGreaterThan(0)
    expect(turn?.metadata['words']).toBeGreaterThan(0)
    expect(turn?.metadata).not.toHaveProperty('similarity')
  })

  it('keeps to scope, filter, least score and time', async () => {
    expect(await new MemoryRetriever({ memory, scope: 'bob' }).invoke('whale')).toEqual([])
    expect(await retriever({ filter: { roles: ['assistant'] } }).invoke('bath')).toHaveLength(1)
    expect(await retriever({ minScore: 2 }).invoke('whale')).toEqual([])
    expect(await retriever().invoke('Mocha')).toHaveLength(1)
    expect(await retriever({ now: () => 100 }).invoke('Mocha')).toEqual([])
  })

  it('counts recalls when it is told to, and adds what was recalled together', async () => {
    await memory.touch('ann', ['t0', 't1'], 1)
    const found = await retriever({ filter: { kinds: ['turn'] }, k: 1, touch: true, coRecall: {} }).invoke('whale')
    expect(found.map(({ id }) => id)).toEqual(['t0', 't1'])
    expect(await memory.use('ann', 't1')).toEqual({ accesses: 2, accessedAt: 50 })
    expect(await retriever({ filter: { roles: ['user'] }, k: 1, coRecall: {} }).invoke('whale')).toHaveLength(1)
  })

  it('tells callbacks, and stops at a signal', async () => {
    const seen: string[] = []
    const callbacks = [
      {
        handleRetrieverStart: (_: unknown, query: string) => void seen.push(query),
        handleRetrieverEnd: (documents: unknown[]) => void seen.push(`${documents.length}`),
      },
    ]
    await retriever({ k: 1 }).invoke('whale', { callbacks })
    expect(seen).toEqual(['whale', '1'])
    const stopped = AbortSignal.abort(new Error('enough'))
    await expect(retriever().invoke('whale', { signal: stopped })).rejects.toThrow('enough')
    const abort = new AbortController()
    const slow = {
      id: embeddings.id,
      embedDocuments: embeddings.embedDocuments,
      embedQuery: (text: string) => (abort.abort(new Error('late')), embeddings.embedQuery(text)),
    }
    await expect(retriever({ embeddings: slow }).invoke('whale', { signal: abort.signal })).rejects.toThrow('late')
  })

  it('refuses embeddings of another model and an empty scope', () => {
    expect(() => retriever({ embeddings: scriptedEmbedder({ id: 'other' }) })).toThrow(/other/)
    expect(() => retriever({ scope: '' })).toThrow(TypeError)
    expect(() => retriever({ filter: { scope: 'bob' } })).toThrow(TypeError)
  })

  it('feeds a chain', async () => {
    const prompt = ChatPromptTemplate.fromTemplate('{context}\nQuestion: {question}')
    const model = RunnableLambda.from((value: { toString(): string }) => value.toString())
    const context = retriever({ filter: { kinds: ['fact'] } }).pipe((documents: { pageContent: string }[]) =>
      contents(documents).join('\n'),
    )
    const chain = RunnableSequence.from([{ context, question: new RunnablePassthrough() }, prompt, model, new StringOutputParser()])
    expect(await chain.invoke('whale?')).toContain('The user has a whale\nQuestion: whale?')
  })

  it('answers an agent that calls it as a tool', async () => {
    const found = retriever({ filter: { kinds: ['fact'] } })
    const recall = tool(async ({ query }) => contents(await found.invoke(query)).join('\n'), {
      name: 'recall',
      description: 'Recalls what is known of the user',
      schema: z.object({ query: z.string() }),
    })
    const replies = ['{"name": "recall"', '{"name": "recall", "arguments": {"query": "whale"}}', 'You have a whale.']
    const agent = createAgent({ model: new LocalChatModel({ model: scriptedLocal(...replies).model }), tools: [recall] })
    const { messages } = await agent.invoke({ messages: [{ role: 'user', content: 'What do I have?' }] })
    expect(messages.map((message) => message.text).slice(2)).toEqual(['The user has a whale', 'You have a whale.'])
  })
})
