/** The memory's own questions about turns that may come back, put to a chat model: does it help, and is its summary enough? */
import { type ChatModel, describe } from '../models/index.ts'
import type { Agent, AgentContext, Estimate } from './agent.ts'
import { solveBudget } from './budget.ts'
import { cutWords } from './fit-unit.ts'
import { SEAMS } from './prompt.ts'
import { callRole, type Role, type RoleOptions, roleOf, roleParts, roleUsage } from './role.ts'
import { yesOrNo } from './yes-or-no.ts'

/** In which form a turn comes back. */
export type TurnForm = 'raw' | 'summary' | 'dropped'

/** A turn to judge. Without a summary it comes back whole or not at all. */
export interface JudgedTurn {
  readonly text: string
  readonly summary?: string
}

export interface TurnJudgeInput {
  /** The user's newest message. */
  readonly question: string
  readonly turns: readonly JudgedTurn[]
}

export interface TurnJudgeOutput {
  /** One a turn, in order. */
  readonly forms: readonly TurnForm[]
  /** Calls that it took. */
  readonly calls: number
}

/** Judges turns that may come back for a message. */
export type TurnJudge = Agent<TurnJudgeInput, TurnJudgeOutput>

export interface TurnJudgeOptions extends RoleOptions {
  /** Most turns of a call; 10 by default. With 1, each turn is asked about on its own, in two questions. */
  readonly batch?: number
}

const SYSTEM = 'You decide which earlier turns of a conversation are needed to answer its newest message.'
const HELPS = 'Does this turn hold anything that helps to answer the message? Reply with one word: YES or NO'
const ENOUGH = 'Is this summary of a turn enough to answer the message, without the turn itself? Reply with one word: YES or NO'
/** Tokens of one verdict's line, and of the reply to a plain question. */
const LINE_TOKENS = 12

export function turnJudgeInstruction(): string {
  return [
    'For each turn reply with one line: its number, a colon, and one of these words:',
    'DROP: the turn does not help to answer the message',
    'SUMMARY: it helps, and its summary says all that is needed of it',
    'WHOLE: it helps, and its own words are needed',
  ].join('\n')
}

/**
 * SCM's judgement (arXiv 2304.13343, its two self-asked questions): whether a turn is needed, and whether its summary is enough, as one choice of three for
 * several turns in a call. A turn without a verdict in the reply is kept whole, so that a bad reply costs room and never memory. A reply
 * without any verdict comes from a model that cannot follow the form: it is then asked about each turn in two plain questions, where a
 * reply that is neither yes nor no counts as `helps` and as `summary not enough`.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 * @throws RangeError when `batch` is not a whole number above 0
 */
export function turnJudge(model: ChatModel, options: TurnJudgeOptions = {}): TurnJudge {
  const { batch = 10, description = describe(model) } = options
  if (!(Number.isInteger(batch) && batch > 0))
    throw new RangeError(`Cannot judge turns in batches of ${batch} as a batch must be a whole number above 0`)
  const maxOutput = Math.min(description.maxOutput, LINE_TOKENS * batch)
  const words = { system: SYSTEM, instruction: turnJudgeInstruction }
  const self = { ...roleOf(model, { ...options, description }, words, { maxOutput, batch }), batch }
  return {
    name: 'turn-judge',
    version: 1,
    identity: self.identity,
    key: ({ question, turns }) => ({ question, turns: turns.map(({ text, summary }) => [text, summary ?? null]) }),
    run: (input, context) => judgeAll(self, input, context),
    place: (recorded) => recorded,
    estimate: (input) => estimate(self, input),
  }
}

interface TurnJudgeRole extends Role {
  readonly batch: number
}

async function judgeAll(self: TurnJudgeRole, { question, turns }: TurnJudgeInput, context: AgentContext): Promise<TurnJudgeOutput> {
  const forms: TurnForm[] = []
  let calls = 0
  for (const group of groupTurns(self, question, turns)) {
    const verdicts = group.length === 1 ? undefined : await judgeTogether(self, question, group, context)
    if (group.length > 1) calls += 1
    if (verdicts !== undefined) {
      forms.push(...verdicts)
      continue
    }
    for (const turn of group) {
      const { form, calls: asked } = await judgeAlone(self, question, turn, context)
      forms.push(form)
      calls += asked
    }
  }
  return { forms, calls }
}

/** Verdicts of one call, or undefined where the reply holds none. */
async function judgeTogether(
  self: TurnJudgeRole,
  question: string,
  turns: readonly JudgedTurn[],
  context: AgentContext,
): Promise<TurnForm[] | undefined> {
  const rendered = turns.map(renderTurn)
  const parts = { ...roleParts(self, question), state: self.description.count(rendered.join('\n\n')) }
  const reply = await callRole(self, context, { sections: [...rendered, messageLine(question), self.orders(question)], parts })
  const verdicts = readVerdicts(reply)
  if (verdicts.size > 0) return turns.map(({ summary }, at) => possible(verdicts.get(at + 1) ?? 'raw', summary))
  context.notice('no-verdict', 'The reply of the judge holds no verdict; each turn is asked about on its own')
  return undefined
}

async function judgeAlone(
  self: TurnJudgeRole,
  question: string,
  { text, summary }: JudgedTurn,
  context: AgentContext,
): Promise<{ form: TurnForm; calls: number }> {
  const ask = async (label: string, words: string, asked: string): Promise<boolean | undefined> =>
    yesOrNo(await callRole(self, context, { sections: [`${label}\n${words}`, messageLine(question), asked] }))
  if ((await ask('Turn:', text, HELPS)) === false) return { form: 'dropped', calls: 1 }
  if (summary === undefined) return { form: 'raw', calls: 1 }
  return { form: (await ask('Summary:', summary, ENOUGH)) === true ? 'summary' : 'raw', calls: 2 }
}

const VERDICT = /^\W*(?:turn\s*)?(\d+)\b[^\p{L}\n]{0,12}(drop|summary|whole|raw)/gimu
const FORMS: Readonly<Record<string, TurnForm>> = { drop: 'dropped', summary: 'summary', whole: 'raw', raw: 'raw' }

/** Verdicts by the turn's number; the first line of a turn counts. */
function readVerdicts(reply: string): Map<number, TurnForm> {
  const verdicts = new Map<number, TurnForm>()
  for (const [, number, word = ''] of reply.matchAll(VERDICT)) {
    const form = FORMS[word.toLowerCase()]
    if (form !== undefined && !verdicts.has(Number(number))) verdicts.set(Number(number), form)
  }
  return verdicts
}

function possible(form: TurnForm, summary: string | undefined): TurnForm {
  return form === 'summary' && summary === undefined ? 'raw' : form
}

/** Groups of at most `batch` turns that fit the window. A turn that fills it alone is judged by its beginning. */
function groupTurns(self: TurnJudgeRole, question: string, turns: readonly JudgedTurn[]): JudgedTurn[][] {
  const { description, batch } = self
  const parts = roleParts(self, question, { repairs: [HELPS, ENOUGH] })
  const room = solveBudget({ description, parts, minimumChunk: 2 * SEAMS }).chunk
  const groups: JudgedTurn[][] = []
  let used = Infinity
  for (const turn of turns) {
    const fitted = fitTurn(turn, Math.floor(room / 2) - SEAMS, description.count)
    const size = description.count(renderTurn(fitted, 99)) + 2
    const last = groups.at(-1)
    if (last !== undefined && last.length < batch && used + size <= room) {
      last.push(fitted)
      used += size
    } else {
      groups.push([fitted])
      used = size
    }
  }
  return groups
}

function fitTurn({ text, summary }: JudgedTurn, most: number, count: (text: string) => number): JudgedTurn {
  return { text: beginning(text, most, count), ...(summary === undefined ? {} : { summary: beginning(summary, most, count) }) }
}

/** Code units that a token has at most, nearly always: what is beyond need not be counted. */
const LONGEST_TOKEN = 16

/** The beginning of a text that has at most `most` tokens. */
export function beginning(text: string, most: number, count: (text: string) => number): string {
  const limit = Math.max(1, most) * LONGEST_TOKEN
  return cutWords(text.length > limit ? text.slice(0, limit).replace(/[\ud800-\udbff]$/, '') : text, Math.max(1, most), count)
}

function renderTurn({ text, summary }: JudgedTurn, at: number): string {
  return [`Turn ${at + 1}:`, text, ...(summary === undefined ? [] : [`Summary of turn ${at + 1}: ${summary}`])].join('\n')
}

function messageLine(question: string): string {
  return `Newest message: ${question}`
}

function estimate(self: TurnJudgeRole, { question, turns }: TurnJudgeInput): Estimate {
  const tokens = turns.reduce((sum, turn, at) => sum + self.description.count(renderTurn(turn, at)), 0)
  const calls = self.batch === 1 ? 2 * turns.length : Math.ceil(turns.length / self.batch)
  return roleUsage(self, roleParts(self, question), calls === 0 ? 0 : tokens / calls, calls)
}
