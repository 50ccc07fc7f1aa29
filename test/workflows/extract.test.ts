import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { scriptedModel, type ScriptedModel } from '../../testing/index.ts'
import { ask, createMemoryJournal, extract, type ExtractOptions, type FieldRules } from '../../workflows/index.ts'
import { collect, story } from './story.ts'

const schema = {
  type: 'object',
  properties: {
    captain: { type: 'string' },
    cargo: { type: 'array', items: { type: 'string' } },
    crew: { type: 'integer', minimum: 1 },
    flag: { enum: ['red', 'blue'] },
  },
  required: ['captain', 'crew'],
  additionalProperties: false,
} as const

const facts = {
  10: 'Captain Orme took the ship out.',
  40: 'Captain Orme had tea loaded.',
  41: 'They took 12 men aboard.',
  80: 'Captain Vane took over, with Tea and silk aboard.',
  120: 'Then 3 men more came, under a red flag.',
}
const document = story(160, facts)

/** Reads what a chunk says by patterns. */
function clerk(extra: (prompt: string) => Record<string, unknown> = () => ({})): ScriptedModel {
  const said = (prompt: string, pattern: RegExp): { value: string; quote: string }[] =>
    Object.values(facts)
      .filter((fact) => prompt.includes(fact))
      .flatMap((fact) => [...fact.matchAll(pattern)].map(([, value = '']) => ({ value, quote: fact })))
  return scriptedModel({
    fallback: ({ prompt }) =>
      `Here it is: ${JSON.stringify({
        captain: said(prompt, /Captain (\w+)/g),
        cargo: said(prompt, /(\w+) loaded|(?<=with )(Tea)|silk/gi).map(({ value, quote }) => ({ value: value || 'silk', quote })),
        crew: said(prompt, /(\d+) men/g),
        flag: said(prompt, /(red) flag/g),
        ...extra(prompt),
      })}`,
    window: 900,
    maxOutput: 200,
  })
}

const run = (options: Partial<ExtractOptions> = {}): ReturnType<typeof ask>['result'] =>
  ask(document, undefined, { strategy: extract({ model: clerk(), schema, ...options }) }).result

describe('extract()', () => {
  it('gives each field its value and its citations', async () => {
    const { status, text, fields, citations, coverage } = await run()
    expect(status).toBe('answered')
    expect(JSON.parse(text)).toMatchObject({ captain: 'Orme', crew: 12, flag: 'red' })
    expect(fields?.['captain']?.evidence.map(({ value, citations: own }) => [value, own.map(({ quote }) => quote)])).toEqual([
      ['Orme', [facts[10], facts[40]]],
      ['Vane', [facts[80]]],
    ])
    expect(citations.map(({ quote }) => quote).toSorted()).toEqual(Object.values(facts).toSorted())
    for (const { start, end, quote } of citations) expect(document.slice(start, end)).toBe(quote)
    expect(coverage.read + coverage.empty).toBe(coverage.total)
  })

  it.each<[FieldRules, Record<string, unknown>]>([
    [{ captain: 'first' }, { captain: 'Orme' }],
    [{ captain: 'last' }, { captain: 'Vane' }],
    [{ captain: 'vote' }, { captain: 'Orme' }],
    [{ crew: 'sum' }, { crew: 15 }],
    [{ crew: 'last' }, { crew: 3 }],
    [{ cargo: 'union' }, { cargo: ['tea', 'silk'] }],
    [{ cargo: 'first' }, { cargo: ['tea'] }],
    [{ cargo: 'last' }, { cargo: ['silk'] }],
  ])('merges by the rule %j', async (rules, expected) => {
    const cargo = (prompt: string): Record<string, unknown> => ({
      cargo: [
        ...(prompt.includes(facts[40]) ? [{ value: 'tea', quote: facts[40] }] : []),
        ...(prompt.includes(facts[80]) ? [{ value: 'silk', quote: facts[80] }] : []),
      ],
    })
    expect(JSON.parse((await run({ model: clerk(cargo), rules })).text)).toMatchObject(expected)
  })

  it('leaves out values that do not fit the schema or whose words are not in the text', async () => {
    const model = clerk((prompt) => ({
      captain: prompt.includes(facts[10])
        ? [
            { value: 'Nobody', quote: 'Nobody took the ship out at all.' },
            { value: 'Orme', quote: facts[10] },
          ]
        : [],
      crew: prompt.includes(facts[41])
        ? [
            { value: 'many', quote: facts[41] },
            { value: 0, quote: facts[41] },
            { value: '12', quote: facts[41] },
          ]
        : [],
      flag: [{ value: 'green', quote: facts[120] }, { value: 'red' }],
      ship: [{ value: 'Pequod', quote: facts[10] }],
    }))
    const { text, fields } = await run({ model })
    expect(JSON.parse(text)).toMatchObject({ captain: 'Orme', crew: 12 })
    expect(Object.keys(fields ?? {})).not.toContain('flag')
    expect(Object.keys(fields ?? {})).not.toContain('ship')
  })

  it('takes a schema of zod', async () => {
    const shape = z.object({ captain: z.string(), crew: z.number().int(), cargo: z.array(z.string()).optional() })
    const { text } = await run({ schema: shape })
    expect(shape.parse(JSON.parse(text))).toMatchObject({ captain: 'Orme', crew: 12 })
  })

  it('says that nothing is there where the text tells of no field', async () => {
    const strategy = extract({ model: clerk(), schema })
    const answer = await ask(story(20), undefined, { strategy }).result
    expect(answer).toMatchObject({ status: 'not-found', fields: {}, citations: [] })
  })

  it('says what the object still lacks', async () => {
    const needs = { ...schema, properties: { ...schema.properties, port: { type: 'string' } }, required: ['port'] }
    const events = await collect(ask(document, undefined, { strategy: extract({ model: clerk(), schema: needs }) }))
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'notice.given', code: 'incomplete', message: expect.stringContaining("'port'") as string }),
    )
  })

  it('asks once more for a reply that is no object, then goes on without that chunk', async () => {
    const model = scriptedModel({ fallback: 'I cannot say.', window: 900, maxOutput: 200 })
    const answer = await ask(story(10, facts), undefined, { strategy: extract({ model, schema }) }).result
    expect(answer.status).toBe('not-found')
    expect(model.calls.length).toBe(2 * answer.coverage.total)
  })

  it('calls nothing again for a text that it has read', async () => {
    const journal = createMemoryJournal()
    const model = clerk()
    const first = await ask(document, undefined, { strategy: extract({ model, schema }), journal }).result
    const second = await ask(document, undefined, { strategy: extract({ model, schema, rules: { crew: 'sum' } }), journal }).result
    expect(second.usage).toMatchObject({ calls: 0, reused: first.usage.calls })
    expect(JSON.parse(second.text)).toMatchObject({ crew: 15 })
  })

  it.each<[string, Partial<ExtractOptions>, RegExp]>([
    ['a schema of no object', { schema: { type: 'string' } }, /not of an object with properties/],
    ['an object without properties', { schema: { type: 'object' } }, /not of an object with properties/],
    ['what is no schema', { schema: { type: 'object', properties: { a: { type: 'colour' } } } }, /schema is not valid.*type/],
    ['a rule of no field', { rules: { mate: 'first' } }, /does not have: mate/],
    ['a sum of words', { rules: { captain: 'sum' } }, /rule sum is for fields that are of a single number: captain/],
    ['a union of single values', { rules: { captain: 'union' } }, /rule union is for fields that are a list: captain/],
    ['a vote over lists', { rules: { cargo: 'vote' } }, /rule vote is for fields that are a single value: cargo/],
    ['an unknown rule', { rules: { captain: 'best' as never } }, /no such rule: best/],
  ])('refuses %s', (_, options, message) => {
    expect(() => extract({ model: clerk(), schema, ...options })).toThrow(message)
  })
})
