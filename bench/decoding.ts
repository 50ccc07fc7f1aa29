/** How outputs are made: constrained ones by their validity and cost, quotations by the runs that look-up saves. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { type ChatMessage, type LocalModel, openLocalModel } from '../models/index.ts'
import type { Bench, BenchOptions, BenchResult } from './bench.ts'
import { haystack } from './haystack.ts'
import { quantile } from './statistics.ts'

export interface DecodingScale {
  /** Schemas that a reply is asked for. */
  readonly schemas: number
  /** Passages that are quoted. */
  readonly passages: number
}

export const bench: Bench = {
  name: 'decoding',
  run: (options) => measureDecoding(options, options.quick ? { schemas: 6, passages: 2 } : { schemas: 50, passages: 8 }),
}

export async function measureDecoding(options: BenchOptions, scale: DecodingScale): Promise<BenchResult> {
  await using model = await openLocalModel()
  await model.load()
  const structured = await measureStructured(model, scale.schemas, options)
  const quoted = await measureQuotation(model, scale.passages, options)
  return { settings: { ...scale, model: model.id, seed: options.seed }, figures: { ...structured, ...quoted } }
}

/** Replies under schemas with half of them so short of tokens that they have to be closed early. */
async function measureStructured(model: LocalModel, schemas: number, { seed, signal, log }: BenchOptions): Promise<Record<string, number>> {
  const ajv = new Ajv2020({ strict: false })
  const messages: ChatMessage[] = [{ role: 'user', content: 'Describe a ship, its captain and its last voyage as JSON.' }]
  let invalid = 0
  let closedEarly = 0
  const constrained: number[] = []
  const free: number[] = []
  for (let index = 0; index < schemas; index++) {
    const schema = schemaOf(seed + index)
    const maxTokens = index % 2 === 0 ? 160 : 60
    const sampling = { signal, maxTokens, temperature: 1, seed: seed + index }
    const { reply, perToken } = await timed(() => model.invoke(messages, { ...sampling, constraint: { json: schema } }))
    constrained.push(perToken)
    free.push((await timed(() => model.invoke(messages, { ...sampling, maxTokens: 40 }))).perToken)
    if (reply.response_metadata?.['finish_reason'] === 'length') closedEarly++
    if (!isValid(ajv, schema, reply.content)) {
      invalid++
      log(`decoding: invalid by ${JSON.stringify(schema)}: ${reply.content}`)
    }
  }
  log(`decoding: ${schemas} replies under schemas, ${invalid} invalid, ${closedEarly} closed early`)
  return {
    structured: schemas,
    structuredInvalid: invalid,
    structuredClosedEarly: closedEarly,
    constraintCost: quantile(constrained, 0.5) / quantile(free, 0.5),
  }
}

/** The same quotations with and without look-up, in turn. */
async function measureQuotation(model: LocalModel, passages: number, { seed, signal, log }: BenchOptions): Promise<Record<string, number>> {
  let plain = 0
  let drafted = 0
  let tried = 0
  let accepted = 0
  let different = 0
  let tokens = 0
  for (let index = 0; index < passages; index++) {
    const text = haystack('words', 900, seed + index)
    const messages: ChatMessage[] = [{ role: 'user', content: `Repeat this text word by word, and nothing else:\n${text}` }]
    const settings = { signal, maxTokens: 120, constraint: { verbatim: [text] } }
    await model.invoke(messages, { signal, maxTokens: 1 })
    const without = await timed(() => model.invoke(messages, settings))
    const looked = await timed(() => model.invoke(messages, { ...settings, lookup: true }))
    plain += without.milliseconds
    drafted += looked.milliseconds
    tokens += looked.reply.usage_metadata?.output_tokens ?? 0
    tried += Number(looked.reply.response_metadata?.['drafted_tokens'] ?? 0)
    accepted += Number(looked.reply.response_metadata?.['accepted_tokens'] ?? 0)
    if (looked.reply.content !== without.reply.content) different++
  }
  log(`decoding: look-up answered ${passages} times, ${(plain / drafted).toFixed(2)} times as fast`)
  return {
    lookupSpeedup: plain / drafted,
    lookupAccepted: accepted / Math.max(1, tried),
    lookupShare: accepted / Math.max(1, tokens),
    lookupDifferent: different,
  }
}

async function timed(
  call: () => ReturnType<LocalModel['invoke']>,
): Promise<{ reply: Awaited<ReturnType<LocalModel['invoke']>>; milliseconds: number; perToken: number }> {
  const start = performance.now()
  const reply = await call()
  const milliseconds = performance.now() - start
  return { reply, milliseconds, perToken: milliseconds / Math.max(1, reply.usage_metadata?.output_tokens ?? 1) }
}

function isValid(ajv: Ajv2020, schema: Record<string, unknown>, text: string): boolean {
  try {
    return ajv.validate(schema, JSON.parse(text))
  } catch {
    return false
  }
}

/** A schema as people write them for extraction. */
function schemaOf(seed: number): Record<string, unknown> {
  const generator = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1))
  const kinds: readonly Record<string, unknown>[] = [
    { type: 'string' },
    { type: 'string', maxLength: 40 },
    { type: ['string', 'null'] },
    { type: 'integer', minimum: 0, maximum: 5000 },
    { type: 'number' },
    { type: 'boolean' },
    { enum: ['whaler', 'merchant', 'warship', 'unknown'] },
    { type: 'array', items: { type: 'string', minLength: 1 }, maxItems: 5 },
    { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}$' },
    { type: 'object', properties: { first: { type: 'string' }, last: { type: 'string' } }, required: ['last'] },
  ]
  const names = ['name', 'captain', 'built', 'crew', 'cargo', 'port', 'voyage', 'is_lost']
  const chosen = names.filter(() => uniformInt(generator, 0, 2) > 0)
  const properties = Object.fromEntries(chosen.map((name) => [name, kinds[uniformInt(generator, 0, kinds.length - 1)]]))
  const required = chosen.filter(() => uniformInt(generator, 0, 1) === 1).slice(0, 4)
  return { type: 'object', properties, additionalProperties: false, ...(required.length > 0 && { required }) }
}
