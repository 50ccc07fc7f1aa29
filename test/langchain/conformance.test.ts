import { load } from '@langchain/core/load'
import { ChatOpenAI } from '@langchain/openai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { LocalChatModel } from '../../langchain/index.ts'
import { type LocalModel, openLocalModel } from '../../models/index.ts'
import { langchainChatSuite } from '../../testing/index.ts'
import { talkingModel, type TalkingModel } from './talking-model.ts'
import { toolServer, type ToolServer } from './tool-server.ts'

const runner = { describe, it, expect }

let server: ToolServer
let file: TalkingModel
let engine: LocalModel
const opened: LocalChatModel[] = []

beforeAll(async () => {
  server = await toolServer()
  file = await talkingModel()
  engine = await openLocalModel(file.path) // keeps the worker from ending between two tests
})

afterEach(async () => {
  for (const model of opened.splice(0)) await model.dispose()
})

afterAll(async () => {
  await engine.dispose()
  await server[Symbol.asyncDispose]()
  await file[Symbol.asyncDispose]()
})

langchainChatSuite(
  'ChatOpenAI',
  {
    make: (fields) =>
      new ChatOpenAI({
        model: 'served',
        apiKey: 'none',
        maxRetries: 0,
        temperature: 0,
        configuration: { baseURL: server.baseURL },
        ...fields,
      }),
    revive: (json) => load(json, { importMap: { chat_models__openai: { ChatOpenAI } }, secretsMap: { OPENAI_API_KEY: 'none' } }),
    keepsReason: false,
  },
  runner,
)

langchainChatSuite(
  'LocalChatModel',
  {
    make: (fields) => keep(new LocalChatModel({ model: file.path, maxTokens: 96, ...fields })),
    revive: async (json) => keep(await load<LocalChatModel>(json, { importMap: { chat_models__scriptorium: { LocalChatModel } } })),
  },
  runner,
)

function keep(model: LocalChatModel): LocalChatModel {
  opened.push(model)
  return model
}
