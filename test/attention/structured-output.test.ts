import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Decoder, GenerateOptions } from '../../attention/decoder.ts'
import { createBpeTokenizer } from '../../attention/bpe-tokenizer.ts'
import { byteLevelText } from '../../attention/byte-level.ts'
import type { ByteTokenizer } from '../../attention/byte-tokenizer.ts'
import { ConstraintCompiler } from '../../attention/constraints/compile-constraint.ts'
import { formats } from '../../attention/constraints/formats.ts'
import { generateTokens } from '../../attention/generate-tokens.ts'
import { ConstraintLimitError } from '../../errors/index.ts'
import { openTiny, someIds } from './open-tiny.ts'
import { type Json, randomSchema, seededInts } from './random-schema.ts'

const pieces = [
  '{"',
  '":',
  '": "',
  '",',
  '", "',
  '"}',
  '"}]',
  '[{',
  '[]',
  '{}',
  '":{"',
  'true',
  'fal',
  'se',
  'null',
  'null}',
  '12',
  '00',
  '-1',
  '.5',
  'ab',
  'é',
  'ü',
  '\\"',
  '\\u00',
  '\n  ',
  '\n    "',
  'name',
  'na',
  'red',
  '",\n',
  '😀',
  '20',
  '-0',
  ' "',
  '0,',
]

/** Every byte, and pieces of JSON that run across the borders of its parts. */
function jsonTokenizer(): ByteTokenizer {
  const bytes = Array.from({ length: 256 }, (_, byte) => byteToken(byte))
  const tokens = ['</s>', ...bytes, ...pieces.map(byteLevelText)]
  return createBpeTokenizer(
    new Map<string, unknown>([
      ['tokenizer.ggml.model', 'gpt2'],
      ['tokenizer.ggml.pre', 'gpt-2'],
      ['tokenizer.ggml.tokens', tokens],
      ['tokenizer.ggml.merges', ['a b']],
      ['tokenizer.ggml.token_type', tokens.map((_, id) => (id === 0 ? 3 : 1))],
      ['tokenizer.ggml.eos_token_id', 0],
    ]),
  )
}

/** The byte-level character of a byte: found among the texts that hold it. */
function byteToken(byte: number): string {
  if (byte < 0x80) return byteLevelText(String.fromCharCode(byte))
  if (byte < 0xc0) return byteLevelText(String.fromCharCode(byte)).slice(1)
  // The first byte of the characters from U+0080, U+0800 and U+10000; the rest never stands in UTF-8.
  if (byte >= 0xc2 && byte < 0xe0) return byteLevelText(String.fromCodePoint((byte & 0x1f) << 6)).charAt(0)
  if (byte >= 0xe0 && byte < 0xf0) return byteLevelText(String.fromCodePoint(byte === 0xe0 ? 0x800 : (byte & 0xf) << 12)).charAt(0)
  if (byte >= 0xf0 && byte < 0xf5) return byteLevelText(String.fromCodePoint(byte === 0xf0 ? 0x10000 : (byte & 7) << 18)).charAt(0)
  return `<${byte}>`
}

const ajv = new Ajv2020({
  strict: false,
  allErrors: false,
  formats: Object.fromEntries(Object.entries(formats).map(([name, source]) => [name, new RegExp(source, 'u')])),
})

function whyInvalid(schema: Json, text: string): string | undefined {
  try {
    return ajv.validate(schema, JSON.parse(text)) ? undefined : ajv.errorsText()
  } catch (error) {
    return String(error)
  }
}

/** A model that says anything. */
async function randomOutput(tokenizer: ByteTokenizer, options: GenerateOptions, seed: number): Promise<{ ids: number[]; finish: string }> {
  const int = seededInts(seed)
  const row = (): Float32Array => Float32Array.from({ length: tokenizer.vocabulary }, () => int(-400, 400) / 100)
  const stream = generateTokens(row(), options, { tokenizer, feed: async (ids) => ids.map(row), forget: () => {} })
  const ids: number[] = []
  for (;;) {
    const { done, value } = await stream.next()
    if (done === true) return { ids, finish: value.finish }
    ids.push(value)
  }
}

describe('an output under a JSON Schema', { timeout: 300_000 }, () => {
  const tokenizer = jsonTokenizer()
  const compiler = new ConstraintCompiler(tokenizer)

  test('is valid for 1,000 random schemas, whatever the model says and wherever the limit lies', async () => {
    const faults: string[] = []
    let written = 0
    for (let seed = 0; seed < 1000; seed++) {
      const schema = randomSchema(seed)
      let constraint
      try {
        constraint = compiler.compile({ json: schema })
      } catch (error) {
        // What nothing fulfils is refused; the checker must then find no value either.
        if (!(error instanceof RangeError && /nothing fulfils/.test(error.message))) faults.push(`${seed} ${String(error)}`)
        continue
      }
      written++
      const { leastTokens } = constraint
      const maxTokens = [leastTokens, leastTokens + (seed % 23), leastTokens + 150][seed % 3] ?? leastTokens
      const { ids } = await randomOutput(tokenizer, { maxTokens, constraint, temperature: 1, stop: [0], seed }, seed + 9999)
      const text = tokenizer.decode(ids)
      const why = whyInvalid(schema, text)
      if (why !== undefined || ids.length > maxTokens) faults.push(`${seed} ${maxTokens} ${JSON.stringify(schema)} ${text} ${why}`)
    }
    expect(faults).toEqual([])
    expect(written).toBeGreaterThan(950)
  })

  test('is refused before anything is generated where the limit is below the shortest', async () => {
    const constraint = compiler.compile({ json: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } })
    const refused = randomOutput(tokenizer, { maxTokens: constraint.leastTokens - 1, constraint }, 1)
    await expect(refused).rejects.toThrow(ConstraintLimitError)
    await expect(refused).rejects.toMatchObject({ leastTokens: constraint.leastTokens, maxTokens: constraint.leastTokens - 1 })
  })

  test('says that the limit ended it where it did', async () => {
    const constraint = compiler.compile({ json: { type: 'string' } })
    const { ids, finish } = await randomOutput(tokenizer, { maxTokens: 3, constraint, logitBias: { 67: 50 } }, 3)
    expect(ids).toHaveLength(3)
    expect(finish).toBe('length')
    expect(typeof JSON.parse(tokenizer.decode(ids))).toBe('string')
  })

  test.each([
    [{ type: 'array', uniqueItems: true }, 'uniqueItems'],
    [{ not: { type: 'string' } }, 'not'],
    [{ type: 'object', propertyNames: { maxLength: 3 } }, 'propertyNames'],
    [{ type: 'object', properties: { a: { if: {}, else: {} } } }, 'if'],
    [{ type: 'number', multipleOf: 0.1 }, 'multipleOf'],
    [{ type: 'string', format: 'regex' }, 'regex'],
    [{ type: 'string', minLenght: 3 }, 'minLenght'],
    [{ $ref: 'https://example.com/a' }, 'example.com'],
    [{ type: 'string', pattern: '(?=a)b' }, 'looks ahead'],
  ])('is refused for %j, naming the keyword', (schema, name) => {
    expect(() => compiler.compile({ json: schema })).toThrow(TypeError)
    expect(() => compiler.compile({ json: schema })).toThrow(name)
  })

  test('never ends inside a character, and may hold any', async () => {
    const constraint = compiler.compile({ json: { type: 'string', minLength: 3, maxLength: 3 } })
    for (let seed = 0; seed < 50; seed++) {
      const bias = Object.fromEntries(Array.from({ length: 128 }, (_, byte) => [byte + 129, 6]))
      const { ids } = await randomOutput(tokenizer, { maxTokens: 20, constraint, temperature: 1, seed, logitBias: bias }, seed)
      const text = new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(ids.flatMap((id) => Array.from(tokenizer.bytes(id)))))
      expect(Array.from(JSON.parse(text) as string)).toHaveLength(3)
    }
  })
})

describe('an output under an expression or choices', () => {
  const tokenizer = jsonTokenizer()
  const compiler = new ConstraintCompiler(tokenizer)

  test.each(['\\d{3}-[a-z]+', '(?:ab|c)*d?', '\\bab\\b.*', '[^a]{2,4}', 'é+ü', 'a|b|cd', '\\p{Lu}\\S{1,5}'])(
    '%s is matched as a whole',
    async (regex) => {
      const constraint = compiler.compile({ regex })
      for (let seed = 0; seed < 20; seed++) {
        const { ids } = await randomOutput(
          tokenizer,
          { maxTokens: constraint.leastTokens + seed, constraint, temperature: 1, stop: [0], seed },
          seed,
        )
        expect(tokenizer.decode(ids)).toMatch(new RegExp(`^(?:${regex})$`, 'u'))
      }
    },
  )

  test('a choice is one of the choices, and each comes', async () => {
    const choices = ['yes', 'no', 'nobody', 'maybe 😀']
    const constraint = compiler.compile({ choices })
    const seen = new Set<string>()
    for (let seed = 0; seed < 60; seed++) {
      seen.add(tokenizer.decode((await randomOutput(tokenizer, { maxTokens: 20, constraint, temperature: 1, stop: [0], seed }, seed)).ids))
    }
    expect([...seen].sort()).toEqual([...choices].sort())
  })
})

describe('a tiny random decoder', { timeout: 120_000 }, () => {
  let decoder: Decoder
  beforeAll(async () => {
    decoder = (await openTiny()).decoder
  })
  afterAll(() => decoder.dispose())

  test('writes valid JSON for random schemas', async () => {
    const compiler = new ConstraintCompiler(decoder.tokenizer as ByteTokenizer)
    const faults: string[] = []
    let written = 0
    for (let seed = 5000; seed < 5060; seed++) {
      const schema = randomSchema(seed, true)
      let constraint
      try {
        constraint = compiler.compile({ json: schema })
      } catch (error) {
        if (!(error instanceof RangeError)) faults.push(String(error))
        continue
      }
      written++
      using cache = decoder.createCache()
      const logits = await decoder.prefill(someIds(5, seed), cache)
      const ids: number[] = []
      const options = { maxTokens: constraint.leastTokens + 15, constraint, temperature: 2, stop: [1], seed }
      for await (const id of decoder.generate(cache, logits, options)) ids.push(id)
      const text = decoder.tokenizer.decode(ids)
      const why = whyInvalid(schema, text)
      if (why !== undefined) faults.push(`${seed} ${JSON.stringify(schema)} ${text} ${why}`)
    }
    expect(faults).toEqual([])
    expect(written).toBeGreaterThan(40)
  })

  test('says the same with and without look-up, in fewer runs', async () => {
    const prompt = someIds(40)
    const generate = async (extra: Partial<GenerateOptions>): Promise<{ ids: number[]; accepted: number; length: number }> => {
      using cache = decoder.createCache()
      const logits = await decoder.prefill(prompt, cache)
      const stream = decoder.generate(cache, logits, { maxTokens: 60, ...extra })
      const ids: number[] = []
      for (;;) {
        const { done, value } = await stream.next()
        if (done === true) return { ids, accepted: value.accepted, length: cache.length }
        ids.push(value)
      }
    }
    for (const options of [{}, { temperature: 0.7, seed: 3 }, { repetitionPenalty: 1.3 }]) {
      const plain = await generate(options)
      const source = [...plain.ids.slice(0, 20), 3, ...plain.ids.slice(18, 50)]
      const drafted = await generate({ ...options, lookup: { sources: [prompt, source] } })
      expect(drafted.ids).toEqual(plain.ids)
      expect(drafted.length).toBe(plain.length)
      expect(drafted.accepted).toBeGreaterThan(20)
    }
  })
})
