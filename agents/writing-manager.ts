import { type ChatModel, describe, type ModelDescription } from '../models/index.ts'
import type { AgentContext, Usage } from './agent.ts'
import { answerStream, answerText, saysNotFound } from './answer-stream.ts'
import { type BudgetParts, solveBudget } from './budget.ts'
import type { CommunicationUnit } from './communication-unit.ts'
import { fitUnit, renderUnit } from './fit-unit.ts'
import { isEmpty, isRepeating, wordsOf } from './guards.ts'
import type { Manager, ManagerInput, ManagerOutput } from './manager.ts'
import { labelled, questionLine } from './prompt.ts'
import { referencesOf } from './references.ts'
import { callRole, type Role, type RoleOptions, roleOf, roleParts, roleUsage } from './role.ts'
import { unitKey } from './writing-worker.ts'

export interface WritingManagerOptions extends RoleOptions {
  /** Most tokens of the answer; 1,024 by default, as far as the model can and a quarter of its window allows. */
  readonly maxOutput?: number
}

/** The text of an answer that says that there is none. */
export const NOT_FOUND_TEXT = 'The text holds no answer to this question.'

const SYSTEM = 'You answer from notes and quotations that readers took from a text too long to read at once.'
const REPAIR = 'Your last reply held no answer. Answer in plain words.'

export function managerInstruction(question: string | undefined): string {
  if (question === undefined) return 'Write a summary of the whole text from these notes alone.\nSummary:'
  return [
    'Answer the question from these notes and quotations alone, as briefly as it allows.',
    'After what you say, write the number of the quotation that it rests on, such as [q1].',
    'If they hold no answer, reply only: NOT FOUND',
    'Answer:',
  ].join('\n')
}

/**
 * The manager of Chain of Agents (arXiv 2406.02818, section 3.3): it sees the last unit and the question, never the text. The answer streams through
 * the context without its references, which are given as `quoteIds`; where it has none, the quotations stand in that its words or the end of the notes
 * point to. An empty unit is `not-found` without a call.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 */
export function writingManager(model: ChatModel, options: WritingManagerOptions = {}): Manager {
  const { description = describe(model) } = options
  const { maxOutput = defaultAnswer(description) } = options
  const manager = roleOf(model, { ...options, description }, { system: SYSTEM, instruction: managerInstruction }, { maxOutput })
  return {
    name: 'writing-manager',
    version: 1,
    identity: manager.identity,
    key: ({ question, unit }) => ({ question: question ?? null, unit: unitKey(unit) }),
    run: (input, context) => answer(manager, input, context),
    place: (recorded) => recorded,
    estimate: (input) => estimate(manager, input),
    room: (question) => solveBudget({ description, parts: budgetParts(manager, question) }).chunk,
  }
}

/** A short answer or a summary of a page; a quarter of a small window at most. */
export function defaultAnswer({ maxOutput, window }: ModelDescription): number {
  return Math.max(1, Math.min(maxOutput, 1024, Math.floor(window / 4)))
}

async function answer(manager: Role, { question, unit }: ManagerInput, context: AgentContext): Promise<ManagerOutput> {
  if (isEmpty(unit.notes) && unit.quotes.length === 0) return notFound()
  const seen = fitToWindow(manager, question, unit, context)
  let reply = await ask(manager, question, seen, context)
  if (isEmpty(answerText(reply)) || (question === undefined && saysNotFound(answerText(reply)))) {
    context.notice('asked-again', 'The reply held no answer; asking once more')
    reply = await ask(manager, question, seen, context, REPAIR)
  }
  const text = answerText(reply)
  if (isEmpty(text) || saysNotFound(text)) return notFound()
  if (isRepeating(text)) context.notice('repeated', 'The answer says the same words again and again')
  return { status: 'answered', text, quoteIds: restsOn(reply, text, unit) }
}

function notFound(): ManagerOutput {
  return { status: 'not-found', text: NOT_FOUND_TEXT, quoteIds: [] }
}

function fitToWindow(manager: Role, question: string | undefined, unit: CommunicationUnit, context: AgentContext): CommunicationUnit {
  const { description } = manager
  const state = description.count(renderUnit(unit))
  const parts = { ...budgetParts(manager, question), state: 0 }
  const room = solveBudget({ description, parts, minimumChunk: Math.min(state, LEAST_STATE) }).chunk
  if (state <= room) return unit
  const fitted = fitUnit(unit, { max: room, count: description.count })
  context.notice(
    'evidence-dropped',
    `The manager's window has room for ${room} tokens of notes: ${fitted.dropped.length} quotations were left out of its prompt`,
  )
  return fitted.unit
}

/** Tokens of notes below which an answer is not worth asking for. */
const LEAST_STATE = 32

async function ask(
  manager: Role,
  question: string | undefined,
  unit: CommunicationUnit,
  context: AgentContext,
  repair?: string,
): Promise<string> {
  const state = renderUnit(unit)
  const sections = [labelled(NOTES_LABEL, state), repair, questionLine(question), manager.orders(question)]
  const parts = { ...budgetParts(manager, question), state: manager.description.count(state) }
  const stream = answerStream((text) => context.delta(text))
  const reply = await callRole(manager, context, { sections, parts, onDelta: (text) => stream.push(text) })
  stream.end(reply)
  return reply
}

const NOTES_LABEL = 'Notes and quotations from the whole text:'

function budgetParts(manager: Role, question: string | undefined): BudgetParts {
  return roleParts(manager, question, { labels: [NOTES_LABEL], repairs: [REPAIR] })
}

function estimate(manager: Role, { question, unit }: ManagerInput): Usage {
  return roleUsage(manager, budgetParts(manager, question), manager.description.count(renderUnit(unit)), 2)
}

/** Most quotations that stand in where an answer names none. */
const STAND_INS = 3

/** Ids that a reply rests on: those it names; else those whose words it shares; else those that the notes name last. */
export function restsOn(reply: string, text: string, unit: CommunicationUnit): string[] {
  const ids = new Set(unit.quotes.map((quote) => quote.id))
  const named = referencesOf(reply).filter((id) => ids.has(id))
  if (named.length > 0) return named
  const shared = sharingWords(text, unit)
  if (shared.length > 0) return shared
  return referencesOf(unit.notes)
    .filter((id) => ids.has(id))
    .toReversed()
    .slice(0, STAND_INS)
}

/** Quotations that hold at least half of the answer's longer words, most first. */
function sharingWords(text: string, unit: CommunicationUnit): string[] {
  const words = new Set(wordsOf(text).filter((word) => word.length > 3 || /\d/.test(word)))
  if (words.size === 0) return []
  return unit.quotes
    .map((quote) => ({
      id: quote.id,
      share: wordsOf(quote.text).filter((word, at, all) => words.has(word) && all.indexOf(word) === at).length / words.size,
    }))
    .filter(({ share }) => share >= 0.5)
    .toSorted((a, b) => b.share - a.share)
    .map(({ id }) => id)
    .slice(0, STAND_INS)
}
