import { type ChatModel, describe } from '../models/index.ts'
import type { Agent, AgentContext, Usage } from './agent.ts'
import { type BudgetParts, solveBudget } from './budget.ts'
import { combineUnits } from './combine-units.ts'
import type { CommunicationUnit, Quote } from './communication-unit.ts'
import { fitUnit, renderUnit } from './fit-unit.ts'
import { guardNotes, type GuardFlag, withoutRefusals } from './guards.ts'
import { parseReply } from './parse-reply.ts'
import { labelled, questionLine, SEAMS } from './prompt.ts'
import { mapReferences } from './references.ts'
import { callRole, type Role, roleOf, roleParts, roleUsage } from './role.ts'
import { REPAIRS, wordLimit } from './writing-prompt.ts'
import { unitLimits, unitKey, type WritingWorkerOptions } from './writing-worker.ts'

export type MergerOptions = Omit<WritingWorkerOptions, 'minimumChunk'>

export interface MergerInput {
  readonly question?: string
  /** In the order of the text. */
  readonly units: readonly CommunicationUnit[]
}

export interface MergerOutput {
  readonly unit: CommunicationUnit
  /** Quotations that had to leave to keep the unit in its budget. */
  readonly dropped: readonly Quote[]
  readonly flags: readonly string[]
}

/** What a merge records: ids count through the units' quotations in their order. */
export interface RecordedMerge {
  readonly notes: string
  readonly dropped: readonly string[]
  readonly flags: readonly string[]
}

/** Merges several units into one under a budget. */
export type Merger = Agent<MergerInput, MergerOutput, RecordedMerge> & {
  /** Most tokens that the combined units of one merge may have. Throws ContextOverflowError when not even two full units fit. */
  groupBudget(question: string | undefined): number
  count(text: string): number
}

const SYSTEM =
  'Readers of a long text took notes, each of one part. You bring them together. Somebody else works from your notes and the quotations alone.'
const LABEL = 'Notes and quotations, in the order of the text:'

export function mergerInstruction(question: string | undefined, words: number): string {
  const task =
    question === undefined
      ? 'Rewrite the notes as one summary that covers all parts.'
      : 'Rewrite the notes as one that holds all that helps to answer the question. Do not answer yet.'
  return [
    `${task} Keep the numbers such as [q1] after what rests on a quotation. Use at most ${words} words.`,
    'Reply with these lines:',
    'NOTES: the merged notes',
    'CONFLICT: what contradicts what, with the numbers of the quotations (one such line for each contradiction; none where there is none)',
  ].join('\n')
}

/**
 * The merging step of map-reduce, also used to collapse. The notes are rewritten; quotations are carried by the framework, and leave only where the
 * budget forces them out. Where the model gives nothing usable twice, the notes stay side by side, cut to the budget.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 */
export function merger(model: ChatModel, options: MergerOptions = {}): Merger {
  const { description = describe(model) } = options
  const limits = unitLimits(description, options)
  const { maxUnit } = limits
  const instruction = (question: string | undefined): string => mergerInstruction(question, wordLimit(maxUnit))
  const self: MergerRole = { ...roleOf(model, { ...options, description }, { system: SYSTEM, instruction }, limits), maxUnit }
  return {
    name: 'merger',
    version: 2,
    identity: self.identity,
    key: ({ question, units }) => ({ question: question ?? null, units: units.map(unitKey) }),
    run: (input, context) => merge(self, input, context),
    place: (recorded, { units }) => placeMerge(recorded, combineUnits(units)),
    estimate: (input) => estimate(self, input),
    groupBudget: (question) => solveBudget({ description, parts: budgetParts(self, question), minimumChunk: 2 * maxUnit + SEAMS }).chunk,
    count: description.count,
  }
}

interface MergerRole extends Role {
  readonly maxUnit: number
}

async function merge(self: MergerRole, { question, units }: MergerInput, context: AgentContext): Promise<RecordedMerge> {
  const combined = combineUnits(units)
  const fits = { max: self.maxUnit, count: self.description.count }
  let taken: Taken = { notes: combined.notes }
  if (combined.notes !== '') taken = await ask(self, question, combined, context)
  if (taken.flag !== undefined) {
    context.notice('asked-again', `The merged notes were not taken over (${taken.flag}); asking once more`)
    taken = await ask(self, question, combined, context, REPAIRS[taken.flag] ?? REPAIRS['empty'])
  }
  if (taken.flag !== undefined)
    context.notice(taken.flag, `The merged notes were not taken over (${taken.flag}); the notes stay side by side`)
  const ids = new Set(combined.quotes.map((quote) => quote.id))
  const notes = mapReferences(taken.flag === undefined ? taken.notes : combined.notes, (id) => (ids.has(id) ? id : undefined))
  const { unit, dropped, cut } = fitUnit({ notes, quotes: combined.quotes }, fits)
  if (dropped.length > 0)
    context.notice(
      'evidence-dropped',
      `Quotations left to keep the unit under ${self.maxUnit} tokens: ${dropped.map(({ text }) => text).join(' | ')}`,
    )
  if (cut) context.notice('notes-cut', `The notes were cut to keep the unit under ${self.maxUnit} tokens`)
  const flags = [taken.flag, dropped.length > 0 && 'evidence-dropped', cut && 'notes-cut'].filter((flag) => typeof flag === 'string')
  return { notes: unit.notes, dropped: dropped.map(({ id }) => id), flags }
}

interface Taken {
  readonly notes: string
  readonly flag?: GuardFlag
}

async function ask(
  self: MergerRole,
  question: string | undefined,
  combined: CommunicationUnit,
  context: AgentContext,
  repair?: string,
): Promise<Taken> {
  const { count } = self.description
  const state = renderUnit(combined)
  const instruction = self.orders(question)
  const sections = [labelled(LABEL, state), questionLine(question), instruction, repair]
  const written = parseReply(
    await callRole(self, context, { sections, parts: { ...budgetParts(self, question), state: count(state) } }),
  ).notes
  const notes = withoutRefusals(written)
  // Merged notes may be as short as their budget asks for, so that only notes which would have fitted as they were are guarded against shrinking.
  const mayShrink = count(combined.notes) > self.maxUnit / 2
  const flag = written !== '' && notes === '' ? 'refusal' : guardNotes(notes, { previous: combined.notes, instruction, mayShrink })
  return flag === undefined ? { notes } : { notes, flag }
}

function placeMerge({ notes, dropped, flags }: RecordedMerge, combined: CommunicationUnit): MergerOutput {
  const leaves = new Set(dropped)
  const quotes = combined.quotes.filter((quote) => !leaves.has(quote.id))
  return { unit: { notes, quotes }, dropped: combined.quotes.filter((quote) => leaves.has(quote.id)), flags }
}

function budgetParts(self: Role, question: string | undefined): BudgetParts {
  return roleParts(self, question, { labels: [LABEL], repairs: Object.values(REPAIRS) })
}

function estimate(self: MergerRole, { question, units }: MergerInput): Usage {
  return roleUsage(self, budgetParts(self, question), self.description.count(renderUnit(combineUnits(units))), 2)
}
