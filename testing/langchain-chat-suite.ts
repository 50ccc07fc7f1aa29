import type { BaseCache } from '@langchain/core/caches'
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import type { AIMessageChunk, BaseMessage, UsageMetadata } from '@langchain/core/messages'
import { rejectionOf, type TestRunner } from './test-runner.ts'

/** A chat model of LangChain under test, and what the suite must know of it. Greedy, so that the same messages give the same reply. */
export interface LangChainChatFixture {
  /** Makes the model, for each test anew. */
  make(fields?: { readonly cache?: BaseCache }): BaseChatModel | Promise<BaseChatModel>
  /** Makes a model of what another was written as, with LangChain's `load`. */
  revive(json: string): Promise<BaseChatModel>
  /** Whether an aborted call rejects with the signal's own reason, rather than with an error of the provider's; true by default. */
  readonly keepsReason?: boolean
}

const question = [{ role: 'user', content: 'Who is the captain of the Pequod?' }]

const schema = {
  title: 'sailor',
  description: 'One sailor of the ship',
  type: 'object',
  properties: {
    name: { type: 'string', maxLength: 12 },
    rank: { enum: ['captain', 'mate', 'harpooneer'] },
    whales: { type: 'integer', minimum: 0, maximum: 99 },
  },
  required: ['name', 'rank', 'whales'],
  additionalProperties: false,
}

const tools = [
  {
    type: 'function',
    function: {
      name: 'find_sailor',
      description: 'Finds a sailor by rank',
      parameters: {
        type: 'object',
        properties: { rank: { enum: ['captain', 'mate'] } },
        required: ['rank'],
        additionalProperties: false,
      },
    },
  },
  {
    type: 'function',
    function: {
      name: 'count_whales',
      description: 'Counts the whales that were sighted',
      parameters: {
        type: 'object',
        properties: { days: { type: 'integer', minimum: 1, maximum: 9 }, white: { type: 'boolean' } },
        required: ['days', 'white'],
        additionalProperties: false,
      },
    },
  },
]

/**
 * The conformance suite of a chat model of LangChain: what its users expect of every provider. It makes its tools and schemas of plain JSON Schema,
 * and loads LangChain when it runs.
 */
export function langchainChatSuite(name: string, fixture: LangChainChatFixture, runner: TestRunner): void {
  replies(name, fixture, runner)
  interruptions(name, fixture, runner)
  storage(name, fixture, runner)
  toolCalls(name, fixture, runner)
  structuredReplies(name, fixture, runner)
}

function replies(name: string, { make }: LangChainChatFixture, { describe, it, expect }: TestRunner): void {
  describe(`${name} replies as a chat model of LangChain`, () => {
    it('replies with text, and says what it used and why it ended', async () => {
      const reply = await (await make()).invoke(question)
      expect([reply.getType(), reply.text.length > 0]).toEqual(['ai', true])
      expect(saysAll(reply)).toEqual(COMPLETE)
    })
    it('streams parts that join to the reply, with its usage and its end', async () => {
      const model = await make()
      const whole = await joined(await model.stream(question))
      const reply = await model.invoke(question)
      expect(whole.parts > 1).toBe(true)
      expect(whole.message.text).toBe(reply.text)
      expect(saysAll(whole.message)).toEqual(COMPLETE)
      expect(countsOf(whole.message)).toEqual(countsOf(reply))
      expect(whole.message.response_metadata['finish_reason']).toBe(reply.response_metadata['finish_reason'])
    })
    it('replies to a batch in its order', async () => {
      const model = await make()
      const inputs = [question, [{ role: 'user', content: 'Name a whale.' }], [{ role: 'user', content: 'What is an oil lamp for?' }]]
      const batch = await model.batch(inputs)
      for (const [at, input] of inputs.entries()) expect(batch[at]?.text).toBe((await model.invoke(input)).text)
    })
    it('takes a text, pairs of role and text, and messages alike', async () => {
      const model = await make()
      const { HumanMessage } = await import('@langchain/core/messages')
      const [first] = question
      const text = first?.content ?? ''
      const expected = (await model.invoke(question)).text
      expect((await model.invoke(text)).text).toBe(expected)
      expect((await model.invoke([['human', text]])).text).toBe(expected)
      expect((await model.invoke([new HumanMessage(text)])).text).toBe(expected)
    })
    it('calls back in order: start, each part, end', async () => {
      const model = await make()
      for (const streamed of [true, false]) {
        const heard: string[] = []
        let text = ''
        const callbacks = [
          {
            handleChatModelStart: () => void heard.push('start'),
            handleLLMNewToken: (token: string) => {
              if (heard.at(-1) !== 'part') heard.push('part')
              text += token
            },
            handleLLMEnd: () => void heard.push('end'),
            handleLLMError: () => void heard.push('error'),
          },
        ]
        const reply = streamed
          ? (await joined(await model.stream(question, { callbacks }))).message
          : await model.invoke(question, { callbacks })
        expect(heard.filter((word) => streamed || word !== 'part')).toEqual(streamed ? ['start', 'part', 'end'] : ['start', 'end'])
        if (streamed) expect(text).toBe(reply.text)
      }
    })
    it('tells its parts to streamEvents', async () => {
      const model = await make()
      const seen = new Set<string>()
      for await (const { event } of model.streamEvents(question, { version: 'v2' })) seen.add(event)
      expect([...seen]).toEqual(['on_chat_model_start', 'on_chat_model_stream', 'on_chat_model_end'])
    })
    it('rejects a call with no messages, and calls back with the error', async () => {
      const model = await make()
      const heard: string[] = []
      const callbacks = [{ handleLLMEnd: () => void heard.push('end'), handleLLMError: () => void heard.push('error') }]
      for (const call of [() => model.invoke([], { callbacks }), async () => joined(await model.stream([], { callbacks }))]) {
        const error = await rejectionOf(call())
        expect(error instanceof Error && error.message.length > 0).toBe(true)
      }
      expect(heard).toEqual(['error', 'error'])
    })
    it('reads and writes characters of every plane', async () => {
      const model = await make()
      const { message } = await joined(await model.stream([{ role: 'user', content: 'Say: \u9be8 \ud83d\udc33 \u00e9' }]))
      expect(encodeURIComponent(message.text).length > 0).toBe(true) // throws for half a surrogate pair
    })
    it('takes several messages of the system', async () => {
      const model = await make()
      const reply = await model.invoke([
        { role: 'system', content: 'You are a whaler.' },
        { role: 'system', content: 'You speak shortly.' },
        ...question,
      ])
      expect(reply.text.length > 0).toBe(true)
    })
    it('leaves the messages of its caller as they are', async () => {
      const model = await make()
      const given = structuredClone(question)
      await model.invoke(given)
      expect(given).toEqual(question)
    })
  })
}

function interruptions(name: string, { make, keepsReason = true }: LangChainChatFixture, { describe, it, expect }: TestRunner): void {
  const reasonIs = (error: unknown, reason: unknown): boolean => (keepsReason ? error === reason : error instanceof Error)

  describe(`${name} is aborted as a chat model of LangChain`, () => {
    it('rejects when it is aborted before the call', async () => {
      const model = await make()
      const reason = new Error('stopped before')
      const signal = AbortSignal.abort(reason)
      expect(reasonIs(await rejectionOf(model.invoke(question, { signal })), reason)).toBe(true)
      expect(reasonIs(await rejectionOf(model.stream(question, { signal }).then(joined)), reason)).toBe(true)
    })
    it('rejects when it is aborted between two parts, and gives no more', async () => {
      const model = await make()
      const controller = new AbortController()
      const reason = new Error('enough')
      let parts = 0
      const read = async (): Promise<void> => {
        for await (const part of await model.stream(question, { signal: controller.signal })) {
          parts++
          controller.abort(reason)
          expect(typeof part.text).toBe('string')
        }
      }
      expect(reasonIs(await rejectionOf(read()), reason)).toBe(true)
      expect(parts).toBe(1)
    })
    it('rejects when it is aborted while it replies', async () => {
      const model = await make()
      const controller = new AbortController()
      const reason = new Error('while it replies')
      const callbacks = [{ handleChatModelStart: () => void setImmediate(() => controller.abort(reason)) }]
      expect(reasonIs(await rejectionOf(model.invoke(question, { signal: controller.signal, callbacks })), reason)).toBe(true)
    })
  })
}

function storage(name: string, { make, revive }: LangChainChatFixture, { describe, it, expect }: TestRunner): void {
  describe(`${name} is stored as a chat model of LangChain`, () => {
    it('is written as JSON and made again of it', async () => {
      const model = await make()
      const json = JSON.stringify(model)
      expect(JSON.parse(json).type).toBe('constructor')
      const other = await revive(json)
      expect(JSON.stringify(other)).toBe(json)
      expect((await other.invoke(question)).text).toBe((await model.invoke(question)).text)
    })
    it('answers from a cache what it has answered, and nothing else', async () => {
      const { InMemoryCache } = await import('@langchain/core/caches')
      const cache = new InMemoryCache()
      const model = await make({ cache })
      const first = await model.invoke(question)
      const used = usageOf(first)?.total_tokens ?? 0
      const again = await model.invoke(question)
      const other = await model.invoke(question, { stop: ['\u2042'] })
      expect([used > 0, again.text, usageOf(again)?.total_tokens]).toEqual([true, first.text, 0])
      expect((usageOf(other)?.total_tokens ?? 0) > 0).toBe(true)
    })
  })
}

function toolCalls(name: string, { make }: LangChainChatFixture, { describe, it, expect }: TestRunner): void {
  const bound = async (choice: string): Promise<Bound> => bind(await make(), choice)

  describe(`${name} calls tools as a chat model of LangChain`, () => {
    it('makes a call by its schema when it has to', async () => {
      const reply = await (await bound('any')).invoke(question)
      const [call] = reply.tool_calls ?? []
      expect([reply.tool_calls?.length, isValidCall(call), typeof call?.id]).toEqual([1, true, 'string'])
      expect(reply.invalid_tool_calls ?? []).toEqual([])
      expect(saysAll(reply)).toEqual(COMPLETE)
    })
    it('calls the tool that is chosen', async () => {
      for (const { function: tool } of tools) {
        const { tool_calls: calls } = await (await bound(tool.name)).invoke(question)
        expect(calls?.map((call) => [call.name, isValidCall(call)])).toEqual([[tool.name, true]])
      }
    })
    it('streams a call in parts that join to it', async () => {
      const model = await bound('count_whales')
      const { message, parts } = await joined(await model.stream(question))
      const [call] = message.tool_calls ?? []
      const [alone] = (await model.invoke(question)).tool_calls ?? []
      expect([parts > 1, isValidCall(call), message.tool_call_chunks?.length]).toEqual([true, true, 1])
      expect([call?.name, call?.args]).toEqual([alone?.name, alone?.args])
      expect(saysAll(message)).toEqual(COMPLETE)
    })
    it('calls no tool when it must not', async () => {
      const reply = await (await bound('none')).invoke(question)
      expect([reply.tool_calls ?? [], reply.text.length > 0]).toEqual([[], true])
    })
    it('may reply in words or make a valid call when it is free to', async () => {
      const reply = await (await bound('auto')).invoke(question)
      const calls = reply.tool_calls ?? []
      expect(calls.length > 0 || reply.text.length > 0).toBe(true)
      expect(calls.every(isValidCall)).toBe(true)
    })
    it('reads the results of its tools', async () => {
      const { HumanMessage, ToolMessage } = await import('@langchain/core/messages')
      const asked = await (await bound('find_sailor')).invoke(question)
      const [call] = asked.tool_calls ?? []
      const result = new ToolMessage({ content: '{"name": "Ahab"}', name: 'find_sailor', tool_call_id: call?.id ?? '' })
      const [first] = question
      const reply = await (await bound('none')).invoke([new HumanMessage(first?.content ?? ''), asked, result])
      expect([reply.tool_calls ?? [], reply.text.length > 0]).toEqual([[], true])
    })
  })
}

function structuredReplies(name: string, { make }: LangChainChatFixture, { describe, it, expect }: TestRunner): void {
  describe(`${name} writes values of a schema as a chat model of LangChain`, () => {
    for (const method of ['jsonSchema', 'functionCalling']) {
      it(`writes a value by ${method}`, async () => {
        const value = await (await make()).withStructuredOutput(schema, { method }).invoke(question)
        expect(isSailor(value)).toBe(true)
      })
      it(`gives the reply beside the value by ${method}`, async () => {
        const structured = (await make()).withStructuredOutput(schema, { method, includeRaw: true })
        const { raw, parsed } = await structured.invoke(question)
        expect([raw.getType(), isSailor(parsed)]).toEqual(['ai', true])
        expect(saysAll(raw)).toEqual(COMPLETE)
      })
    }
    it('streams towards the value', async () => {
      let last: unknown
      for await (const value of await (await make()).withStructuredOutput(schema, { method: 'jsonSchema' }).stream(question)) last = value
      expect(isSailor(last)).toBe(true)
    })
  })
}

type Bound = ReturnType<NonNullable<BaseChatModel['bindTools']>>

function bind(model: BaseChatModel, choice: string): Bound {
  const { bindTools } = model
  if (bindTools === undefined) throw new TypeError('Cannot test tools as the model has no bindTools')
  return bindTools.call(model, tools, { tool_choice: choice })
}

interface Joined {
  readonly message: AIMessageChunk
  readonly parts: number
}

async function joined(stream: AsyncIterable<AIMessageChunk>): Promise<Joined> {
  let message: AIMessageChunk | undefined
  let parts = 0
  for await (const part of stream) {
    message = message?.concat(part) ?? part
    parts++
  }
  if (message === undefined) throw new Error('Cannot join a reply as its stream has no part')
  return { message, parts }
}

/** What a reply has to say of itself. */
const COMPLETE = { input: true, output: true, total: true, finish: true, model: true }

function saysAll(message: BaseMessage): typeof COMPLETE {
  const { input_tokens: input = 0, output_tokens: output = 0, total_tokens: total } = usageOf(message) ?? {}
  const { finish_reason: finish, model_name: model } = message.response_metadata
  return {
    input: input > 0,
    output: output > 0,
    total: total === input + output,
    finish: typeof finish === 'string' && ['stop', 'length', 'tool_calls'].includes(finish),
    model: typeof model === 'string' && model !== '',
  }
}

/** Without what a cache answered for, which differs from call to call. */
function countsOf(message: object): (number | undefined)[] {
  const usage = usageOf(message)
  return [usage?.input_tokens, usage?.output_tokens, usage?.total_tokens]
}

function usageOf(message: object): UsageMetadata | undefined {
  return Reflect.get(message, 'usage_metadata') as UsageMetadata | undefined
}

function isValidCall(call: { readonly name: string; readonly args: Record<string, unknown> } | undefined): boolean {
  if (call === undefined) return false
  const { rank, days, white } = call.args
  return call.name === 'find_sailor' ? rank === 'captain' || rank === 'mate' : isWhole(days) && typeof white === 'boolean'
}

function isSailor(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { name, rank, whales }: { name?: unknown; rank?: unknown; whales?: unknown } = value
  return typeof name === 'string' && typeof rank === 'string' && schema.properties.rank.enum.includes(rank) && isWhole(whales)
}

function isWhole(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value)
}
