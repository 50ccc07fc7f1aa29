import type { Fact } from '../../memory/index.ts'
import { type ChatModel, describe } from '../../models/index.ts'
import type { Agent, AgentContext, Estimate } from '../agent.ts'
import { solveBudget } from '../budget.ts'
import { factText } from './fact-text.ts'
import { fieldSchema } from '../field-schema.ts'
import type { FoundFact } from './find-facts.ts'
import { parseObject } from '../parse-object.ts'
import { ownWords } from './plain-sentences.ts'
import { labelled } from '../prompt.ts'
import { quoteFinder } from '../quote-finder.ts'
import { callRole, type Role, type RoleOptions, roleOf, roleParts, roleUsage } from '../role.ts'
import { beginning } from '../turn-judge.ts'

export interface FactExtractorOptions extends RoleOptions {
  /** Most tokens of a reply; 512 by default, as far as the model can and a quarter of its window allows. */
  readonly maxOutput?: number
}

export interface FactExtractorInput {
  /** A user's turn. */
  readonly text: string
  /** When it was said, milliseconds since 1970: dates that count from there are told to the model by this day. */
  readonly saidAt?: number
}

export interface FactExtractorOutput {
  /** Each with a quotation that is literally in the turn. */
  readonly facts: readonly FoundFact[]
  /** Why facts of the reply were left out: `no-object`, `unverified-quote`, `unfit-fact`. */
  readonly flags: readonly string[]
}

/** Draws facts from one turn of a user. */
export type FactExtractor = Agent<FactExtractorInput, FactExtractorOutput>

const SYSTEM =
  'You keep notes on a user, from what the user says of themselves. You would rather note too little than something that was not said.'
const LABEL = 'Message of the user'
const REPAIR = 'Your last reply was no JSON object. Reply with the JSON object alone.'
/** Letters and digits that a quotation must have, so that a stray word proves nothing. */
const FEWEST_SIGNS = 4

const text = { type: 'string', minLength: 1, maxLength: 400 }
const schema = {
  type: 'object',
  properties: {
    facts: {
      type: 'array',
      items: {
        type: 'object',
        properties: { subject: text, attribute: text, topic: { type: 'string' }, value: text, negated: { type: 'boolean' }, quote: text },
        required: ['subject', 'attribute', 'value', 'quote'],
      },
    },
  },
}

/** Attributes with one value at a time. Of others a subject may have several, and a new value must not put an end to an old one. */
const single: ReadonlySet<string> = new Set([
  'name',
  'age',
  'birthday',
  'birthplace',
  'home',
  'origin',
  'nationality',
  'job',
  'employer',
  'school',
  'studies',
  'marital status',
  'spouse',
  'diet',
  'phone number',
  'email',
  'address',
  'native language',
])

export function factInstruction(): string {
  return [
    'Note what the message says that will still matter in later conversations: who the user is, where they live and work, their people, what they own, like, dislike and plan, and what is so no longer.',
    `Reply with one JSON object that fits this schema: ${JSON.stringify(schema)}`,
    'subject: "user", or who of the user\'s it is about, such as "sister". attribute: one or two words, such as "home", "job", "opinion", "owns", "plan". topic: what the attribute is of, where a subject can have several, such as "coffee" for an opinion. value: as short as can be; dates as YYYY-MM-DD. negated: true where it is so no longer. quote: the words of the message that say so, copied without any change.',
    'Leave out questions, tasks, passing states, suppositions, what others are quoted with, and what is only asked for. If there is nothing to note, reply {"facts": []}',
  ].join('\n')
}

/**
 * Facts by a model, from a user's turn alone. A fact counts only with a quotation that is literally in the turn, outside of code, quoted
 * lines and tagged blocks; what does not fit is left out, and flagged. A reply that is no JSON object is asked for once more. Of a turn
 * longer than the window, its beginning is read.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 */
export function factExtractor(model: ChatModel, options: FactExtractorOptions = {}): FactExtractor {
  const { description = describe(model) } = options
  const { maxOutput = Math.max(1, Math.min(description.maxOutput, 512, Math.floor(description.window / 4))) } = options
  const role = roleOf(model, { ...options, description }, { system: SYSTEM, instruction: factInstruction }, { maxOutput })
  return {
    name: 'fact-extractor',
    version: 1,
    identity: role.identity,
    key: (input) => ({ text: input.text, day: dayOf(input.saidAt) ?? null }),
    run: (input, context) => extract(role, input, context),
    place: (recorded) => recorded,
    estimate: (input): Estimate => roleUsage(role, partsOf(role), description.count(input.text), 2),
  }
}

function partsOf(role: Role): ReturnType<typeof roleParts> {
  return roleParts(role, undefined, { labels: [`${LABEL} (2000-01-01):`], repairs: [REPAIR] })
}

function dayOf(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString().slice(0, 10)
}

async function extract(role: Role, input: FactExtractorInput, context: AgentContext): Promise<FactExtractorOutput> {
  const own = ownWords(input.text)
  if (own.trim() === '') return { facts: [], flags: [] }
  const room = solveBudget({ description: role.description, parts: partsOf(role) }).chunk
  const shown = beginning(own, room, role.description.count)
  let reply = parseObject(await ask(role, shown, input, context))
  if (reply === undefined) {
    context.notice('asked-again', 'The reply was no JSON object; asking once more')
    reply = parseObject(await ask(role, shown, input, context, REPAIR))
  }
  if (reply === undefined) return { facts: [], flags: ['no-object'] }
  const { facts: claims } = reply
  const checked = (Array.isArray(claims) ? (claims as unknown[]) : []).map(claimChecker(own))
  const flags = [...new Set(checked.filter((result) => typeof result === 'string'))]
  if (flags.length > 0) context.notice(flags.join(', '), `Facts were left out of ${checked.length} (${flags.join(', ')})`)
  return { facts: checked.filter((result) => typeof result !== 'string'), flags }
}

function ask(role: Role, shown: string, { saidAt }: FactExtractorInput, context: AgentContext, repair?: string): Promise<string> {
  const day = dayOf(saidAt)
  const sections = [labelled(day === undefined ? `${LABEL}:` : `${LABEL} (${day}):`, shown), role.orders(undefined), repair]
  return callRole(role, context, { sections, parts: { ...partsOf(role), chunk: role.description.count(shown) } })
}

function claimChecker(own: string): (claim: unknown) => FoundFact | 'unverified-quote' | 'unfit-fact' {
  const find = quoteFinder(own)
  const [field] = fieldSchema(schema).fields
  return (claim) => {
    const accepted = field?.accept(claim)?.value as (Fact & { readonly quote: string }) | undefined
    if (accepted === undefined) return 'unfit-fact'
    const { quote, ...claimed } = accepted
    const found = quote.replace(/[^\p{L}\p{N}]/gu, '').length >= FEWEST_SIGNS ? find(quote) : undefined
    if (found === undefined) return 'unverified-quote'
    const fact = factFrom(claimed)
    return { ...fact, text: factText(fact), span: { start: found.start, end: found.end } }
  }
}

function factFrom({ subject, attribute, topic = '', value, negated }: Fact): Fact {
  const name = attribute.trim().toLowerCase()
  const of = topic.trim() === '' && !single.has(name) ? value : topic.trim()
  return { subject: subjectOf(subject), attribute: name, ...(of !== '' && { topic: of }), value, ...(negated === true && { negated }) }
}

/** Models name the user in several ways. */
function subjectOf(subject: string): string {
  const plain = subject.trim().replace(/^(?:the )?(?:user's|my|their) /i, '')
  return /^(?:the )?(?:user|i|me|myself|speaker)$/i.test(plain) ? 'user' : plain
}
