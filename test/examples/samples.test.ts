/** What an app developer writes first, as the README has it: each form must compile and run as it stands. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ChatOpenAI } from '@langchain/openai'
import { createAgent } from 'langchain'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { quotingWorker } from '../../agents/index.ts'
import { defineChunker } from '../../chunkers/index.ts'
import { ask, defineStrategy, openLocalModel, openMemory, plan } from '../../index.ts'
import { scmMiddleware } from '../../langchain/index.ts'
import { chainOfAgents, homer, sqliteJournal } from '../../workflows/index.ts'
import { said, ScriptedChat } from '../langchain/scripted-chat.ts'
import { openAIServer } from '../models/openai-server.ts'

const weights = fileURLToPath(new URL('../../weights/models/smollm2-135m-instruct/model.gguf', import.meta.url))
const text = [
  'The Rachel sailed in search of her missing children.',
  'The Delight buried one of five stout men that night.',
  'The Bachelor was full to the hatches with sperm oil and turned home for Nantucket.',
  'The Jeroboam carried a prophet who warned of the white whale.',
].join('\n')
const question = 'Which ship was full of oil?'
const answer = 'The Bachelor was full to the hatches with sperm oil and turned home for Nantucket.'

let folder: string
let file: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'samples-'))
  file = join(folder, 'ships.txt')
  await writeFile(file, text)
})
afterAll(() => rm(folder, { recursive: true }))
afterEach(() => {
  vi.unstubAllEnvs()
})

it('asks a file, with nothing but its path and a question', { timeout: 120_000 }, async () => {
  const run = ask(file, question)
  let written = ''
  for await (const event of run) if (event.type === 'answer.delta') written += event.text
  const { text: final, citations } = await run.result
  expect(citations[0]?.quote).toContain(answer)
  expect(written).toBe(final)
})

it('runs a chain with two paid models, priced first, capped, resumable', async () => {
  await using server = await openAIServer({
    kind: 'choose',
    choose: (prompt) => ({
      kind: 'answer',
      text: prompt.includes('NOTES:') ? `NOTES: It is full [q1].\nQUOTE: "${answer}"` : 'The Bachelor [q1].',
    }),
  })
  vi.stubEnv('OPENAI_API_KEY', 'test')
  vi.stubEnv('OPENAI_BASE_URL', server.baseURL)
  const { signal } = new AbortController()
  const strategy = chainOfAgents({
    worker: new ChatOpenAI({ model: 'gpt-4o-mini' }),
    manager: new ChatOpenAI({ model: 'gpt-4o' }),
    paths: 'both',
  })
  await using journal = sqliteJournal(join(folder, 'runs.db'))
  const options = { strategy, journal, limits: { usd: 0.5 }, signal }
  const { calls, usd } = await plan(file, question, options)
  expect(server.requests).toHaveLength(0)
  const result = await ask(file, question, options).result
  expect(result).toMatchObject({ status: 'answered', citations: [{ quote: answer }] })
  expect(result.usage.calls).toBeLessThanOrEqual(calls)
  expect(result.usage.usd).toBeLessThanOrEqual(usd ?? 0)
  const again = await ask(file, question, { ...options, resume: result.runId }).result
  expect([again.usage.calls, again.text]).toEqual([0, result.text])
})

it('gives a long memory to an agent of LangChain', async () => {
  await using memory = await openMemory(join(folder, 'chat.db'))
  const model = new ScriptedChat((messages) => (said(messages).some((line) => line.includes('Bachelor')) ? 'The Bachelor.' : 'Noted.'))
  const agent = createAgent({ model, tools: [], middleware: [scmMiddleware({ memory, budget: 4_000 })] })
  const call = { context: { scope: { user: 'ada', thread: 't1' } } }
  const user = (content: string) => ({ messages: [{ role: 'user' as const, content }] })
  await agent.invoke(user(answer), call)
  const { messages } = await agent.invoke(user(question), call)
  expect(messages.at(-1)?.text).toBe('The Bachelor.')
  // @ts-expect-error -- no scope: refused by the compiler, and when it runs
  await expect(agent.invoke(user(question), { context: {} })).rejects.toThrow(/has no scope/)
})

it('merges a text inside of a local model, on the device that there is', { timeout: 120_000 }, async () => {
  await using model = await openLocalModel(weights, { device: 'auto' })
  const { citations } = await ask(file, question, { strategy: homer({ model, keep: 2_048 }) }).result
  expect(citations[0]?.quote).toContain(answer)
})

it("takes a chunker and a strategy of one's own", { timeout: 120_000 }, async () => {
  await using model = await openLocalModel()
  const byVerse = defineChunker({
    name: 'verse',
    version: 1,
    *cut(verses) {
      for (const match of verses.matchAll(/^.+$/gm)) yield [match.index, match.index + match[0].length]
    },
  })
  const firstHit = defineStrategy({
    name: 'first-hit',
    version: 1,
    async run({ chunks, question: asked = '', step }) {
      for await (const chunk of chunks) {
        const note = await step(quotingWorker(model), { chunk, question: asked })
        if (note.found) return { text: note.text, quotes: note.quotes }
      }
      return { status: 'not-found' }
    },
  })
  const { status, citations, coverage } = await ask(file, question, { strategy: firstHit, chunker: byVerse }).result
  expect([status, citations[0]?.quote, coverage.total]).toEqual(['answered', answer, 4])
})
