import { withContext } from '../../chunkers/index.ts'
import { type ChatModel, describe } from '../../models/index.ts'
import type { AgentContext, Estimate } from '../agent.ts'
import { type BudgetParts, solveBudget } from '../budget.ts'
import { readKey, readTokens } from '../chunk-reading.ts'
import { type CommunicationUnit, emptyUnit } from '../communication-unit.ts'
import { cutNotes } from '../fit-unit.ts'
import { type GuardFlag, guardNotes, isRefusal, withoutRefusals, wordsOf } from '../guards.ts'
import { recordedQuote } from '../hand-on.ts'
import { type ParsedReply, parseReply } from '../parse-reply.ts'
import { placeReading } from '../place-reading.ts'
import { labelled, questionLine } from '../prompt.ts'
import { mapReferences, nextQuoteNumber } from '../references.ts'
import { callRole, type Role, type RoleOptions, roleOf, roleParts, roleUsage } from '../role.ts'
import { type VerifiedQuote, verifyQuotes } from '../verify-quotes.ts'
import type { RecordedReading, Worker, WorkerInput } from '../worker.ts'
import { REPAIRS, WORKER_SYSTEM, workerInstruction } from '../writing-prompt.ts'
import { defaultUnit } from '../writing-worker.ts'

export interface Mem1ReaderOptions extends RoleOptions {
  /** Most tokens of the state; an eighth of the window, from 64 to 1,024, by default (MemAgent: 1,024). */
  readonly stateTokens?: number
  /** Most tokens of a reply: the state and new quotations; half as much again as the state, as far as the model can, by default. */
  readonly maxOutput?: number
  /** Smallest chunk worth a call, in tokens; 32 by default. */
  readonly minimumChunk?: number
}

interface Reader extends Role {
  readonly stateTokens: number
}

/**
 * Reads a text chunk by chunk with a state of constant size, as MEM1 (arXiv 2506.15841) and MemAgent (arXiv 2507.02259) do: each chunk is an observation,
 * after which the state is written anew. Quotations are kept beside the state and not in the prompt, where the state refers to them by id: so the prompt stays
 * as long as it is, and evidence never leaves, however long the text.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 * @throws RangeError when an option is no token count, or longer than the model's longest reply
 */
export function mem1Reader(model: ChatModel, options: Mem1ReaderOptions = {}): Worker {
  const { description = describe(model), minimumChunk = 32 } = options
  const { stateTokens = defaultUnit(description) } = options
  const { maxOutput = Math.min(description.maxOutput, Math.ceil(stateTokens * 1.5)) } = options
  const words = Math.max(20, Math.round((stateTokens * 0.6) / 10) * 10)
  const instruction = (question: string | undefined): string => workerInstruction(question, words)
  const role = roleOf(model, { ...options, description }, { system: WORKER_SYSTEM, instruction }, { stateTokens, maxOutput, minimumChunk })
  const reader: Reader = { ...role, stateTokens }
  return {
    name: 'mem1-reader',
    version: 1,
    identity: reader.identity,
    key: ({ chunk, question, unit = emptyUnit }) => ({
      ...readKey(chunk),
      question: question ?? null,
      state: unit.notes,
      next: nextQuoteNumber(unit),
    }),
    run: (input, context) => read(reader, input, context),
    place: placeReading,
    estimate: (input) => estimate(reader, input),
    chunkBudget: (question) => solveBudget({ description, parts: budgetParts(reader, question), minimumChunk }).chunk,
    count: description.count,
  }
}

/** What a reply is worth: a new state where it has one, and quotations that are in the chunk. */
interface Taken {
  readonly state: string | undefined
  readonly flag: GuardFlag | undefined
  readonly quotes: readonly VerifiedQuote[]
  readonly unverified: number
}

async function read(reader: Reader, input: WorkerInput, context: AgentContext): Promise<RecordedReading> {
  const { unit = emptyUnit } = input
  const first = await ask(reader, input, context)
  const again = first.flag !== undefined && first.flag !== 'refusal'
  if (again) context.notice('asked-again', `The reply was not taken over (${first.flag}); asking once more`)
  const last = again ? await ask(reader, input, context, REPAIRS[first.flag ?? '']) : first
  if (last.flag !== undefined) context.notice(last.flag, `The reply was not taken over (${last.flag}); the state stays as it was`)
  const quotes = again
    ? [...last.quotes, ...first.quotes.filter((quote) => !last.quotes.some((other) => covers(other, quote)))]
    : last.quotes
  const unverified = last.unverified + (again ? first.unverified : 0)
  if (unverified > 0) context.notice('unverified-quote', `${unverified} quotations are not in the text and were left out`)
  const written = last.state ?? unit.notes
  const state = cutNotes(written, reader.stateTokens, reader.description.count)
  if (state !== written) context.notice('state-cut', `The state was cut to ${reader.stateTokens} tokens`)
  const flags = [last.flag, unverified > 0 && 'unverified-quote', state !== written && 'state-cut']
  return {
    found: quotes.length > 0 || wordsOf(state).join(' ') !== wordsOf(unit.notes).join(' '),
    notes: state,
    quotes: quotes.map(recordedQuote),
    dropped: [],
    flags: flags.filter((flag) => typeof flag === 'string'),
  }
}

async function ask(
  reader: Reader,
  { chunk, question, unit = emptyUnit }: WorkerInput,
  context: AgentContext,
  repair?: string,
): Promise<Taken> {
  const { description, stateTokens } = reader
  const instruction = reader.orders(question)
  const state = cutNotes(unit.notes, stateTokens, description.count)
  const next = nextQuoteNumber(unit)
  const sections = [
    labelled(TEXT_LABEL, withContext(chunk)),
    labelled(STATE_LABEL, state),
    nextLine(next),
    questionLine(question),
    instruction,
    repair,
  ]
  const used = description.count(state)
  const parts = { ...budgetParts(reader, question), state: used, chunk: readTokens(chunk, description.count) }
  const reply = parseReply(await callRole(reader, context, { sections, parts }))
  const maxTokens = Math.max(16, Math.floor(stateTokens / 4))
  const { quotes, unverified } = verifyQuotes(chunk.text, reply.quotes, { question, maxTokens, count: description.count })
  const mayShrink = used * 4 > stateTokens * 3
  return { ...takeState(reply, { unit, quotes, next, instruction, mayShrink }), quotes, unverified: unverified.length }
}

interface StateCheck {
  readonly unit: CommunicationUnit
  readonly quotes: readonly VerifiedQuote[]
  readonly next: number
  readonly instruction: string
  readonly mayShrink: boolean
}

/** Ids of the quotations before keep their meaning; a new one has the id that the reply gave it, or the one of its place. */
function takeState(reply: ParsedReply, { unit, quotes, next, instruction, mayShrink }: StateCheck): Pick<Taken, 'state' | 'flag'> {
  const unchanged = { state: undefined, flag: undefined }
  if (reply.notes === '' && (reply.nothingNew || quotes.length > 0)) return unchanged
  if (reply.nothingNew && quotes.length === 0) return unchanged
  if (isRefusal(reply.notes)) return { state: undefined, flag: 'refusal' }
  const notes = withoutRefusals(reply.notes)
  const flag = guardNotes(notes, { previous: unit.notes, instruction, mayShrink })
  if (flag !== undefined) return { state: undefined, flag }
  const ids = new Map<string, string>()
  reply.quotes.forEach(({ text, label }, at) => {
    const place = quotes.findIndex((quote) => (label !== undefined && quote.label === label) || text.includes(quote.text))
    if (place >= 0) ids.set(isNew(label, next) ? label : `q${next + at}`, `q${next + place}`)
  })
  const known = (id: string): string | undefined => ids.get(id) ?? (isNew(id, next) ? undefined : id)
  return { state: mapReferences(notes, known), flag: undefined }
}

function isNew(id: string | undefined, next: number): id is string {
  return id !== undefined && Number(id.slice(1)) >= next
}

function covers(outer: { start: number; end: number }, inner: { start: number; end: number }): boolean {
  return outer.start <= inner.start && inner.end <= outer.end
}

const TEXT_LABEL = 'Text:'
const STATE_LABEL = 'Notes from the earlier parts:'

function nextLine(next: number): string | undefined {
  return next === 1 ? undefined : `New quotations are numbered from [q${next}].`
}

function budgetParts(reader: Reader, question: string | undefined): BudgetParts {
  const labels = [TEXT_LABEL, STATE_LABEL, nextLine(10_000) ?? '']
  return { ...roleParts(reader, question, { labels, repairs: Object.values(REPAIRS) }), state: reader.stateTokens }
}

/** Two calls: a reply that trips a guard is asked for once more. */
function estimate(reader: Reader, { chunk, question }: WorkerInput): Estimate {
  return roleUsage(reader, budgetParts(reader, question), readTokens(chunk, reader.description.count), 2)
}
