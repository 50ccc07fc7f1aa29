import { ChatOpenAI } from '@langchain/openai'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { describe, expect, it, vi } from 'vitest'
import { approximateCount, cost, describe as describeModel, knownPrice } from '../../models/index.ts'
import { scriptedModel } from '../../testing/index.ts'

const openAI = (fields: ConstructorParameters<typeof ChatOpenAI>[0]): ChatOpenAI => new ChatOpenAI({ apiKey: 'secret-key', ...fields })

describe('describe', () => {
  it("takes the window and the longest reply from LangChain's profile", () => {
    expect(describeModel(openAI({ model: 'gpt-4o-mini' }))).toEqual({
      id: 'gpt-4o-mini',
      window: 128_000,
      maxOutput: 16_384,
      count: approximateCount,
      exact: false,
      margin: 0.1,
      perMessage: 8,
      price: { input: 0.15, output: 0.6 },
    })
  })

  it("never calls LangChain's counter", () => {
    const model = openAI({ model: 'gpt-4o-mini' })
    const counter = vi.spyOn(model, 'getNumTokens')
    describeModel(model).count('Call me Ishmael.')
    expect(counter).not.toHaveBeenCalled()
  })

  it('lets overrides win over the profile and over a model that describes itself', () => {
    const count = (text: string): number => text.length
    expect(describeModel(openAI({ model: 'gpt-4o-mini' }), { window: 1000, count, exact: true })).toMatchObject({
      window: 1000,
      count,
      exact: true,
      margin: 0,
    })
    expect(describeModel(scriptedModel({ window: 500 }), { maxOutput: 7 })).toMatchObject({
      window: 500,
      maxOutput: 7,
      exact: true,
      margin: 0,
    })
  })

  it.each([
    { name: 'the limit set on the model', maxTokens: 300, maxOutput: 300 },
    { name: "the model's own limit when the one set is above it", maxTokens: 99_999, maxOutput: 16_384 },
    { name: "the model's own limit when -1 says that none is set", maxTokens: -1, maxOutput: 16_384 },
  ])('takes as the longest reply $name', ({ maxTokens, maxOutput }) => {
    expect(describeModel(openAI({ model: 'gpt-4o-mini', maxTokens })).maxOutput).toBe(maxOutput)
  })

  it.each([
    { given: {}, missing: 'window' },
    { given: { maxOutput: 100 }, missing: 'window' },
    { given: { window: 4096 }, missing: 'maxOutput' },
  ])('names the missing option: with $given, $missing', ({ given, missing }) => {
    const model = new FakeListChatModel({ responses: ['yes'] })
    expect(() => describeModel(model, given)).toThrow(TypeError)
    expect(() => describeModel(model, given)).toThrow(`{ ${missing} }`)
  })

  it.each([{ window: 0 }, { window: Number.NaN }, { maxOutput: -1 }, { margin: 1 }, { margin: -0.1 }])('refuses %j', (overrides) => {
    expect(() => describeModel(scriptedModel(), overrides)).toThrow(RangeError)
  })

  it('has an id with what determines the answer, and without the key', () => {
    const id = (fields: ConstructorParameters<typeof ChatOpenAI>[0]): string =>
      describeModel(openAI({ model: 'gpt-4o-mini', ...fields })).id
    expect(id({ temperature: 0 })).not.toBe(id({ temperature: 1 }))
    expect(id({ configuration: { baseURL: 'http://127.0.0.1:1/v1' } })).not.toBe(id({}))
    expect(id({ modelKwargs: { seed: 1 } })).not.toBe(id({}))
    expect(id({ configuration: { baseURL: 'http://user:password@127.0.0.1:1/v1' } })).not.toContain('password')
    expect(id({ temperature: 0, maxRetries: 2 })).toBe('gpt-4o-mini {"temperature":0}')
    expect(id({})).not.toContain('secret-key')
  })
})

describe('price', () => {
  it('is known for a model and its dated snapshots, and for no other', () => {
    expect(knownPrice('gpt-4o-2024-08-06')).toEqual(knownPrice('gpt-4o'))
    expect(['gpt-4o-audio', 'toString', ''].map(knownPrice)).toEqual([undefined, undefined, undefined])
  })

  it('is counted a million tokens', () => {
    expect(cost({ inputTokens: 1_000_000, outputTokens: 500_000 }, { input: 2, output: 8 })).toBe(6)
    expect(cost({ inputTokens: 0, outputTokens: 0 }, { input: 2, output: 8 })).toBe(0)
  })
})
