import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConstraintLimitError } from '../../errors/index.ts'
import { type ChatMessage, type LocalModel, openLocalModel } from '../../models/index.ts'

const france: ChatMessage[] = [{ role: 'user', content: 'What is the capital of France?' }]
const city = {
  type: 'object',
  properties: { city: { type: 'string', maxLength: 30 }, population: { type: 'integer', minimum: 0 }, capital: { type: 'boolean' } },
  required: ['city', 'population'],
  additionalProperties: false,
}

describe('a constrained reply of the bundled model', { timeout: 180_000 }, () => {
  let model: LocalModel
  const ajv = new Ajv2020({ strict: false })

  beforeAll(async () => {
    model = await openLocalModel()
    await model.load()
  }, 120_000)

  afterAll(() => model.dispose())

  it.each([
    [city, 60],
    [city, 20],
    [{ type: 'array', items: { enum: ['red', 'green', 'blue'] }, minItems: 2, maxItems: 4 }, 40],
    [{ anyOf: [{ type: 'number', minimum: 0, maximum: 1 }, { type: 'null' }] }, 10],
    [{ type: 'object', properties: { when: { type: 'string', pattern: '^\\d{4}-\\d{2}$' } }, required: ['when'] }, 30],
  ])('is valid by %j within %i tokens', async (schema, maxTokens) => {
    const reply = await model.invoke(france, { constraint: { json: schema }, maxTokens })
    expect(ajv.validate(schema, JSON.parse(reply.content)), reply.content).toBe(true)
    expect(reply.usage_metadata?.output_tokens).toBeLessThanOrEqual(maxTokens)
  })

  it('answers by choice, by expression, and by copying', async () => {
    const choices = ['London', 'Paris', 'Rome']
    expect(choices).toContain((await model.invoke(france, { constraint: { choices } })).content)
    expect((await model.invoke(france, { constraint: { regex: '[A-Z][a-z]{3,8}\\.' }, temperature: 1, seed: 2 })).content).toMatch(
      /^[A-Z][a-z]{3,8}\.$/,
    )
    const source = 'Lyon lies on the Rhône. Paris, on the Seine, is the capital of France. Nice lies by the sea.'
    const copy = await model.invoke(france, { constraint: { verbatim: ['Nothing here.', source] }, maxTokens: 12 })
    expect(copy.content.trim()).not.toBe('')
    expect(source + ' Nothing here.').toContain(copy.content)
  })

  it('refuses what it cannot fulfil before it reads the prompt', async () => {
    const tight = model.invoke(france, { constraint: { json: city }, maxTokens: 3 })
    await expect(tight).rejects.toThrow(ConstraintLimitError)
    await expect(model.invoke(france, { constraint: { json: { not: {} } } })).rejects.toThrow(/keyword not/)
    await expect(model.invoke(france, { constraint: { choices: ['a'] }, stop: ['b'] })).rejects.toThrow(TypeError)
    await expect(model.invoke(france, { constraint: { choices: [] } })).rejects.toThrow(TypeError)
  })

  it('ends before a stop string, also where it lies across tokens, and streams nothing of it', async () => {
    const whole = (await model.invoke(france)).content
    const stop = whole.slice(9, 19)
    const parts: string[] = []
    for await (const { content } of await model.stream(france, { stop: ['never there', stop] })) parts.push(content)
    expect(parts.join('')).toBe(whole.slice(0, whole.indexOf(stop)))
    const kept = await model.invoke(france, { stop: [`${whole}, and more`] })
    expect(kept.content).toBe(whole)
    expect(kept.response_metadata?.['finish_reason']).toBe('stop')
  })

  it('tells the log-probabilities of its tokens', async () => {
    const reply = await model.invoke(france, { maxTokens: 4, logProbs: 2 })
    const { content } = (reply.response_metadata?.['logprobs'] ?? { content: [] }) as {
      content: { token: string; logprob: number; top_logprobs: { token: string; logprob: number }[] }[]
    }
    expect(content.map(({ token }) => token).join('')).toBe(reply.content)
    expect(content).toHaveLength(4)
    for (const { token, logprob, top_logprobs: top } of content) {
      expect(top).toHaveLength(2)
      expect(top[0]).toMatchObject({ token, logprob })
      expect(logprob).toBeLessThanOrEqual(0)
      expect(top[1]?.logprob).toBeLessThanOrEqual(logprob)
    }
  })

  it('says the same when it looks up what it quotes', async () => {
    const passage =
      'Call me Ishmael. Some years ago, never mind how long precisely, having little or no money in my purse, I thought I would sail about a little.'
    const messages: ChatMessage[] = [{ role: 'user', content: `Repeat this text word by word:\n${passage}` }]
    const settings = { maxTokens: 30, constraint: { verbatim: [passage] }, logitBias: { 2: -100 } }
    const plain = await model.invoke(messages, settings)
    const quick = await model.invoke(messages, { ...settings, lookup: true })
    expect(quick.content).toBe(plain.content)
    expect(quick.response_metadata?.['accepted_tokens']).toBeGreaterThan(5)
  })
})
