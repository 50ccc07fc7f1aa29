import { withContext } from '../chunkers/index.ts'
import { type ChatModel, describe, type ModelDescription } from '../models/index.ts'
import type { AgentContext, Usage } from './agent.ts'
import { type BudgetParts, solveBudget } from './budget.ts'
import { readKey, readTokens } from './chunk-reading.ts'
import { type CommunicationUnit, emptyUnit } from './communication-unit.ts'
import { cutWords, fitUnit, renderUnit } from './fit-unit.ts'
import { wordsOf } from './guards.ts'
import { handOn, recordedQuote } from './hand-on.ts'
import { placeReading } from './place-reading.ts'
import { labelled, questionLine } from './prompt.ts'
import { nextQuoteNumber } from './references.ts'
import { callRole, checkLimits, type Role, type RoleLimits, type RoleOptions, roleOf, roleParts, roleUsage } from './role.ts'
import { takeReply, type TakenReply } from './take-reply.ts'
import type { RecordedReading, Worker, WorkerInput } from './worker.ts'
import { REPAIRS, wordLimit, WORKER_SYSTEM, workerInstruction } from './writing-prompt.ts'

export interface WritingWorkerOptions extends RoleOptions {
  /** Most tokens of the rendered unit; an eighth of the window, from 64 to 1,024, by default. */
  readonly maxUnit?: number
  /** Most tokens of a reply; `maxUnit` by default, as far as the model can. */
  readonly maxOutput?: number
  /** Smallest chunk worth a call, in tokens; 32 by default. */
  readonly minimumChunk?: number
}

/**
 * The worker of Chain of Agents (arXiv 2406.02818, section 3.2) for any chat model: it reads a chunk and the notes before it, and rewrites
 * the notes. Quotations are carried by the framework and not by the model: each is verified literally in its chunk and stays in the unit
 * until its budget forces the least valuable ones out, which is said aloud. A reply that would collapse the chain is asked for once more,
 * then left out.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 * @throws RangeError when an option is no token count, or longer than the model's longest reply
 */
export function writingWorker(model: ChatModel, options: WritingWorkerOptions = {}): Worker {
  return createWriter(model, options, { name: 'writing-worker', version: 1, keepsUnit: true, instruction: workerInstruction })
}

/** What sets the writing worker and the mapper apart. */
export interface WriterKind {
  readonly name: string
  readonly version: number
  /** Whether it reads and hands on the unit that came in. */
  readonly keepsUnit: boolean
  /** Most tokens of what it reads of the text before its chunk; nothing by default. */
  readonly background?: number
  readonly instruction: (question: string | undefined, words: number) => string
}

interface Writer extends Role, Pick<WriterKind, 'keepsUnit' | 'background'> {
  readonly maxUnit: number
}

/** Builds a worker of either kind. */
export function createWriter(model: ChatModel, options: WritingWorkerOptions, kind: WriterKind): Worker {
  const { description = describe(model), minimumChunk = 32 } = options
  const { keepsUnit, background } = kind
  const limits = unitLimits(description, options)
  const { maxUnit } = limits
  checkLimits(description, { ...limits, minimumChunk })
  const instruction = (question: string | undefined): string => kind.instruction(question, wordLimit(maxUnit))
  const role = roleOf(model, { ...options, description }, { system: WORKER_SYSTEM, instruction }, limits)
  const writer: Writer = { ...role, keepsUnit, maxUnit, ...(background === undefined ? {} : { background }) }
  const unitOf = (input: WorkerInput): CommunicationUnit => (keepsUnit ? (input.unit ?? emptyUnit) : emptyUnit)
  const chunkBudget = (question: string | undefined): number =>
    solveBudget({ description, parts: budgetParts(writer, question), minimumChunk }).chunk
  return {
    name: kind.name,
    version: kind.version,
    identity: writer.identity,
    key: (input) => ({
      ...readKey(input.chunk),
      question: input.question ?? null,
      unit: unitKey(unitOf(input)),
      ...(background === undefined ? {} : { background: input.background ?? null }),
    }),
    run: (input, context) => read(writer, { ...input, unit: unitOf(input) }, context),
    place: (recorded, input) => placeReading(recorded, { ...input, unit: unitOf(input) }),
    estimate: (input) => estimate(writer, input),
    chunkBudget,
    count: description.count,
  }
}

/** What of a unit determines a reply: its words, not where its quotations stand. */
export function unitKey(unit: CommunicationUnit): unknown {
  return { notes: unit.notes, quotes: unit.quotes.map(({ id, text, score }) => [id, text, score ?? null]) }
}

/** An eighth of the window leaves most of it to the text; the paper's reply limit of 1,024 tokens is plenty. */
export function defaultUnit({ window }: ModelDescription): number {
  return Math.max(64, Math.min(1024, Math.floor(window / 8)))
}

/** Limits of an agent that rewrites a unit. */
export function unitLimits(
  description: ModelDescription,
  { maxUnit = defaultUnit(description), maxOutput = Math.min(description.maxOutput, maxUnit) }: WritingWorkerOptions,
): RoleLimits & { readonly maxUnit: number } {
  return { maxUnit, maxOutput }
}

async function read(writer: Writer, input: WorkerInput & { unit: CommunicationUnit }, context: AgentContext): Promise<RecordedReading> {
  const { unit } = input
  const first = await ask(writer, input, context)
  const again = first.flag !== undefined && first.flag !== 'refusal'
  if (again) context.notice('asked-again', `The reply was not taken over (${first.flag}); asking once more`)
  const last = again ? await ask(writer, input, context, REPAIRS[first.flag ?? '']) : first
  const quotes = again
    ? [...last.quotes, ...first.quotes.filter((quote) => !last.quotes.some((other) => covers(other, quote))).map(recordedQuote)]
    : last.quotes
  if (last.flag !== undefined) context.notice(last.flag, `The reply was not taken over (${last.flag}); the notes stay as they were`)
  const unverified = again ? first.unverified.length + last.unverified.length : last.unverified.length
  if (unverified > 0) context.notice('unverified-quote', `${unverified} quotations are not in the text and were left out`)
  const notes = last.notes ?? unit.notes
  const handed = handOn({ unit, notes, quotes, known: last.known }, { max: writer.maxUnit, count: writer.description.count })
  if (handed.left.length > 0)
    context.notice('evidence-dropped', `Quotations left to keep the unit under ${writer.maxUnit} tokens: ${handed.left.join(' | ')}`)
  if (handed.cut) context.notice('notes-cut', `The notes were cut to keep the unit under ${writer.maxUnit} tokens`)
  const flags = [last.flag, unverified > 0 && 'unverified-quote', handed.left.length > 0 && 'evidence-dropped', handed.cut && 'notes-cut']
  return {
    found: quotes.length > 0 || !sameNotes(notes, unit.notes),
    notes: handed.notes,
    quotes: handed.quotes,
    dropped: handed.dropped,
    flags: flags.filter((flag) => typeof flag === 'string'),
  }
}

async function ask(
  writer: Writer,
  input: WorkerInput & { unit: CommunicationUnit },
  context: AgentContext,
  repair?: string,
): Promise<TakenReply> {
  const { chunk, question, unit } = input
  const { description, maxUnit } = writer
  const instruction = writer.orders(question)
  const state = renderUnit(fitUnit(unit, { max: maxUnit, count: description.count }).unit)
  const before = writer.background === undefined ? undefined : cutWords(input.background ?? '', writer.background, description.count)
  const sections = [
    labelled(BACKGROUND_LABEL, before),
    labelled(TEXT_LABEL, withContext(chunk)),
    labelled(NOTES_LABEL, state),
    nextLine(writer, unit),
    questionLine(question),
    instruction,
    repair,
  ]
  const used = description.count(state)
  const parts = { ...budgetParts(writer, question), state: used, chunk: readTokens(chunk, description.count) }
  const reply = await callRole(writer, context, { sections, parts })
  const maxTokens = Math.max(16, Math.floor(maxUnit / 4))
  const mayShrink = used * 4 > maxUnit * 3
  return takeReply(reply, { text: chunk.text, unit, question, instruction, mayShrink, maxTokens, count: description.count })
}

const TEXT_LABEL = 'Text:'
const NOTES_LABEL = 'Notes and quotations from the earlier parts:'
const BACKGROUND_LABEL = 'What stands before the text, for understanding only:'

function nextLine({ keepsUnit }: Writer, unit: CommunicationUnit): string | undefined {
  return keepsUnit && unit.quotes.length > 0 ? `New quotations are numbered from [q${nextQuoteNumber(unit)}].` : undefined
}

function budgetParts(writer: Writer, question: string | undefined): BudgetParts {
  const { background, keepsUnit, maxUnit } = writer
  const labels = [
    TEXT_LABEL,
    ...(keepsUnit ? [NOTES_LABEL, 'New quotations are numbered from [q10000].'] : []),
    ...(background === undefined ? [] : [BACKGROUND_LABEL]),
  ]
  return {
    ...roleParts(writer, question, { labels, repairs: Object.values(REPAIRS) }),
    state: (keepsUnit ? maxUnit : 0) + (background ?? 0),
  }
}

/** Two calls: a reply that trips a guard is asked for once more. */
function estimate(writer: Writer, { chunk, question }: WorkerInput): Usage {
  return roleUsage(writer, budgetParts(writer, question), readTokens(chunk, writer.description.count), 2)
}

function covers(outer: { start: number; end: number }, inner: { start: number; end: number }): boolean {
  return outer.start <= inner.start && inner.end <= outer.end
}

function sameNotes(a: string, b: string): boolean {
  return wordsOf(a).join(' ') === wordsOf(b).join(' ')
}
