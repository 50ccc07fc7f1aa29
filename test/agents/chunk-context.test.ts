import { describe, expect, it } from 'vitest'
import { directReader, extractor, fieldSchema, mapper, mem1Reader, quotingWorker, writingWorker } from '../../agents/index.ts'
import type { Chunk } from '../../chunkers/index.ts'
import { scriptedLikelihoodModel } from '../../testing/index.ts'
import { chunkOf, describedAs, scriptedModel, testContext } from './scripted.ts'

const QUESTION = 'How many hands has the Pequod?'
const ROW = '| Pequod | 44 |'
const CONTEXT = '| Ship | Hands |'
const plain = chunkOf(ROW)
const chunk: Chunk = { ...plain, context: CONTEXT }

const model = scriptedModel(() => `NOTES: 44 [q1].\nSTATE: 44\nQUOTE [q1]: "${CONTEXT}"\nQUOTE [q2]: "${ROW}"`)
const description = describedAs()
const schema = fieldSchema({ type: 'object', properties: { hands: { type: 'string' } } })

const workers = {
  writingWorker: writingWorker(model, { description }),
  mapper: mapper(model, { description }),
  mem1Reader: mem1Reader(model, { description }),
}

describe.each(Object.entries(workers))('%s', (_name, worker) => {
  it('reads the context in front of the text, and quotes the text alone', async () => {
    const input = { chunk, question: QUESTION }
    model.prompts.length = 0
    const output = worker.place(await worker.run(input, testContext()), input)
    expect(model.prompts[0]).toContain(`Text:\n${CONTEXT}\n\n${ROW}`)
    expect(output.quotes.map(({ text }) => text)).toEqual([ROW])
  })

  it('has another key for another context, and the same as before without one', () => {
    const key = (one: Chunk): string => JSON.stringify(worker.key({ chunk: one, question: QUESTION }))
    expect(key(chunk)).not.toBe(key(plain))
    expect(key(plain)).not.toContain('context')
  })

  it('counts the context in its estimate', () => {
    const tokens = (one: Chunk): number => worker.estimate({ chunk: one, question: QUESTION }).inputTokens
    expect(tokens(chunk)).toBe(tokens(plain) + 2 * description.count(CONTEXT))
  })
})

describe('directReader', () => {
  it('reads the context in front of the text, and has a key of its own for it', async () => {
    const agent = directReader(model, { description })
    model.prompts.length = 0
    await agent.run({ chunk, text: ROW, question: QUESTION }, testContext())
    expect(model.prompts[0]).toContain(`Text:\n${CONTEXT}\n\n${ROW}`)
    expect(agent.key({ chunk, text: ROW })).toEqual({ text: ROW, context: CONTEXT, question: null })
  })
})

describe('extractor', () => {
  it('reads the context in front of the text, and has a key of its own for it', async () => {
    const replying = scriptedModel(() => JSON.stringify({ hands: [{ value: '44', quote: ROW }] }))
    const agent = extractor(replying, schema, { description })
    await agent.run({ chunk }, testContext())
    expect(replying.prompts[0]).toContain(`${CONTEXT}\n\n${ROW}`)
    expect(agent.key({ chunk })).toMatchObject({ text: ROW, context: CONTEXT })
  })
})

describe('quotingWorker', () => {
  it('takes the context for the title above the passages, as far as it has room', () => {
    const worker = quotingWorker(scriptedLikelihoodModel())
    expect(worker.key({ chunk, question: QUESTION })).toMatchObject({ title: CONTEXT })
    const long = { ...chunk, context: 'word '.repeat(500) }
    expect((worker.key({ chunk: long, question: QUESTION }) as { title: string }).title.length).toBeLessThan(600)
  })
})
