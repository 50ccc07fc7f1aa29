import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ChatModel, Embedder } from '../../models/index.ts'
import { chatModelSuite, embedderSuite, oracleModel, scriptedEmbedder, scriptedModel, type TestRunner } from '../../testing/index.ts'
import { type Behaviour, openAIServer, type OpenAIServer } from './openai-server.ts'

const runner: TestRunner = { describe, it, expect }
const overflow: Behaviour = {
  kind: 'error',
  status: 400,
  error: { message: "This model's maximum context length is 2048 tokens.", code: 'context_length_exceeded', type: 'invalid_request_error' },
}
const captain: Behaviour = {
  kind: 'choose',
  choose: (prompt) => (prompt.length > 8192 ? overflow : { kind: 'answer', text: 'Captain Ahab commands the Pequod.' }),
}

let server: OpenAIServer
let silent: OpenAIServer
beforeAll(async () => {
  server = await openAIServer(captain)
  silent = await openAIServer({ kind: 'hang' })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await silent[Symbol.asyncDispose]()
})

const remote = (baseURL: string): ChatOpenAI => new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: 'test', configuration: { baseURL } })

chatModelSuite('the scripted model', () => ({ model: scriptedModel({ fallback: 'Captain Ahab commands the Pequod.' }) }), runner, {
  makeSilent: () => ({ model: scriptedModel({ fallback: 'late', faults: [{ kind: 'hang', rate: 1 }] }) }),
})
chatModelSuite('the oracle', () => ({ model: oracleModel({ window: 300, maxOutput: 100 }) }), runner)
chatModelSuite('ChatOpenAI', () => ({ model: remote(server.baseURL), overrides: { window: 2048, maxOutput: 256 } }), runner, {
  makeSilent: () => ({ model: remote(silent.baseURL) }),
})

embedderSuite('the scripted embedder', () => scriptedEmbedder(), runner)
embedderSuite(
  'OpenAIEmbeddings',
  () => new OpenAIEmbeddings({ model: 'text-embedding-3-small', apiKey: 'test', configuration: { baseURL: server.baseURL } }),
  runner,
)

describe('the contracts', () => {
  it("are satisfied by LangChain's classes as they are", () => {
    const models = [
      new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: 'test' }) satisfies ChatModel,
      new FakeListChatModel({ responses: ['yes'] }) satisfies ChatModel,
    ]
    const embeddings = new OpenAIEmbeddings({ apiKey: 'test' }) satisfies Embedder
    expect(models.every((model) => typeof model.invoke === 'function' && typeof model.stream === 'function')).toBe(true)
    expect([typeof embeddings.embedDocuments, typeof embeddings.embedQuery]).toEqual(['function', 'function'])
  })
})
