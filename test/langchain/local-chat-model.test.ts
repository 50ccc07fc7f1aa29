import { InMemoryCache } from '@langchain/core/caches'
import { AIMessage, type AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { LocalChatModel } from '../../langchain/index.ts'
import { type CacheHandle, callModel, describe as describeModel } from '../../models/index.ts'
import { scriptedLocal } from './scripted-local.ts'

const weather = tool(({ city }) => `Rain in ${city}`, {
  name: 'weather',
  description: 'Tells the weather of a city',
  schema: z.object({ city: z.string(), days: z.number().int().optional() }),
})
const clock = {
  type: 'function',
  function: {
    name: 'clock',
    parameters: { type: 'object', properties: { zone: { $ref: '#/$defs/zone' } }, $defs: { zone: { type: 'string' } } },
  },
}

function open(fields: ConstructorParameters<typeof LocalChatModel>[0], ...replies: string[]) {
  const { model, calls } = scriptedLocal(...replies)
  let ids = 0
  return { model: new LocalChatModel({ model, makeId: () => `call-${++ids}`, ...fields }), calls }
}

describe('a local model as a chat model of LangChain', () => {
  it('says what it used, what a cache answered for, and why it ended', async () => {
    const { model } = open({}, 'A white whale')
    const reply: AIMessage = await model.invoke('What?')
    expect(reply).toMatchObject({
      content: 'A white whale',
      usage_metadata: { input_tokens: 10, output_tokens: 3, total_tokens: 13, input_token_details: { cache_read: 4 } },
      response_metadata: { model_name: 'scripted@1', model_provider: 'scriptorium', finish_reason: 'stop' },
    })
  })

  it('knows its window, its longest reply and what it can do', () => {
    const { model } = open({ maxTokens: 50 })
    expect(model.profile).toMatchObject({
      maxInputTokens: 1000,
      maxOutputTokens: 50,
      toolCalling: true,
      structuredOutput: true,
      imageInputs: false,
    })
    expect(describeModel(model)).toMatchObject({ window: 1000, maxOutput: 50, exact: true, id: 'scripted@1 {"maxTokens":50}' })
    expect(() => new LocalChatModel().describe()).toThrow('Cannot describe a local model as its file is not read yet')
  })

  it('counts tokens with its own tokenizer', async () => {
    const { model } = open({})
    expect(await model.getNumTokens('three small words')).toBe(3)
    expect(await model.getNumTokens([{ type: 'text', text: 'two words' }])).toBe(2)
  })

  it('hands the settings of a call to the model, before its own', async () => {
    const { model, calls } = open({ temperature: 0.5, topP: 0.9, maxTokens: 7, seed: 3, stop: ['END'] }, 'Yes')
    await model.invoke('One')
    await model.invoke('Two', { temperature: 1, stop: ['\n'], priority: 2 })
    expect(calls.map(({ options }) => options)).toEqual([
      { temperature: 0.5, topP: 0.9, maxTokens: 7, seed: 3, stop: ['END'] },
      { temperature: 1, topP: 0.9, maxTokens: 7, seed: 3, stop: ['\n'], priority: 2 },
    ])
  })

  it('works where the library calls its models', async () => {
    const { model, calls } = open({}, 'The whale')
    const { text, usage } = await callModel(model, [{ role: 'user', content: 'Who?' }], { maxTokens: 5, temperature: 0 })
    expect([text, usage.inputTokens, usage.outputTokens]).toEqual(['The whale', 10, 2])
    expect(calls[0]?.options).toMatchObject({ maxTokens: 5, temperature: 0 })
  })

  it('sends turns of one role as one, and the calls and results of tools as text', async () => {
    const { model, calls } = open({}, 'Wet')
    await model.invoke([
      new SystemMessage('Be brief.'),
      new SystemMessage('Be kind.'),
      new HumanMessage('Weather?'),
      new AIMessage({ content: '', tool_calls: [{ name: 'weather', args: { city: 'Nantucket' }, id: 'a' }] }),
      new ToolMessage({ content: 'Rain', name: 'weather', tool_call_id: 'a' }),
      new ToolMessage({ content: 'no such city', name: 'weather', tool_call_id: 'b', status: 'error' }),
    ])
    expect(calls[0]?.messages).toEqual([
      { role: 'system', content: 'Be brief.\n\nBe kind.' },
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: '{"name":"weather","arguments":{"city":"Nantucket"}}' },
      { role: 'user', content: 'Result of the tool weather:\nRain\n\nError of the tool weather:\nno such city' },
    ])
  })

  it('refuses what is not text by its name', async () => {
    const { model } = open({}, 'No')
    const image = new HumanMessage({ content: [{ type: 'image_url', image_url: { url: 'data:,' } }] })
    await expect(model.invoke([image])).rejects.toThrow('Cannot send a content block to a local model as it reads text only: image_url')
    await expect(model.invoke([])).rejects.toThrow('Cannot reply as there are no messages')
  })

  it('answers in words in one pass where it may call a tool and does not', async () => {
    const { model, calls } = open({}, 'It is fine.')
    const reply = await model.bindTools([weather]).invoke('Hello')
    expect([reply.text, reply.tool_calls, calls.length]).toEqual(['It is fine.', [], 1])
    expect(calls[0]?.messages[0]?.content).toContain('- weather: Tells the weather of a city')
    expect(calls[0]?.options.constraint).toEqual({ regex: String.raw`\{"name": ?(?:"weather")|[^{][\s\S]*` })
  })

  it('writes the call under the schema of the tool that it began to call', async () => {
    const { model, calls } = open({}, '{"name": "weather"', '{"name": "weather", "arguments": {"city": "Nan}tucket", "days": 2}}')
    const parts: AIMessageChunk[] = []
    for await (const part of await model.bindTools([clock, weather]).stream('Weather?')) parts.push(part)
    const whole = parts.reduce((joined, part) => joined.concat(part))
    expect(whole.tool_calls).toEqual([{ type: 'tool_call', id: 'call-1', name: 'weather', args: { city: 'Nan}tucket', days: 2 } }])
    expect([whole.text, whole.response_metadata['finish_reason']]).toEqual(['', 'tool_calls'])
    expect(whole).toMatchObject({ usage_metadata: { input_tokens: 20, input_token_details: { cache_read: 8 } } })
    expect(calls[1]?.options.constraint).toMatchObject({
      json: { properties: { name: { const: 'weather' } }, required: ['name', 'arguments'] },
    })
  })

  it('keeps the references of a schema within the schema', async () => {
    const { model, calls } = open({}, '{"name":"clock","arguments":{"zone":"UTC"}}')
    const { tool_calls: made } = await model.bindTools([weather, clock], { tool_choice: 'any' }).invoke('Time?')
    expect(made).toMatchObject([{ name: 'clock', args: { zone: 'UTC' } }])
    expect(JSON.stringify(calls[0]?.options.constraint)).toContain('"$ref":"#/anyOf/1/properties/arguments/$defs/zone"')
  })

  it.each([
    ['the name of a tool', 'clock'],
    ['the protocol', { type: 'function', function: { name: 'clock' } }],
  ])('takes a tool choice in the form of %s', async (_form, choice) => {
    const { model, calls } = open({}, '{"name":"clock","arguments":{}}')
    const { tool_calls: made } = await model.bindTools([weather, clock], { tool_choice: choice }).invoke('Time?')
    expect(made).toMatchObject([{ name: 'clock', args: {} }])
    expect(calls[0]?.options.constraint).toMatchObject({ json: { properties: { name: { const: 'clock' } } } })
  })

  it('refuses a choice of no tool and a tool of no schema', async () => {
    const { model } = open({}, 'x')
    await expect(model.bindTools([weather], { tool_choice: 'sextant' }).invoke('?')).rejects.toThrow('There are: weather')
    await expect(model.invoke('?', { tool_choice: 'any' })).rejects.toThrow('Cannot call a tool as there is none')
    expect(() => model.bindTools([{ colour: 'white' }])).toThrow('Cannot bind a tool as it has no name and schema: colour')
  })

  it('ends words at a stop text across parts, where it is free to call a tool', async () => {
    const { model } = open({}, 'The whale is white. STOP And more.')
    const reply: AIMessage = await model.bindTools([weather]).invoke('?', { stop: ['. STOP'] })
    expect([reply.text, reply.response_metadata['finish_reason']]).toEqual(['The whale is white', 'stop'])
    expect(reply).toMatchObject({ usage_metadata: { output_tokens: 5 } })
  })

  it('writes values of zod, of JSON Schema and of the arguments of a call', async () => {
    const Sailor = z.object({ name: z.string(), rank: z.enum(['captain', 'mate']) })
    const ahab = { name: 'Ahab', rank: 'captain' } as const
    const { model, calls } = open({}, JSON.stringify(ahab))
    const typed: z.infer<typeof Sailor> = await model.withStructuredOutput(Sailor).invoke('Who?')
    expect(typed).toEqual(ahab)
    expect(await model.withStructuredOutput(z.toJSONSchema(Sailor)).invoke('Who?')).toEqual(ahab)
    expect(await model.withStructuredOutput(Sailor, { method: 'jsonMode' }).invoke('Who?')).toEqual(ahab)
    expect(calls.map(({ options }) => options.constraint)).toMatchObject([
      { json: { properties: { rank: { enum: ['captain', 'mate'] } } } },
      { json: { properties: { rank: { enum: ['captain', 'mate'] } } } },
      { json: { type: 'object' } },
    ])
    const caller = open({}, JSON.stringify({ name: 'sailor', arguments: ahab }))
    expect(await caller.model.withStructuredOutput(Sailor, { method: 'functionCalling', name: 'sailor' }).invoke('Who?')).toEqual(ahab)
    expect(() => model.withStructuredOutput(Sailor, { method: 'telepathy' })).toThrow('the method is not known: telepathy')
  })

  it('gives no value beside a reply that its schema refuses', async () => {
    const { model } = open({}, '{"name": 7}')
    const { raw, parsed } = await model.withStructuredOutput(z.object({ name: z.string() }), { includeRaw: true }).invoke('Who?')
    expect([raw.text, parsed]).toEqual(['{"name": 7}', null])
  })

  it('gives a value or a call where both are open', async () => {
    const format = { type: 'json_schema', json_schema: { schema: { type: 'object', properties: { name: { type: 'string' } } } } } as const
    for (const [said, text, names] of [
      ['{"name":"Ahab","age":58}', '{"name":"Ahab","age":58}', []],
      ['{"name":"weather"}', '{"name":"weather"}', []],
      ['{"name":"weather","arguments":{"city":"Rome"}}', '', ['weather']],
    ] as const) {
      const { model } = open({}, said)
      const reply = await model.bindTools([weather]).invoke('?', { response_format: format })
      expect([reply.text, reply.tool_calls?.map((call) => call.name)]).toEqual([text, names])
    }
  })

  it('answers from a cache whatever the signal and the priority of the call', async () => {
    const { model, calls } = open({ cache: new InMemoryCache() }, 'One', 'Two')
    await model.invoke('?')
    await model.invoke('?', { signal: new AbortController().signal, priority: 3 })
    await model.invoke('?', { temperature: 1 })
    expect(calls.length).toBe(2)
  })

  it('passes on the handle of a cache, and answers apart for each text that a handle holds', async () => {
    const { model, calls } = open({ cache: new InMemoryCache() }, 'One', 'Two', 'Three')
    const held = (key: string): CacheHandle => ({ key, tokens: 5, bytes: 9 }) as CacheHandle
    const replies: string[] = []
    for (const after of [held('a'), held('b'), held('a')]) replies.push((await model.invoke('?', { after })).text)
    replies.push((await model.invoke('?')).text)
    expect(replies).toEqual(['One', 'Two', 'One', 'Three'])
    expect(calls.map(({ options }) => options.after?.key)).toEqual(['a', 'b', undefined])
  })

  it('is not written as JSON where its model is given', () => {
    expect(JSON.parse(JSON.stringify(open({}).model))).toMatchObject({ type: 'not_implemented' })
    const written = JSON.parse(JSON.stringify(new LocalChatModel({ model: '/models/a.gguf', topK: 4 })))
    expect(written).toMatchObject({
      id: ['langchain', 'chat_models', 'scriptorium', 'LocalChatModel'],
      kwargs: { model: '/models/a.gguf', top_k: 4 },
    })
  })
})
