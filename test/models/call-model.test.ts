import { describe, expect, it } from 'vitest'
import { ContextOverflowError, ModelError } from '../../errors/index.ts'
import { callModel, type ChatMessage, type ChatModel, type ChatReply, replyText } from '../../models/index.ts'
import { type Fault, manualClock, rejectionOf, scriptedModel } from '../../testing/index.ts'

const question: ChatMessage[] = [{ role: 'user', content: 'Who sights the whale?' }]
const failing = (...faults: Fault[]): ReturnType<typeof scriptedModel> => scriptedModel({ fallback: 'Ahab does.', faults })

/** A model whose replies are given as they are. */
function rawModel(...replies: ChatReply[]): ChatModel {
  return {
    invoke: async () => replies[0] ?? { content: '' },
    async *[Symbol.asyncIterator]() {},
    stream: async () =>
      (async function* () {
        yield* replies
      })(),
  } as ChatModel
}

describe('backoff', () => {
  it('doubles up to the longest pause, with full jitter', async () => {
    const clock = manualClock({ jump: true })
    const options = { clock, retries: 6, baseDelay: 100, maxDelay: 1000, random: () => 0.5 }
    const error = await rejectionOf(callModel(failing({ kind: 'server-error', rate: 1 }), question, options))
    expect(error).toBeInstanceOf(ModelError)
    expect(error).toMatchObject({ reason: 'server', status: 500, attempts: 7, model: 'scripted' })
    expect(clock.waits).toEqual([50, 100, 200, 400, 500, 500])
  })

  it('is measured in the time of the result', async () => {
    const clock = manualClock({ jump: true })
    const result = await callModel(failing({ kind: 'rate-limit', calls: [1], retryAfter: 2 }), question, { clock, random: () => 0 })
    expect(result).toMatchObject({ attempts: 2, ms: 2000, text: 'Ahab does.' })
  })
})

describe('a retry', () => {
  it('is told of before its pause, with the failure', async () => {
    const told: unknown[] = []
    const clock = manualClock({ jump: true })
    const model = failing({ kind: 'server-error', calls: [1] })
    await callModel(model, question, { clock, random: () => 0.5, onRetry: (retry) => told.push([retry, clock.waits.length]) })
    expect(told).toEqual([[{ attempt: 1, wait: 250, error: expect.objectContaining({ reason: 'server' }) }, 0]])
  })
})

describe('which failures are retried', () => {
  it.each([
    { kind: 'rate-limit', reason: 'rate-limit', attempts: 3 },
    { kind: 'server-error', reason: 'server', attempts: 3 },
    { kind: 'timeout', reason: 'timeout', attempts: 3 },
    { kind: 'cut-stream', reason: 'cut-stream', attempts: 3 },
    { kind: 'empty', reason: 'empty', attempts: 2 },
  ] as const)('$kind ends as $reason after $attempts attempts', async ({ kind, reason, attempts }) => {
    const model = failing({ kind, rate: 1 })
    const options = { clock: manualClock({ jump: true }), retries: 2, onDelta: () => undefined }
    expect(await rejectionOf(callModel(model, question, options))).toMatchObject({ name: 'ModelError', reason, attempts })
    expect(model.calls).toHaveLength(attempts)
    expect(model.running).toBe(0)
  })

  it.each([
    { error: Object.assign(new Error('no'), { status: 400 }), reason: 'bad-request' },
    { error: Object.assign(new Error('no'), { response: { status: 401 } }), reason: 'authentication' },
    { error: new Error('a fault of the program'), reason: 'unknown' },
    { error: 'a thrown text', reason: 'unknown' },
    { error: undefined, reason: 'unknown' },
  ])('$error is not, and is the cause of the error', async ({ error, reason }) => {
    let calls = 0
    const invoke = async (): Promise<never> => {
      calls++
      throw error
    }
    const thrown = await rejectionOf(callModel({ invoke, stream: invoke }, question))
    expect(thrown).toMatchObject({ name: 'ModelError', reason, attempts: 1, cause: error })
    expect(calls).toBe(1)
  })

  it.each([
    Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
    new TypeError('fetch failed', { cause: Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }) }),
    new Error('Connection error.', {
      cause: new TypeError('fetch failed', { cause: new AggregateError([Object.assign(new Error('x'), { code: 'ECONNRESET' })]) }),
    }),
  ])('a broken connection is, however deep it stands: %s', async (error) => {
    const invoke = async (): Promise<never> => {
      throw error
    }
    const options = { clock: manualClock({ jump: true }), retries: 1 }
    expect(await rejectionOf(callModel({ invoke, stream: invoke }, question, options))).toMatchObject({ reason: 'connection', attempts: 2 })
  })
})

describe('the prompt', () => {
  it('is not sent when an exact count says that it does not fit', async () => {
    const model = scriptedModel({ fallback: 'yes', window: 4 })
    const error = await rejectionOf(callModel(model, question, { description: model.describe() }))
    expect(error).toBeInstanceOf(ContextOverflowError)
    expect(error).toMatchObject({ parts: { prompt: 6 }, window: 4 })
    expect(model.calls).toHaveLength(0)
  })

  it('is safe from a model that changes it', async () => {
    const invoke = async (messages: ChatMessage[]): Promise<ChatReply> => {
      for (const message of messages.splice(0)) message.content = 'changed'
      return { content: 'yes' }
    }
    const given = structuredClone(question)
    await callModel({ invoke, stream: async () => [] as never }, given)
    expect(given).toEqual(question)
  })
})

describe('the reply', () => {
  it.each([
    { content: 'plain', text: 'plain' },
    {
      content: [
        { type: 'text', text: 'one ' },
        { type: 'text', text: 'two' },
      ],
      text: 'one two',
    },
    {
      content: [
        { type: 'reasoning', reasoning: 'hm' },
        { type: 'text', text: 'two' },
        { type: 'image_url', image_url: 'x' },
      ],
      text: 'two',
    },
    { content: ['a', 'b'], text: 'ab' },
    { content: undefined, text: '' },
    { content: { text: 'no block' }, text: '' },
  ])('$content has the text $text', ({ content, text }) => {
    expect(replyText(content)).toBe(text)
  })

  it('is counted where the model reports no tokens', async () => {
    const model = rawModel({ content: 'four' })
    const description = { id: 'm', window: 100, maxOutput: 10, count: (text: string) => text.length, exact: true, margin: 0, perMessage: 3 }
    const { usage } = await callModel(model, question, { description })
    expect(usage).toEqual({ inputTokens: 21 + 3, outputTokens: 4, exact: false })
  })

  it('adds up the tokens that the parts of a stream report', async () => {
    const part = (content: string, input: number, output: number): ChatReply => ({
      content,
      usage_metadata: { input_tokens: input, output_tokens: output },
    })
    const { usage, text } = await callModel(rawModel(part('a', 10, 0), part('b', 0, 1), part('c', 0, 2)), question, {
      onDelta: () => undefined,
    })
    expect({ usage, text }).toEqual({ usage: { inputTokens: 10, outputTokens: 3, exact: true }, text: 'abc' })
  })
})

it('what onDelta throws comes through as it is, and is not retried', async () => {
  const model = scriptedModel({ fallback: 'yes' })
  const fault = new Error('the terminal is gone')
  const onDelta = (): never => {
    throw fault
  }
  expect(await rejectionOf(callModel(model, question, { onDelta }))).toBe(fault)
  expect(model.calls).toHaveLength(1)
})

describe('an abort', () => {
  it('is not taken for a failure, whatever the model makes of it', async () => {
    const controller = new AbortController()
    const model: ChatModel = {
      invoke: () =>
        new Promise((_resolve, reject) => {
          controller.signal.addEventListener('abort', () => reject(new Error('AbortError')))
          queueMicrotask(() => controller.abort('stop'))
        }),
      stream: async () => [] as never,
    }
    expect(await rejectionOf(callModel(model, question, { signal: controller.signal }))).toBe('stop')
  })

  it('leaves a model that ignores the signal behind', async () => {
    const controller = new AbortController()
    const model: ChatModel = {
      invoke() {
        queueMicrotask(() => controller.abort('stop'))
        return new Promise(() => undefined)
      },
      stream: async () => [] as never,
    }
    expect(await rejectionOf(callModel(model, question, { signal: controller.signal }))).toBe('stop')
  })

  it('tells the model to stop', async () => {
    const model = failing({ kind: 'hang', rate: 1 })
    const controller = new AbortController()
    const rejection = rejectionOf(callModel(model, question, { signal: controller.signal }))
    await new Promise((resolve) => setImmediate(resolve))
    expect(model.running).toBe(1)
    controller.abort('stop')
    expect(await rejection).toBe('stop')
    await new Promise((resolve) => setImmediate(resolve))
    expect(model.running).toBe(0)
  })
})
