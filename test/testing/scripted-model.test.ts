import { describe, expect, it } from 'vitest'
import { ContextOverflowError } from '../../errors/index.ts'
import type { ChatMessage } from '../../models/index.ts'
import { manualClock, rejectionOf, scriptedModel, type ScriptedModelOptions } from '../../testing/index.ts'

const ask = (content: string): ChatMessage[] => [{ role: 'user', content }]

async function answers(options: ScriptedModelOptions, prompts: readonly string[]): Promise<unknown[]> {
  const model = scriptedModel(options)
  const said: unknown[] = []
  for (const prompt of prompts)
    said.push(
      await model.invoke(ask(prompt)).then(
        (reply) => reply.content,
        (error: Error) => error.message,
      ),
    )
  return said
}

describe('rules', () => {
  it.each([
    { name: 'a pattern', when: /who is (\w+)\?/i, prompt: 'Who is Ahab?' },
    { name: 'a pattern with a global flag', when: /ahab/gi, prompt: 'Who is Ahab?' },
    { name: 'a text', when: 'Ahab', prompt: 'Who is Ahab?' },
    { name: 'a list of texts', when: ['Who', 'Ahab'], prompt: 'Who is Ahab?' },
    { name: 'a predicate', when: ({ messages }: { messages: readonly ChatMessage[] }) => messages.length === 1, prompt: 'Who is Ahab?' },
  ])('hold by $name, again and again', async ({ when, prompt }) => {
    expect(await answers({ rules: [{ when, answer: 'yes' }], fallback: 'no' }, [prompt, prompt])).toEqual(['yes', 'yes'])
  })

  it('answer in their order, with what the pattern matched', async () => {
    const rules = [
      { when: /who is (\w+)/i, answer: (_call: unknown, match: RegExpExecArray | undefined) => `${match?.[1]} is a sailor` },
      { when: 'who', answer: 'never reached' },
    ]
    expect(await answers({ rules }, ['who is Queequeg?'])).toEqual(['Queequeg is a sailor'])
  })

  it('that do not hold leave the fallback, and without one the call throws with the prompt', async () => {
    const rules = [{ when: ['Who', 'Starbuck'], answer: 'yes' }]
    expect(await answers({ rules, fallback: ({ number }) => `call ${number}` }, ['Who is Ahab?'])).toEqual(['call 1'])
    expect(await answers({ rules }, ['Who is Ahab?'])).toEqual([expect.stringContaining('Who is Ahab?')])
  })
})

describe('the window', () => {
  it('is hard: one token more throws', async () => {
    const model = scriptedModel({ fallback: 'yes', window: 10, count: (text) => text.length, perMessage: 2 })
    expect((await model.invoke(ask('12345678'))).content).toBe('')
    const error = await rejectionOf(model.invoke(ask('123456789')))
    expect(error).toBeInstanceOf(ContextOverflowError)
    expect(error).toMatchObject({ parts: { prompt: 11 }, window: 10 })
  })

  it('cuts a reply that is too long, and says so', async () => {
    const model = scriptedModel({ fallback: '🐳🐳🐳', window: 100, maxOutput: 3, count: (text) => text.length })
    expect(await model.invoke(ask('whale'))).toEqual({
      content: '🐳',
      usage_metadata: { input_tokens: 5, output_tokens: 2 },
      response_metadata: { finish_reason: 'length' },
    })
  })
})

describe('the settings of a call', () => {
  it('limit its reply and are recorded', async () => {
    const model = scriptedModel({ fallback: 'one two', count: (text) => text.length })
    const { content } = await model.invoke(ask('?'), { maxTokens: 3, temperature: 0 })
    expect(content).toBe('one')
    expect(model.calls[0]).toMatchObject({ maxTokens: 3, temperature: 0, answer: 'one' })
  })
})

describe('faults', () => {
  it('befall the calls they name', async () => {
    const faults = [
      { kind: 'empty', calls: [1] },
      { kind: 'wrong', calls: [2] },
      { kind: 'duplicate', calls: [3] },
      { kind: 'server-error', calls: [4] },
      { kind: 'rate-limit', calls: [5] },
      { kind: 'timeout', calls: [6] },
      { kind: 'cut-stream', calls: [7] },
    ] as const
    expect(await answers({ fallback: 'yes', faults, corrupt: (answer) => `not ${answer}` }, Array(8).fill('?'))).toEqual([
      '',
      'not yes',
      'yes\nyes',
      '500 The server had an error',
      '429 Rate limit reached',
      '408 Request timed out',
      'terminated',
      'yes',
    ])
  })

  it('come at their rates, the same for one seed in any order of calls, and others for another seed', async () => {
    const prompts = Array.from({ length: 2000 }, (_, index) => `question ${index}`)
    const faults = [
      { kind: 'empty', rate: 0.1 },
      { kind: 'wrong', rate: 0.05 },
    ] as const
    const struck = async (seed: number, order: readonly string[]): Promise<Map<string, string | undefined>> => {
      const model = scriptedModel({ fallback: 'yes', faults, seed })
      await Promise.all(order.map((prompt) => model.invoke(ask(prompt))))
      return new Map(model.calls.map((call) => [call.prompt, call.fault]))
    }
    const first = await struck(1, prompts)
    const share = (kind: string): number => [...first.values()].filter((fault) => fault === kind).length / prompts.length
    expect(share('empty')).toBeCloseTo(0.1, 1)
    expect(share('wrong')).toBeCloseTo(0.05, 1)
    const reversed = await struck(1, prompts.toReversed())
    expect(prompts.map((prompt) => reversed.get(prompt))).toEqual(prompts.map((prompt) => first.get(prompt)))
    const other = await struck(2, prompts)
    expect(prompts.map((prompt) => other.get(prompt))).not.toEqual(prompts.map((prompt) => first.get(prompt)))
  })

  it('are drawn anew when a prompt is tried again', async () => {
    const faults = [{ kind: 'empty', rate: 0.5 }] as const
    const said = await answers({ fallback: 'yes', faults }, Array(60).fill('same'))
    expect(new Set(said)).toEqual(new Set(['', 'yes']))
  })

  it('cut a stream in its middle', async () => {
    const model = scriptedModel({ fallback: 'one two three four', faults: [{ kind: 'cut-stream', rate: 1 }] })
    const parts: unknown[] = []
    const read = async (): Promise<void> => {
      for await (const part of await model.stream(ask('?'))) parts.push(part.content)
    }
    expect(await rejectionOf(read())).toMatchObject({ code: 'ECONNRESET' })
    expect(parts.join('')).toBe('one two ')
  })

  it('can be slow, on the given clock', async () => {
    const clock = manualClock()
    const model = scriptedModel({ fallback: 'yes', latency: 100, clock, faults: [{ kind: 'slow', calls: [1], delay: 900 }] })
    const reply = model.invoke(ask('?'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(clock.pending).toBe(1)
    clock.advance(1000)
    expect((await reply).content).toBe('yes')
    expect(clock.waits).toEqual([1000])
  })

  it.each([
    [[{ kind: 'empty', rate: -0.1 }]],
    [
      [
        { kind: 'empty', rate: 0.6 },
        { kind: 'wrong', rate: 0.6 },
      ],
    ],
  ] as const)('of impossible rates are refused: %j', (faults) => {
    expect(() => scriptedModel({ faults })).toThrow(RangeError)
  })
})

describe('the record', () => {
  it('holds what was asked and answered, apart from what the caller does with its messages', async () => {
    const model = scriptedModel({ fallback: 'yes', faults: [{ kind: 'empty', calls: [2] }] })
    const messages = ask('Who?')
    await model.invoke(messages)
    messages.length = 0
    for await (const part of await model.stream(ask('Who?'))) expect(part).toBeDefined()
    expect(model.calls).toEqual([
      { number: 1, messages: ask('Who?'), prompt: 'Who?', seen: 0, streamed: false, promptTokens: 1, answer: 'yes' },
      { number: 2, messages: ask('Who?'), prompt: 'Who?', seen: 1, streamed: true, promptTokens: 1, answer: '', fault: 'empty' },
    ])
  })

  it('knows how many calls ran at one time', async () => {
    const clock = manualClock()
    const model = scriptedModel({ fallback: 'yes', latency: 1, clock })
    const calls = [1, 2, 3].map((index) => model.invoke(ask(`${index}`)))
    await new Promise((resolve) => setImmediate(resolve))
    expect([model.running, model.peak]).toEqual([3, 3])
    clock.advance(1)
    await Promise.all(calls)
    expect([model.running, model.peak]).toEqual([0, 3])
  })
})
