import { type ChatModel, describe } from '../models/index.ts'
import type { Agent, AgentContext } from './agent.ts'
import { solveBudget } from './budget.ts'
import { type GuardFlag, guardNotes } from './guards.ts'
import { labelled } from './prompt.ts'
import { callRole, type Role, type RoleOptions, roleOf, roleParts, roleUsage } from './role.ts'
import { beginning } from './turn-judge.ts'

export interface TurnSummaryInput {
  readonly text: string
}

export interface TurnSummaryOutput {
  /** Absent where the turn stands for itself. */
  readonly summary?: string
  /** Why there is no summary: the turn is `short`, or the reply was `longer` than the turn, in another script, or tripped a guard. */
  readonly flag?: 'short' | 'longer' | 'script' | GuardFlag
}

/** Shortens one turn of a conversation. */
export type TurnSummary = Agent<TurnSummaryInput, TurnSummaryOutput>

export interface TurnSummaryOptions extends RoleOptions {
  /** Turns of fewer tokens stand for themselves; 120 by default. */
  readonly shortest?: number
  /** Most tokens of a summary; 96 by default. */
  readonly maxOutput?: number
}

const SYSTEM = 'You shorten single turns of a conversation. Somebody else, who may not see the turn, works from what you write.'
const LABEL = 'Turn:'

export function turnSummaryInstruction(): string {
  return [
    'Write in one or two sentences what this turn says.',
    'Keep names, numbers, dates, decisions, wishes and what is denied. Write in the language of the turn. Reply with the summary alone.',
  ].join(' ')
}

/**
 * SCM's turn summary. No reply may cost memory: one that is empty, refuses, repeats itself, gives the orders back, is not shorter than the
 * turn or is written in another script leaves the turn without a summary, and its own words stand. A failed call throws and is not
 * recorded, so that it can be made again.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 */
export function turnSummary(model: ChatModel, options: TurnSummaryOptions = {}): TurnSummary {
  const { description = describe(model), shortest = 120 } = options
  const { maxOutput = Math.min(96, description.maxOutput) } = options
  const limits = { maxOutput, shortest }
  const self = { ...roleOf(model, { ...options, description }, { system: SYSTEM, instruction: turnSummaryInstruction }, limits), shortest }
  return {
    name: 'turn-summary',
    version: 1,
    identity: self.identity,
    key: ({ text }) => ({ text }),
    run: (input, context) => summarise(self, input, context),
    place: (recorded) => recorded,
    estimate: ({ text }) => roleUsage(self, roleParts(self, undefined, { labels: [LABEL] }), self.description.count(text), 1),
  }
}

async function summarise(
  self: Role & { readonly shortest: number },
  { text }: TurnSummaryInput,
  context: AgentContext,
): Promise<TurnSummaryOutput> {
  const { description, shortest } = self
  const parts = roleParts(self, undefined, { labels: [LABEL] })
  const shown = beginning(text, solveBudget({ description, parts }).chunk, description.count)
  if (shown.length === text.length && description.count(text) < shortest) return { flag: 'short' }
  if (shown.length < text.length) context.notice('turn-cut', 'The turn is longer than the window; its beginning is summarised')
  const instruction = self.orders(undefined)
  const reply = await callRole(self, context, {
    sections: [labelled(LABEL, shown), instruction],
    parts: { ...parts, chunk: description.count(shown) },
  })
  const summary = reply.replace(/^\s*(?:summary\s*:)?\s*/i, '').trim()
  const flag = flagOf(summary, shown, instruction, description.count)
  if (flag === undefined) return { summary }
  context.notice(flag, `The summary of a turn was not taken over (${flag}); the turn's own words stand`)
  return { flag }
}

function flagOf(summary: string, text: string, instruction: string, count: (text: string) => number): TurnSummaryOutput['flag'] {
  const guard = guardNotes(summary, { previous: '', instruction: `${SYSTEM} ${instruction}` })
  if (guard !== undefined) return guard
  if (count(summary) >= count(text)) return 'longer'
  return isLatin(summary) === isLatin(text) ? undefined : 'script'
}

/** Share of Latin letters above which a text counts as written in them (SCM's rule for the language of a conversation). */
const LATIN_SHARE = 0.6

function isLatin(text: string): boolean {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  const latin = text.match(/\p{Script=Latin}/gu)?.length ?? 0
  return letters === 0 || latin / letters > LATIN_SHARE
}
