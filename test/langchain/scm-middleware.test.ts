import { type BaseMessage, HumanMessage, RemoveMessage, SystemMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { MemorySaver, REMOVE_ALL_MESSAGES } from '@langchain/langgraph'
import { createAgent, toolStrategy } from 'langchain'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { scmMiddleware, type ScmMiddlewareOptions } from '../../langchain/index.ts'
import { turnSummary } from '../../agents/index.ts'
import { createMemoryStore, type MemoryStore } from '../../memory/index.ts'
import { scriptedEmbedder, scriptedModel } from '../../testing/index.ts'
import type { MemoryController, Selection } from '../../workflows/index.ts'
import { said, ScriptedChat, type Script } from './scripted-chat.ts'

const context = { scope: { user: 'ada', thread: 'voyage' } }
const count = (text: string): number => Math.ceil(text.length / 4)
const user = (content: string) => ({ messages: [{ role: 'user' as const, content }] })

const crew = tool(({ rank }) => (rank === 'ghost' ? 'nobody' : `The ${rank} is Ahab`), {
  name: 'crew',
  description: 'finds sailors',
  schema: z.object({ rank: z.string() }),
})

interface Setting extends Partial<ScmMiddlewareOptions> {
  readonly saver?: MemorySaver
  readonly memory?: MemoryStore
}

function agentOf(script: Script, { saver, memory = createMemoryStore(), budget = 200, ...options }: Setting = {}) {
  const model = new ScriptedChat(script)
  const middleware = [scmMiddleware({ memory, budget, count, ...options })] as const
  const agent = createAgent({ model, tools: [crew], middleware, ...(saver && { checkpointer: saver }) })
  return { agent, model, memory }
}

const stored = async (memory: MemoryStore): Promise<string[]> =>
  (await memory.list('ada', 'voyage')).map(({ role, text }) => `${role}: ${text}`)
const memoryIn = (messages: readonly BaseMessage[] | undefined): string =>
  said(messages).find((line) => line.includes('Earlier in this conversation')) ?? ''

describe('scmMiddleware()', () => {
  it('stores what is said, and nothing that it brought back', async () => {
    const { agent, model, memory } = agentOf(() => 'Aye.', { saver: new MemorySaver() })
    const config = { configurable: { thread_id: '1' }, context }
    await agent.invoke(user('My boat is called Pequod.'), config)
    await agent.invoke(user('What is my boat called?'), config)
    await agent.invoke(user('And again, what is my boat called?'), config)
    expect(memoryIn(model.prompts[2])).toContain('My boat is called Pequod.')
    expect(await stored(memory)).toEqual([
      'user: My boat is called Pequod.',
      'assistant: Aye.',
      'user: What is my boat called?',
      'assistant: Aye.',
      'user: And again, what is my boat called?',
      'assistant: Aye.',
    ])
  })

  it('keeps the prompt of 300 turns within its budget, answers from the first one, and leaves the state whole', async () => {
    const facts = (at: number): string => `Berth ${at} belongs to sailor ${(at * 7919) % 1000}, who came aboard in Nantucket.`
    const { agent, model } = agentOf((messages) => (memoryIn(messages).includes(facts(3)) ? 'It is the third.' : 'Noted.'), {
      saver: new MemorySaver(),
      budget: 300,
    })
    const config = { configurable: { thread_id: '1' }, context, durability: 'exit' as const }
    for (let at = 0; at < 300; at++) await agent.invoke(user(facts(at)), config)
    const { messages } = await agent.invoke(user('Whose is berth 3?'), config)
    expect(messages.at(-1)?.text).toBe('It is the third.')
    expect(messages).toHaveLength(602)
    expect(Math.max(...model.prompts.map((prompt) => count(memoryIn(prompt))))).toBeLessThanOrEqual(300 + 2)
    expect(Math.max(...model.prompts.map(({ length }) => length))).toBe(2)
  }, 240_000)

  it('never parts calls of tools from their results, and never leaves out the newest message', async () => {
    const calls = [
      { name: 'crew', args: { rank: 'captain' }, id: 'a' },
      { name: 'crew', args: { rank: 'mate' }, id: 'b' },
    ]
    const { agent, model, memory } = agentOf(
      (messages) => (messages.at(-1)?.getType() === 'human' ? { text: 'I look.', calls } : 'Both are Ahab.'),
      {
        budget: 0,
      },
    )
    await agent.invoke(user('Hello'), { context })
    await agent.invoke(user('Who are they?'), { context })
    expect(said(model.prompts.at(-1))).toEqual([
      'human: Who are they?',
      'ai: I look.',
      'tool: The captain is Ahab',
      'tool: The mate is Ahab',
    ])
    expect((await stored(memory)).slice(-5)).toEqual([
      'user: Who are they?',
      'assistant: I look.',
      'tool: {"name":"crew","arguments":{"rank":"captain"}}\nResult of the tool crew:\nThe captain is Ahab',
      'tool: {"name":"crew","arguments":{"rank":"mate"}}\nResult of the tool crew:\nThe mate is Ahab',
      'assistant: Both are Ahab.',
    ])
  })

  it('selects once for all calls of an exchange', async () => {
    const selections: Selection[] = []
    const script: Script = (messages, number) =>
      number < 4 ? { calls: [{ name: 'crew', args: { rank: 'mate' }, id: `c${number}` }] } : `said ${messages.length}`
    const { agent } = agentOf(script, { onSelection: (selection) => selections.push(selection) })
    await agent.invoke(user('Who?'), { context })
    expect(selections).toHaveLength(1)
  })

  it('streams the words of the model', async () => {
    const { agent, memory } = agentOf(() => 'The captain is Ahab of Nantucket.')
    const parts: string[] = []
    for await (const [message] of await agent.stream(user('Who?'), { context, streamMode: 'messages' })) parts.push(message.text)
    expect(parts.filter((part) => part !== '').length).toBeGreaterThan(3)
    expect(await stored(memory)).toEqual(['user: Who?', 'assistant: The captain is Ahab of Nantucket.'])
  })

  it('works with structured output', async () => {
    const Sailor = z.object({ name: z.string() })
    const memory = createMemoryStore()
    const model = new ScriptedChat(() => ({ calls: [{ name: 'sailor', args: { name: 'Ahab' }, id: 'x' }] }))
    const responseFormat = toolStrategy({ title: 'sailor', type: 'object', properties: { name: { type: 'string' } }, required: ['name'] })
    const agent = createAgent({ model, tools: [crew], responseFormat, middleware: [scmMiddleware({ memory, budget: 100, count })] })
    const { structuredResponse } = await agent.invoke(user('Who?'), { context })
    expect(Sailor.parse(structuredResponse)).toEqual({ name: 'Ahab' })
    expect((await stored(memory))[0]).toBe('user: Who?')
    expect((await stored(memory))[1]).toContain('"Ahab"')
  })

  it('goes on from a checkpoint after a failure, without a turn twice', async () => {
    const saver = new MemorySaver()
    const memory = createMemoryStore()
    const config = { configurable: { thread_id: '1' }, context }
    let fails = true
    const script: Script = (messages) => {
      if (messages.at(-1)?.getType() === 'human') return { calls: [{ name: 'crew', args: { rank: 'mate' }, id: 'a' }] }
      if (fails) throw new Error('the line broke')
      return 'It is Ahab.'
    }
    await expect(agentOf(script, { saver, memory }).agent.invoke(user('Who is mate?'), config)).rejects.toThrow('the line broke')
    fails = false
    // Another process: nothing is left but the checkpointer and the store.
    await agentOf(script, { saver, memory }).agent.invoke(null, config)
    expect((await stored(memory)).map((line) => line.split('\n').at(-1))).toEqual([
      'user: Who is mate?',
      'The mate is Ahab',
      'assistant: It is Ahab.',
    ])
  })

  it('knows turns again where the whole conversation is sent with each call', async () => {
    const { agent, memory } = agentOf((_, number) => `Reply ${number}`)
    const messages = [{ role: 'user' as const, content: 'yes' }]
    await agent.invoke({ messages }, { context })
    const longer = [...messages, { role: 'assistant' as const, content: 'Reply 1' }, { role: 'user' as const, content: 'yes' }]
    await agent.invoke({ messages: longer }, { context })
    expect(await stored(memory)).toEqual(['user: yes', 'assistant: Reply 1', 'user: yes', 'assistant: Reply 2'])
  })

  it('embeds turns where it can, and stores them where that fails', async () => {
    const embedder = scriptedEmbedder()
    const memory = createMemoryStore({ embedderId: embedder.id, dimensions: embedder.dimensions })
    await agentOf(() => 'Aye.', { memory, embedder }).agent.invoke(user('Hello'), { context })
    expect((await memory.list('ada', 'voyage')).every(({ vector }) => vector !== undefined)).toBe(true)
    const failing = { ...embedder, embed: () => Promise.reject(new Error('no model')) }
    const controller = (): MemoryController => ({ name: 'none', select: async () => ({ items: [], tokens: 0, calls: 0 }) })
    await agentOf(() => 'Aye.', { memory, embedder: failing, controller }).agent.invoke(user('Hello again'), { context })
    expect(await stored(memory)).toHaveLength(4)
  })

  it('brings back the summary of a long turn where the whole does not fit', async () => {
    const long = `I sailed for years. ${'We hunted whales in every sea and lost boats and men. '.repeat(40)}`
    const writer = scriptedModel({ fallback: 'Sailed for years and hunted whales.' })
    const { agent, model } = agentOf(() => 'Aye.', { summary: turnSummary(writer), budget: 120 })
    await agent.invoke(user(long), { context })
    await agent.invoke(user('How long did I sail?'), { context })
    expect(memoryIn(model.prompts[1])).toContain('User: Sailed for years and hunted whales.')
  })

  it('keeps instructions that stand among the messages', async () => {
    const { agent, model } = agentOf(() => 'Aye.', { saver: new MemorySaver() })
    const config = { configurable: { thread_id: '1' }, context }
    await agent.invoke({ messages: [new SystemMessage('Be brief.'), new HumanMessage('Hello')] }, config)
    await agent.invoke(user('And now?'), config)
    expect(model.prompts.map((prompt) => said(prompt)[0])).toEqual(['system: Be brief.', 'system: Be brief.'])
  })

  it('answers a message that was edited, and remembers what it said before', async () => {
    const { agent, model, memory } = agentOf(() => 'Aye.', { saver: new MemorySaver() })
    const config = { configurable: { thread_id: '1' }, context }
    await agent.invoke({ messages: [new HumanMessage({ id: 'm', content: 'Who is mate?' })] }, config)
    await agent.invoke(
      { messages: [new RemoveMessage({ id: REMOVE_ALL_MESSAGES }), new HumanMessage({ id: 'm', content: 'Who is cook?' })] },
      config,
    )
    expect(said(model.prompts[1]).at(-1)).toBe('human: Who is cook?')
    expect(await stored(memory)).toEqual(['user: Who is mate?', 'assistant: Aye.', 'user: Who is cook?', 'assistant: Aye.'])
  })

  it('stores no message that another middleware put in', async () => {
    const { agent, memory } = agentOf(() => 'Aye.')
    const summary = new HumanMessage({
      content: 'Here is a summary of all that was said',
      additional_kwargs: { lc_source: 'summarization' },
    })
    await agent.invoke({ messages: [summary, new HumanMessage('Hello')] }, { context })
    expect(await stored(memory)).toEqual(['user: Hello', 'assistant: Aye.'])
  })

  it.each<[string, object]>([
    ['no context', {}],
    ['no scope', { context: {} }],
    ['a scope without a user', { context: { scope: { thread: 'voyage' } } }],
    ['an empty thread', { context: { scope: { user: 'ada', thread: '' } } }],
  ])('throws where a call has %s, and stores nothing', async (_, config) => {
    const { agent, memory } = agentOf(() => 'Aye.')
    await expect(agent.invoke(user('Hello'), config as { context: typeof context })).rejects.toThrow(/has no scope/)
    expect(await memory.scopes(10)).toEqual([])
  })

  it('never lets two users see each other', async () => {
    const { agent, model } = agentOf(() => 'Aye.', { budget: 1_000 })
    await agent.invoke(user('My secret is the white whale.'), { context })
    await agent.invoke(user('What is the secret of the white whale?'), { context: { scope: { user: 'eve', thread: 'voyage' } } })
    expect(said(model.prompts.at(-1))).toEqual(['human: What is the secret of the white whale?'])
  })

  it.each([-1, 1.5, Number.NaN])('refuses a budget of %d', (budget) => {
    expect(() => scmMiddleware({ memory: createMemoryStore(), budget })).toThrow(RangeError)
  })
})
