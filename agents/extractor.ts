import { type Chunk, withContext } from '../chunkers/index.ts'
import { type ChatModel, describe } from '../models/index.ts'
import type { Agent, AgentContext, Estimate } from './agent.ts'
import { type BudgetParts, solveBudget } from './budget.ts'
import { readKey, readTokens } from './chunk-reading.ts'
import type { Quote } from './communication-unit.ts'
import type { Field, FieldSchema } from './field-schema.ts'
import { recordedQuote } from './hand-on.ts'
import { parseObject } from './parse-object.ts'
import { placeQuotes } from './place-reading.ts'
import { labelled, questionLine } from './prompt.ts'
import { callRole, type Role, type RoleOptions, roleOf, roleParts, roleUsage } from './role.ts'
import { verifyQuotes } from './verify-quotes.ts'
import type { RecordedQuote } from './worker.ts'

export interface ExtractorOptions extends RoleOptions {
  /** Most tokens of a reply; 1,024 by default, as far as the model can and a quarter of its window allows. */
  readonly maxOutput?: number
}

export interface ExtractorInput {
  readonly chunk: Chunk
  /** Absent: all that the text holds for the fields. */
  readonly question?: string
}

/** A value that a chunk holds for a field, with the words that say so. */
export interface FoundValue {
  readonly field: string
  readonly value: unknown
  readonly quote: Quote
}

export interface ExtractorOutput {
  readonly found: boolean
  readonly values: readonly FoundValue[]
  readonly flags: readonly string[]
}

export interface RecordedValues {
  readonly values: readonly { readonly field: string; readonly value: unknown; readonly quote: RecordedQuote }[]
  readonly flags: readonly string[]
}

/** Reads the fields of a schema from one chunk. */
export type Extractor = Agent<ExtractorInput, ExtractorOutput, RecordedValues> & {
  /** Most tokens a chunk may have. Throws ContextOverflowError naming each part. */
  chunkBudget(question: string | undefined): number
  count(text: string): number
}

const SYSTEM = 'You fill a form from one part of a long text, with what the text says and nothing else.'
const LABEL = 'Text:'
const REPAIR = 'Your last reply was no JSON object. Reply with the JSON object alone.'
/** In tokens; a longer quotation is cut between words. */
const LONGEST_QUOTE = 128

function instructionOf({ json }: FieldSchema): string {
  return [
    `Find in this part what it holds for the properties of this JSON Schema: ${JSON.stringify(json)}`,
    'Reply with one JSON object: for each property that the part tells of, a list of objects {"value": the value, "quote": words of the part that say so, copied without any change}.',
    'Leave out properties of which it does not tell. If it tells of none, reply {}',
  ].join('\n')
}

/**
 * Extraction to a schema, one chunk at a time. Every value has to come with a quotation that is literally in the chunk and has to fit the schema; what
 * does not is left out, and flagged. A reply that is no JSON object is asked for once more.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 */
export function extractor(model: ChatModel, schema: FieldSchema, options: ExtractorOptions = {}): Extractor {
  const { description = describe(model) } = options
  const { maxOutput = Math.max(1, Math.min(description.maxOutput, 1024, Math.floor(description.window / 4))) } = options
  const instruction = (): string => instructionOf(schema)
  const role = roleOf(model, { ...options, description }, { system: SYSTEM, instruction }, { maxOutput })
  return {
    name: 'extractor',
    version: 1,
    identity: role.identity,
    key: ({ chunk, question }) => ({ ...readKey(chunk), question: question ?? null, schema: schema.json }),
    run: (input, context) => extract(role, schema, input, context),
    place: (recorded, { chunk }) => placeValues(recorded, chunk),
    estimate: ({ chunk, question }): Estimate => roleUsage(role, partsOf(role, question), readTokens(chunk, description.count), 2),
    chunkBudget: (question) => solveBudget({ description, parts: partsOf(role, question), minimumChunk: 32 }).chunk,
    count: description.count,
  }
}

function partsOf(role: Role, question: string | undefined): BudgetParts {
  return roleParts(role, question, { labels: [LABEL], repairs: [REPAIR] })
}

async function extract(role: Role, schema: FieldSchema, input: ExtractorInput, context: AgentContext): Promise<RecordedValues> {
  let reply = parseObject(await ask(role, input, context))
  if (reply === undefined) {
    context.notice('asked-again', 'The reply was no JSON object; asking once more')
    reply = parseObject(await ask(role, input, context, REPAIR))
  }
  if (reply === undefined) return { values: [], flags: ['no-object'] }
  const claims = schema.fields.flatMap((field) => claimsOf(field, reply[field.name]))
  const checked = claims.map((claim) => checkClaim(claim, input, role.description.count))
  const flags = [...new Set(checked.filter((result) => typeof result === 'string'))]
  if (flags.length > 0) context.notice(flags.join(', '), `Values were left out of ${claims.length} (${flags.join(', ')})`)
  return { values: checked.filter((result) => typeof result !== 'string'), flags }
}

function ask(role: Role, { chunk, question }: ExtractorInput, context: AgentContext, repair?: string): Promise<string> {
  const sections = [labelled(LABEL, withContext(chunk)), questionLine(question), role.orders(question), repair]
  return callRole(role, context, { sections, parts: { ...partsOf(role, question), chunk: readTokens(chunk, role.description.count) } })
}

/** A value and its quotation as the reply has them. */
interface Claim {
  readonly field: Field
  readonly value: unknown
  readonly quote: unknown
}

function claimsOf(field: Field, given: unknown): Claim[] {
  const list: unknown[] = Array.isArray(given) ? given : given === undefined || given === null ? [] : [given]
  return list.flatMap((item) => {
    const { value, quote } = (typeof item === 'object' && item !== null ? item : {}) as { value?: unknown; quote?: unknown }
    if (value === undefined || value === null) return []
    // A list in place of its items: each of them rests on the same words.
    const values: unknown[] = field.list && Array.isArray(value) ? value : [value]
    return values.map((one) => ({ field, value: one, quote }))
  })
}

function checkClaim(
  { field, value, quote }: Claim,
  { chunk, question }: ExtractorInput,
  count: (text: string) => number,
): RecordedValues['values'][number] | 'unverified-quote' | 'unfit-value' {
  const accepted = field.accept(value)
  if (accepted === undefined) return 'unfit-value'
  const given = typeof quote === 'string' ? [{ text: quote }] : []
  const [found] = verifyQuotes(chunk.text, given, { question, maxTokens: LONGEST_QUOTE, count }).quotes
  return found === undefined ? 'unverified-quote' : { field: field.name, value: accepted.value, quote: recordedQuote(found) }
}

function placeValues({ values, flags }: RecordedValues, chunk: Chunk): ExtractorOutput {
  const quotes = placeQuotes(
    values.map(({ quote }) => quote),
    chunk,
    1,
  )
  const placed = values.flatMap(({ field, value }, at) => {
    const quote = quotes[at]
    return quote === undefined ? [] : [{ field, value, quote }]
  })
  return { found: placed.length > 0, values: placed, flags }
}
