import { HumanMessage, SystemMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { MemorySaver } from '@langchain/langgraph'
import { createAgent, toolStrategy } from 'langchain'
import { describe, expect, it } from 'vitest'
import { mem1Middleware, type Mem1MiddlewareOptions } from '../../langchain/index.ts'
import { createMemoryStore } from '../../memory/index.ts'
import { type Call, said, ScriptedChat, type Script } from './scripted-chat.ts'
import { z } from 'zod'

const count = (text: string): number => Math.ceil(text.length / 4)
const user = (content: string) => ({ messages: [{ role: 'user' as const, content }] })
const look = (rank: string, id = rank): Call => ({ name: 'crew', args: { rank }, id })
const step = (state: string, ...calls: Call[]) => ({ text: `<IS>${state}</IS>`, calls })

const crew = tool(({ rank }) => `The ${rank} is known. ${'The sea is wide. '.repeat(40)}`, {
  name: 'crew',
  description: 'finds sailors',
  schema: z.object({ rank: z.string() }),
})

/** Says one reply a call. */
function agentOf(replies: readonly ReturnType<Script>[] | Script, options: Mem1MiddlewareOptions = {}, saver?: MemorySaver) {
  const notices: string[] = []
  const script: Script = typeof replies === 'function' ? replies : (_, number) => replies[number - 1] ?? 'Nothing more.'
  const model = new ScriptedChat(script)
  const middleware = [
    mem1Middleware({ count, stateTokens: 32, observationTokens: 60, onNotice: (code) => notices.push(code), ...options }),
  ] as const
  const agent = createAgent({ model, tools: [crew], systemPrompt: 'You sail.', middleware, ...(saver && { checkpointer: saver }) })
  return { agent, model, notices }
}

describe('mem1Middleware()', () => {
  it('shows the model its state, its last step and the newest message, and nothing older', async () => {
    const { agent, model } = agentOf([
      step('open: both', look('mate')),
      step('mate known', look('cook')),
      '<IS>both known</IS>Starbuck and Fleece.',
    ])
    const { messages } = await agent.invoke(user('Who are mate and cook?'))
    expect(said(model.prompts[2]).slice(1)).toEqual([
      'human: Who are mate and cook?',
      'ai: <IS>mate known</IS>',
      expect.stringMatching(/^tool: The cook is known\..{100,240}$/),
    ])
    expect(model.prompts[2]?.[0]?.text).toMatch(/^You sail\.\n\nAll that you will remember/)
    expect(messages.at(-1)?.text).toBe('Starbuck and Fleece.')
    expect(messages.map(({ text }) => text).join()).not.toContain('<IS>')
  })

  it('has prompts as long after 40 steps as after 4', async () => {
    const script: Script = (_, number) => step(`seen ${String(number).padStart(3, '0')}`, look(`r${String(number).padStart(3, '0')}`))
    const peakOf = async (steps: number): Promise<number> => {
      const { agent, model } = agentOf((messages, number) => (number > steps ? '<IS>done</IS>Done.' : script(messages, number)))
      await agent.invoke(user('Who?'), { recursionLimit: 500 })
      return Math.max(...model.prompts.map((prompt) => said(prompt).join('').length))
    }
    expect(await peakOf(40)).toBe(await peakOf(4))
  }, 60_000)

  it('has prompts of one length through a conversation of 300 turns, and leaves the messages whole', async () => {
    const name = (number: number): string => String(number).padStart(4, '0')
    const { agent, model } = agentOf((_, number) => `<IS>seen ${name(number)}</IS>Aye ${name(number)}.`, {}, new MemorySaver())
    const config = { configurable: { thread_id: '1' }, durability: 'exit' as const }
    for (let at = 0; at < 300; at++) await agent.invoke(user(`Berth ${name(at)}?`), config)
    const lengths = model.prompts.slice(1).map((prompt) => said(prompt).join('').length)
    expect(new Set(lengths).size).toBe(1)
    expect(said(model.prompts[299]).slice(1)).toEqual(['human: Your state:\n<IS>seen 0299</IS>', 'ai: Aye 0299.', 'human: Berth 0299?'])
    const { messages } = await agent.invoke(user('Berth 0300?'), config)
    expect(messages).toHaveLength(602)
  }, 240_000)

  it('keeps all results of parallel calls with their calls', async () => {
    const { agent, model } = agentOf([step('two open', look('mate', 'a'), look('cook', 'b')), '<IS>done</IS>Both.'])
    await agent.invoke(user('Who are they?'))
    const [, , ai, ...results] = model.prompts[1] ?? []
    expect(ai).toMatchObject({ tool_calls: [{ id: 'a' }, { id: 'b' }] })
    expect(results).toMatchObject([{ tool_call_id: 'a' }, { tool_call_id: 'b' }])
    expect(results.every((message) => count(message.text) <= 30)).toBe(true)
  })

  it.each<[string, string, string[]]>([
    ['has no state', '', ['asked-again']],
    ['has too long a state', `<IS>${'Ahab leads the crew. '.repeat(30)}</IS>`, ['asked-again']],
  ])('asks once more for a step that %s', async (_, text, expected) => {
    const { agent, model, notices } = agentOf([{ text, calls: [look('mate')] }, step('better', look('mate')), 'Done.'])
    await agent.invoke(user('Who?'))
    expect(notices).toEqual(expected)
    expect(said(model.prompts[2])[2]).toBe('ai: <IS>better</IS>')
  })

  it('cuts a state that stays too long, and keeps the last one where there is none', async () => {
    const long = { text: `<IS>${'Ahab leads the crew. The cook is old. '.repeat(30)}</IS>`, calls: [look('mate')] }
    const none = { calls: [look('cook')] }
    const { agent, model, notices } = agentOf([long, long, none, none, 'Done.'])
    await agent.invoke(user('Who?'))
    expect(notices).toEqual(['asked-again', 'state-cut', 'asked-again', 'state-kept'])
    expect(said(model.prompts[4])[2]).toMatch(/^ai: <IS>Ahab leads the crew\..*\.<\/IS>$/)
  })

  it('carries its state and its last answer into the next exchange, through a checkpointer', async () => {
    const saver = new MemorySaver()
    const config = { configurable: { thread_id: '1' } }
    await agentOf([step('asks of the mate', look('mate')), '<IS>the mate is Starbuck</IS>It is Starbuck.'], {}, saver).agent.invoke(
      user('Who is mate?'),
      config,
    )
    const { agent, model } = agentOf(['<IS>greeted</IS>He is.'], {}, saver)
    await agent.invoke(user('Is he well?'), config)
    expect(said(model.prompts[0]).slice(1)).toEqual([
      'human: Your state:\n<IS>the mate is Starbuck</IS>',
      'ai: It is Starbuck.',
      'human: Is he well?',
    ])
  })

  it('goes on from a checkpoint after a failure', async () => {
    const saver = new MemorySaver()
    const config = { configurable: { thread_id: '1' } }
    const failing = agentOf(
      (messages) => {
        if (messages.at(-1)?.getType() === 'tool') throw new Error('the line broke')
        return step('asks of the mate', look('mate'))
      },
      {},
      saver,
    )
    await expect(failing.agent.invoke(user('Who is mate?'), config)).rejects.toThrow('the line broke')
    const { agent, model } = agentOf(['<IS>done</IS>Starbuck.'], {}, saver)
    const { messages } = await agent.invoke(null, config)
    expect(said(model.prompts[0])[2]).toBe('ai: <IS>asks of the mate</IS>')
    expect(messages.at(-1)?.text).toBe('Starbuck.')
  })

  it('works with structured output', async () => {
    const model = new ScriptedChat((_, number) =>
      number === 1
        ? step('asks', look('mate'))
        : { text: '<IS>knows</IS>', calls: [{ name: 'sailor', args: { name: 'Starbuck' }, id: 'x' }] },
    )
    const responseFormat = toolStrategy({ title: 'sailor', type: 'object', properties: { name: { type: 'string' } }, required: ['name'] })
    const agent = createAgent({ model, tools: [crew], responseFormat, middleware: [mem1Middleware({ count })] })
    const { structuredResponse, messages } = await agent.invoke(user('Who is mate?'))
    expect(structuredResponse).toEqual({ name: 'Starbuck' })
    expect(messages.map(({ additional_kwargs: { mem1_state: state } }) => state).filter((state) => state !== undefined)).toEqual([
      'asks',
      'knows',
    ])
    expect(model.prompts[0]?.[0]?.text).toContain('Begin each reply that calls a tool')
  })

  it('keeps instructions that stand among the messages', async () => {
    const { agent, model } = agentOf([step('asks', look('mate')), '<IS>done</IS>Done.'])
    await agent.invoke({ messages: [new SystemMessage('Be brief.'), new HumanMessage('Who?')] })
    expect(model.prompts.map((prompt) => said(prompt)[1])).toEqual(['system: Be brief.', 'system: Be brief.'])
  })

  it('streams', async () => {
    const { agent } = agentOf([step('asks', look('mate')), '<IS>done</IS>The mate is Starbuck of Nantucket.'])
    const parts: string[] = []
    for await (const [message] of await agent.stream(user('Who?'), { streamMode: 'messages' }))
      if (message.getType() === 'ai') parts.push(message.text)
    expect(parts.filter((part) => part !== '').length).toBeGreaterThan(4)
  })

  it('finds what it forgot in its archive, of its own scope only', async () => {
    const memory = createMemoryStore()
    const replies = [
      step('the harpoon lies in the hold', look('mate')),
      step('I forgot where', look('cook')),
      step('recalling', { name: 'recall', args: { query: 'harpoon hold' }, id: 'r' }),
      '<IS>found</IS>In the hold.',
    ]
    const { agent, model } = agentOf(replies, { archive: { memory } })
    await agent.invoke(user('Where is the harpoon?'), { context: { scope: { user: 'ada', thread: 'one' } } })
    expect(said(model.prompts[3])[3]).toContain('the harpoon lies in the hold')
    const kept = await memory.list('ada', 'one/mem1')
    expect(kept.map(({ role }) => role)).toEqual(['tool', 'assistant', 'tool', 'assistant', 'assistant'])
    expect(kept[0]?.text.length).toBeGreaterThan(600)
    const other = agentOf([step('recalling', { name: 'recall', args: { query: 'harpoon hold' }, id: 'r' }), 'Done.'], {
      archive: { memory },
    })
    await other.agent.invoke(user('Where is the harpoon?'), { context: { scope: { user: 'eve', thread: 'one' } } })
    expect(said(other.model.prompts[1])[3]).toBe('tool: Nothing was found. Try other words.')
  })

  it('throws where it has an archive and a call has no scope', async () => {
    const { agent } = agentOf(['Done.'], { archive: { memory: createMemoryStore() } })
    await expect(agent.invoke(user('Who?'))).rejects.toThrow(/has no scope/)
  })

  it('shows an answer whose state never ends', async () => {
    const { agent } = agentOf(['<IS>It is Starbuck.'])
    const { messages } = await agent.invoke(user('Who?'))
    expect(messages.at(-1)?.text).toBe('‹IS›It is Starbuck.')
  })

  it('refuses a state of no tokens', () => {
    expect(() => mem1Middleware({ stateTokens: 0 })).toThrow(/stateTokens .*: 0/)
  })
})
