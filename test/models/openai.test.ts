import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { ChatOpenAI } from '@langchain/openai'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ContextOverflowError, ModelError } from '../../errors/index.ts'
import { callModel, type CallModelOptions, type ChatMessage, openAI, resolveModel } from '../../models/index.ts'
import { manualClock } from '../../testing/manual-clock.ts'
import { type Behaviour, openAIServer, words } from './openai-server.ts'

const question: ChatMessage[] = [
  { role: 'system', content: 'Answer briefly.' },
  { role: 'user', content: 'Who sights the whale?' },
]
const good: Behaviour = { kind: 'answer', text: 'Ahab sights the whale first.' }
const noWait = (): Pick<CallModelOptions, 'clock' | 'random'> & { clock: ReturnType<typeof manualClock> } => ({
  clock: manualClock({ jump: true }),
  random: () => 0.5,
})

/** A model with LangChain's own six retries left on, as a user would pass it. */
function userModel(baseURL: string): ChatOpenAI {
  return new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: 'test', configuration: { baseURL } })
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable('the call succeeded'),
    (error: unknown) => error,
  )
}

afterEach(() => vi.unstubAllEnvs())

describe('an answer', () => {
  it('has the text, the tokens that the server reports and the finish reason', async () => {
    await using server = await openAIServer(good)
    const result = await callModel(userModel(server.baseURL), question, noWait())
    expect(result).toEqual({
      text: good.text,
      usage: { inputTokens: 6, outputTokens: words(good.text), exact: true },
      attempts: 1,
      ms: 0,
      finishReason: 'stop',
    })
    expect(server.requests[0]?.body.messages).toEqual(question)
  })

  it('streams parts that join to the text, with the same tokens', async () => {
    await using server = await openAIServer(good)
    const parts: string[] = []
    const result = await callModel(userModel(server.baseURL), question, { ...noWait(), onDelta: (part) => parts.push(part) })
    expect(parts.length).toBeGreaterThan(1)
    expect(parts.join('')).toBe(good.text)
    expect(result).toMatchObject({ text: good.text, usage: { inputTokens: 6, outputTokens: 5, exact: true }, finishReason: 'stop' })
  })

  it('comes over a stream from a model that always streams, as its invoke would download a vocabulary', async () => {
    await using server = await openAIServer(good)
    const model = new ChatOpenAI({ model: 'gpt-4o-mini', apiKey: 'test', streaming: true, configuration: { baseURL: server.baseURL } })
    const counting = vi.spyOn(ChatOpenAI.prototype, 'getNumTokens')
    expect((await callModel(model, question, noWait())).text).toBe(good.text)
    expect(server.requests[0]?.body.stream).toBe(true)
    expect(counting).not.toHaveBeenCalled()
    counting.mockRestore()
  })
})

describe('retries have one owner', () => {
  it.each([
    { status: 429, retries: 0 },
    { status: 429, retries: 2 },
    { status: 500, retries: 0 },
    { status: 500, retries: 3 },
    { status: 503, retries: 1 },
    { status: 408, retries: 1 },
  ])('a server that always answers $status gets exactly one request more than the $retries retries', async ({ status, retries }) => {
    await using server = await openAIServer({ kind: 'error', status })
    const model = userModel(server.baseURL)
    const error = await failureOf(callModel(model, question, { ...noWait(), retries }))
    expect(error).toBeInstanceOf(ModelError)
    expect(error).toMatchObject({ status, attempts: retries + 1 })
    expect(server.requests).toHaveLength(retries + 1)
  })

  it('holds for streams too', async () => {
    await using server = await openAIServer({ kind: 'error', status: 500 })
    await failureOf(callModel(userModel(server.baseURL), question, { ...noWait(), retries: 2, onDelta: () => undefined }))
    expect(server.requests).toHaveLength(3)
  })

  it("leaves the user's model as it was", async () => {
    await using server = await openAIServer(good)
    const model = userModel(server.baseURL)
    const before = Object.keys(model)
    await callModel(model, question, noWait())
    expect(model).toMatchObject({
      caller: { maxRetries: 6 },
      completions: { caller: { maxRetries: 6 } },
      responses: { caller: { maxRetries: 6 } },
    })
    expect(Object.keys(model)).toEqual(before)
  })

  it('two failures and then an answer make three attempts', async () => {
    await using server = await openAIServer({ kind: 'error', status: 500 }, { kind: 'error', status: 500 }, good)
    const options = noWait()
    const result = await callModel(userModel(server.baseURL), question, options)
    expect(result).toMatchObject({ text: good.text, attempts: 3 })
    expect(options.clock.waits).toEqual([250, 500])
  })
})

describe('the settings of one call', () => {
  it.each([true, false])('reach the server and leave the model as it was (streaming: %s)', async (streams) => {
    await using server = await openAIServer(good)
    const model = userModel(server.baseURL)
    const stream = streams ? { onDelta: () => undefined } : {}
    await callModel(model, question, { ...noWait(), ...stream, maxTokens: 50, temperature: 0 })
    await callModel(model, question, { ...noWait(), ...stream })
    expect(server.requests[0]?.body).toMatchObject({ max_tokens: 50, temperature: 0 })
    expect(server.requests[1]?.body).not.toHaveProperty('max_tokens')
    expect(server.requests[1]?.body).not.toHaveProperty('temperature')
    expect([model.maxTokens, model.temperature]).toEqual([undefined, undefined])
  })

  it('do not raise the limit that the user set, nor change the temperature', async () => {
    await using server = await openAIServer(good)
    const fields = { model: 'gpt-4o-mini', apiKey: 'test', maxTokens: 20, temperature: 0.7, configuration: { baseURL: server.baseURL } }
    await callModel(new ChatOpenAI(fields), question, { ...noWait(), maxTokens: 50, temperature: 0 })
    expect(server.requests[0]?.body).toMatchObject({ max_tokens: 20, temperature: 0.7 })
  })

  it('do not bring the retries back', async () => {
    await using server = await openAIServer({ kind: 'error', status: 500 })
    await failureOf(callModel(userModel(server.baseURL), question, { ...noWait(), retries: 1, maxTokens: 50 }))
    expect(server.requests).toHaveLength(2)
  })
})

describe('retry-after is honoured', () => {
  const start = Date.parse('2026-01-01T00:00:00Z')
  it.each([
    { name: 'seconds', headers: { 'retry-after': '7' }, wait: 7000 },
    { name: 'a date', headers: { 'retry-after': 'Thu, 01 Jan 2026 00:00:20 GMT' }, wait: 20_000 },
    { name: 'milliseconds', headers: { 'retry-after-ms': '1250', 'retry-after': '2' }, wait: 1250 },
  ])('given as $name', async ({ headers, wait }) => {
    await using server = await openAIServer({ kind: 'error', status: 429, headers }, good)
    const clock = manualClock({ start, jump: true })
    await callModel(userModel(server.baseURL), question, { clock, random: () => 0 })
    expect(clock.waits).toEqual([wait])
  })

  it('but a server that asks for more than the longest pause is not waited for', async () => {
    await using server = await openAIServer({ kind: 'error', status: 429, headers: { 'retry-after': '3600' } })
    const error = await failureOf(callModel(userModel(server.baseURL), question, noWait()))
    expect(error).toMatchObject({
      reason: 'rate-limit',
      retryAfter: 3_600_000,
      attempts: 1,
      message: expect.stringContaining('Try again in 3600 s'),
    })
    expect(server.requests).toHaveLength(1)
  })
})

describe('what is not retried', () => {
  const overflow = {
    message: "This model's maximum context length is 128000 tokens.",
    code: 'context_length_exceeded',
    type: 'invalid_request_error',
  }
  it.each([
    { name: 'a refused key', status: 401, reason: 'authentication' },
    { name: 'a forbidden model', status: 403, reason: 'authentication' },
    { name: 'a malformed request', status: 400, reason: 'bad-request' },
    { name: 'an unknown model', status: 404, reason: 'bad-request' },
    {
      name: 'a used-up quota',
      status: 429,
      reason: 'rate-limit',
      error: { message: 'You exceeded your current quota', code: 'insufficient_quota' },
    },
  ])('$name', async ({ status, reason, error: body }) => {
    await using server = await openAIServer({ kind: 'error', status, ...(body && { error: body }) })
    const error = await failureOf(callModel(userModel(server.baseURL), question, noWait()))
    expect(error).toBeInstanceOf(ModelError)
    expect(error).toMatchObject({ reason, status, attempts: 1, cause: expect.any(Error), model: 'gpt-4o-mini' })
    expect(server.requests).toHaveLength(1)
  })

  it('a context overflow, which is its own error with the window the server names', async () => {
    await using server = await openAIServer({ kind: 'error', status: 400, error: overflow })
    const error = await failureOf(callModel(userModel(server.baseURL), question, noWait()))
    expect(error).toBeInstanceOf(ContextOverflowError)
    expect(error).toMatchObject({ window: 128_000, parts: { prompt: expect.any(Number) }, cause: expect.any(Error) })
    expect(server.requests).toHaveLength(1)
  })

  it('a reply that the filter stopped', async () => {
    await using server = await openAIServer({ kind: 'answer', text: '', finish: 'content_filter' })
    expect(await failureOf(callModel(userModel(server.baseURL), question, noWait()))).toMatchObject({ reason: 'refused', attempts: 1 })
  })
})

describe('a reply that is not whole', () => {
  it('is asked for once more when it is empty, and is then an error', async () => {
    await using server = await openAIServer({ kind: 'answer', text: '' })
    const error = await failureOf(callModel(userModel(server.baseURL), question, noWait()))
    expect(error).toMatchObject({ reason: 'empty', attempts: 2 })
    expect(server.requests).toHaveLength(2)
  })

  it.each(['reset', 'end'] as const)('is an error when its stream is cut by %s, and the retry starts over', async (by) => {
    await using server = await openAIServer({ kind: 'cut', text: 'Star buck sights', by }, good)
    const events: string[] = []
    const result = await callModel(userModel(server.baseURL), question, {
      ...noWait(),
      onDelta: (part) => events.push(part),
      onRestart: () => events.push('RESTART'),
    })
    expect(result).toMatchObject({ text: good.text, attempts: 2 })
    expect(events.slice(events.lastIndexOf('RESTART') + 1).join('')).toBe(good.text)
    expect(events.filter((event) => event === 'RESTART')).toHaveLength(1)
  })

  it('is an error when every stream is cut', async () => {
    await using server = await openAIServer({ kind: 'cut', text: 'Star buck sights', by: 'reset' })
    const error = await failureOf(callModel(userModel(server.baseURL), question, { ...noWait(), retries: 1, onDelta: () => undefined }))
    expect(error).toMatchObject({ reason: 'cut-stream', attempts: 2 })
  })
})

describe('an abort', () => {
  it.each([true, false])(
    "rejects with the signal's own reason while the server is silent (streaming: %s), and lets go of it",
    async (streams) => {
      await using server = await openAIServer({ kind: 'hang' })
      const controller = new AbortController()
      const arrived = server.nextRequest()
      const call = failureOf(
        callModel(userModel(server.baseURL), question, { signal: controller.signal, ...(streams && { onDelta: () => undefined }) }),
      )
      const request = await arrived
      const reason = new Error('the user left')
      controller.abort(reason)
      expect(await call).toBe(reason)
      await request.closed
      expect(server.requests).toHaveLength(1)
    },
  )

  it('before the call sends nothing', async () => {
    await using server = await openAIServer(good)
    const reason = { why: 'any value' }
    expect(await failureOf(callModel(userModel(server.baseURL), question, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(server.requests).toHaveLength(0)
  })

  it('ends a pause between attempts', async () => {
    await using server = await openAIServer({ kind: 'error', status: 500 })
    const clock = manualClock()
    const controller = new AbortController()
    const warned = new Promise<void>((resolve) => {
      const logger = { debug() {}, info() {}, error() {}, warn: () => resolve() }
      void failureOf(callModel(userModel(server.baseURL), question, { clock, signal: controller.signal, logger })).then((error) =>
        errors.push(error),
      )
    })
    const errors: unknown[] = []
    await warned
    controller.abort('enough')
    await vi.waitFor(() => expect(errors).toEqual(['enough']))
    expect(clock.pending).toBe(0)
  })
})

describe('a timeout', () => {
  it('ends an attempt that takes too long', async () => {
    await using server = await openAIServer({ kind: 'hang' })
    const clock = manualClock()
    const arrived = server.nextRequest()
    const call = failureOf(callModel(userModel(server.baseURL), question, { clock, timeout: 5000, retries: 0 }))
    const request = await arrived
    clock.advance(5000)
    expect(await call).toMatchObject({ reason: 'timeout', attempts: 1 })
    await request.closed
  })
})

describe('a server that is not there', () => {
  it('is a connection error that names the base URL', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
    server.close()
    await once(server, 'close')
    const error = await failureOf(callModel(userModel(baseURL), question, { ...noWait(), retries: 1 }))
    expect(error).toBeInstanceOf(ModelError)
    expect(error).toMatchObject({ reason: 'connection', attempts: 2, message: expect.stringContaining(baseURL) })
    expect(error).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') })
  })
})

describe('openAI and resolveModel', () => {
  it.each(['openai:gpt-4o-mini', 'openai:gpt-5'])('%s without a key is an authentication error before any call', async (spec) => {
    vi.stubEnv('OPENAI_API_KEY', '')
    const error = await failureOf(resolveModel(spec))
    expect(error).toBeInstanceOf(ModelError)
    expect(error).toMatchObject({ reason: 'authentication', message: expect.stringContaining('OPENAI_API_KEY') })
  })

  it('openai:NAME@BASE_URL reaches the server it names, without a key', async () => {
    vi.stubEnv('OPENAI_API_KEY', '')
    await using server = await openAIServer(good)
    const { model, overrides } = await resolveModel(`openai:qwen2.5:7b@${server.baseURL}`)
    expect((await callModel(model, question, noWait())).text).toBe(good.text)
    expect(server.requests[0]?.body).toMatchObject({ model: 'qwen2.5:7b', temperature: 0 })
    expect(overrides).toEqual({})
  })

  it("openai:NAME comes with OpenAI's own counter", async () => {
    const { overrides } = await resolveModel('openai:gpt-4o-mini', { apiKey: 'test' })
    expect(overrides).toMatchObject({ exact: true, margin: 0 })
    expect(overrides.count?.('Call me Ishmael.')).toBe(5)
  })

  it.each(['gpt-4o-mini', 'openai:', 'openai:a@b', 'local:x', ''])('%j is refused with the forms that are understood', async (spec) => {
    await expect(resolveModel(spec, { apiKey: 'test' })).rejects.toThrow(/openai:NAME@BASE_URL/)
  })

  it('a base URL that is not an http address is refused', async () => {
    await expect(openAI('m', { baseURL: 'localhost:8080' })).rejects.toThrow(TypeError)
  })
})
