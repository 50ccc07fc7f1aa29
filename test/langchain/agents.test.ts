import { tool } from '@langchain/core/tools'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { MessagesAnnotation, StateGraph } from '@langchain/langgraph'
import { ToolNode, toolsCondition } from '@langchain/langgraph/prebuilt'
import { ChatOpenAI } from '@langchain/openai'
import { createAgent } from 'langchain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { LocalChatModel } from '../../langchain/index.ts'
import { scriptedLocal } from './scripted-local.ts'
import { toolServer, type ToolServer } from './tool-server.ts'

const findSailor = tool(({ rank }) => `The ${rank} is Ahab`, {
  name: 'find_sailor',
  description: 'Finds a sailor by rank',
  schema: z.object({ rank: z.enum(['captain', 'mate']) }),
})

let server: ToolServer

beforeAll(async () => {
  server = await toolServer()
})

afterAll(() => server[Symbol.asyncDispose]())

const callThenWords = ['{"name": "find_sailor"', '{"name": "find_sailor", "arguments": {"rank": "captain"}}', 'The captain is Ahab.']

const models: [string, (replies?: readonly string[]) => BaseChatModel][] = [
  ['ChatOpenAI', () => new ChatOpenAI({ model: 'served', apiKey: 'none', maxRetries: 0, configuration: { baseURL: server.baseURL } })],
  ['LocalChatModel', (replies = callThenWords) => new LocalChatModel({ model: scriptedLocal(...replies).model })],
]

describe.each(models)('%s', (_name, make) => {
  it('works in an agent: it calls a tool, reads the result and answers', async () => {
    const agent = createAgent({ model: make(), tools: [findSailor], systemPrompt: 'You know the crew.' })
    const { messages } = await agent.invoke({ messages: [{ role: 'user', content: 'Who is the captain?' }] })
    expect(messages.map((message) => message.getType())).toEqual(['human', 'ai', 'tool', 'ai'])
    expect([messages[2]?.text, (messages[3]?.text.length ?? 0) > 0]).toEqual(['The captain is Ahab', true])
  })

  it('gives an agent its answer in a form', async () => {
    const replies = ['{"name":"find_sailor","arguments":{"rank":"captain"}}', '{"sailor":"Ahab"}']
    const agent = createAgent({ model: make(replies), tools: [findSailor], responseFormat: z.object({ sailor: z.string() }) })
    const { structuredResponse } = await agent.invoke({ messages: [{ role: 'user', content: 'Who is the captain?' }] })
    expect(structuredResponse).toEqual({ sailor: 'Ahab' })
  })

  it('works in a graph, and streams from it', async () => {
    const model = make().bindTools?.([findSailor])
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('model', async ({ messages }) => ({ messages: [await model?.invoke(messages)] }))
      .addNode('tools', new ToolNode([findSailor]))
      .addEdge('__start__', 'model')
      .addConditionalEdges('model', toolsCondition)
      .addEdge('tools', 'model')
      .compile()
    const said: string[] = []
    for await (const [message] of await graph.stream({ messages: [{ role: 'user', content: 'Who?' }] }, { streamMode: 'messages' })) {
      if (message.getType() === 'ai' && message.text !== '') said.push(message.text)
    }
    expect(said.length).toBeGreaterThan(1)
  })
})
