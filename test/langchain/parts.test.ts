import { Document } from '@langchain/core/documents'
import { RunnableLambda } from '@langchain/core/runnables'
import { describe, expect, it } from 'vitest'
import { asRunnable, LocalEmbeddings, splitterOf } from '../../langchain/index.ts'
import { sentencePacked } from '../../chunkers/index.ts'
import type { LocalEmbedder } from '../../models/index.ts'
import { embedderSuite, scriptedEmbedder, scriptedModel } from '../../testing/index.ts'
import { stuff } from '../../workflows/index.ts'

const text = 'Call me Ishmael. The whale is white. Ahab has a leg of ivory. Queequeg carries a small idol.'

describe('a strategy as a step of LangChain', () => {
  const strategy = (): ReturnType<typeof stuff> => stuff({ model: scriptedModel({ fallback: 'Ahab' }) })
  const source = new Document({ pageContent: text, metadata: { source: 'moby.txt' } })

  it('reads documents of LangChain and gives an answer, in a chain', async () => {
    const chain = asRunnable(strategy()).pipe(RunnableLambda.from(({ status, text: said }) => `${status}: ${said}`))
    expect(await chain.invoke({ source, question: 'Who has a leg of ivory?' })).toBe('answered: Ahab')
    expect(await chain.batch([{ source: [source], question: 'Who?' }])).toEqual(['answered: Ahab'])
  })

  it('tells its events to streamEvents and to callbacks', async () => {
    const events: string[] = []
    for await (const { event, name } of asRunnable(strategy()).streamEvents({ source, question: 'Who?' }, { version: 'v2' })) {
      if (event === 'on_custom_event') events.push(name)
    }
    expect([events[0], events.at(-1)]).toEqual(['run.started', 'run.finished'])
    expect(events).toContain('answer.delta')
    const heard: string[] = []
    const callbacks = [
      {
        handleChainStart: () => void heard.push('start'),
        handleChainEnd: () => void heard.push('end'),
        handleCustomEvent: (name: string) => void heard.push(name),
      },
    ]
    await asRunnable(strategy()).invoke({ source, question: 'Who?' }, { callbacks })
    expect([heard[0], heard[1], heard.at(-1)]).toEqual(['start', 'run.started', 'end'])
  })

  it("rejects with the signal's reason", async () => {
    const reason = new Error('enough')
    const runnable = asRunnable(strategy())
    await expect(runnable.invoke({ source, question: 'Who?' }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const callbacks = [{ handleCustomEvent: (name: string) => void (name === 'answer.started' && controller.abort(reason)) }]
    await expect(runnable.invoke({ source, question: 'Who?' }, { signal: controller.signal, callbacks })).rejects.toBe(reason)
  })
})

describe('a chunker as a splitter of LangChain', () => {
  const splitter = splitterOf(sentencePacked(), { maxTokens: 12, count: (part) => part.split(/\s+/).length })

  it('cuts texts into chunks that fit', async () => {
    const chunks = await splitter.splitText(text)
    expect(chunks.length).toBeGreaterThan(1)
    expect(chunks.join(' ')).toBe(text)
  })

  it('keeps the metadata of documents and says where a chunk lies', async () => {
    const [first, ...rest] = await splitter.invoke([new Document({ pageContent: text, metadata: { source: 'moby.txt' } })])
    expect(first?.metadata).toMatchObject({ source: 'moby.txt', start: 0, loc: { lines: { from: 1, to: 1 } } })
    for (const { pageContent, metadata } of rest) expect(text.slice(metadata['start'], metadata['end'])).toBe(pageContent)
    const made = await splitter.createDocuments([text], [{ page: 3 }])
    expect(made.map(({ metadata }) => metadata['page'])).toEqual(made.map(() => 3))
  })
})

const local = { ...scriptedEmbedder({ dimensions: 16 }) }
embedderSuite('LocalEmbeddings', () => new LocalEmbeddings({ embedder: local as unknown as LocalEmbedder }), { describe, it, expect })
