/** The memory's questions about turns, put to a model that exposes likelihoods: a ratio, not a word. */
import type { LikelihoodModel } from '../models/index.ts'
import type { AgentContext } from './agent.ts'
import { questionLikelihoods } from './question-likelihood.ts'
import { beginning, type JudgedTurn, type TurnForm, type TurnJudge, type TurnJudgeInput, type TurnJudgeOutput } from './turn-judge.ts'
import { gainOf } from './rank-quotes.ts'
import { usageOf } from './usage-of.ts'

export interface LikelihoodTurnJudgeOptions {
  /** Gain for each token of the message below which no turn helps; see `CALIBRATED`. */
  readonly helps?: number
  /** Gain from which every turn helps. */
  readonly sure?: number
  /** Between both: how far a turn must stand from what most turns gain towards the greatest gain, from 0 to 1. */
  readonly outstanding?: number
  /** Share of the turn's gain that its summary must have to be enough; see `CALIBRATED`. */
  readonly enough?: number
}

/**
 * With the bundled model, over 40 questions of generated chats: of turns that answer 95 % gained 2.9 or more, turns about the same place 2.2 in
 * the median, others 0.3. No answering turn gained less than 0.5, but 59 % of the others gained more: how much a turn says nothing about gains
 * differs from one message to the next. So a turn must stand out among those that are judged for the same message. A summary that keeps the
 * answer gained 1.06 times the turn's or more (21 cases), one that lost it 0.1 times at most (2 cases).
 */
const CALIBRATED = { helps: 0.5, sure: 2.9, outstanding: 0.5, enough: 0.8 } as const

/**
 * A turn helps when the message is more likely after it, or after its summary, than after nothing, by `helps` natural-log units a token and by
 * clearly more than after most of the other turns; its summary is enough when it gives at least the share `enough` of that gain. One computation
 * for all turns; nothing can be malformed.
 */
export function likelihoodTurnJudge(model: LikelihoodModel, options: LikelihoodTurnJudgeOptions = {}): TurnJudge {
  const settings = { ...CALIBRATED, ...options }
  return {
    name: 'likelihood-turn-judge',
    version: 2,
    identity: JSON.stringify({ model: model.id, ...settings }),
    key: ({ question, turns }) => ({ question, turns: turns.map(({ text, summary }) => [text, summary ?? null]) }),
    run: (input, context) => judgeByGain(model, settings, input, context),
    place: (recorded) => recorded,
    estimate: (input) => usageOf({ price: { input: 0, output: 0 } }, 1, tokensOf(model, input), 0),
  }
}

async function judgeByGain(
  model: LikelihoodModel,
  settings: Required<LikelihoodTurnJudgeOptions>,
  { question: asked, turns }: TurnJudgeInput,
  context: AgentContext,
): Promise<TurnJudgeOutput> {
  if (turns.length === 0) return { forms: [], calls: 0 }
  const count = (text: string): number => model.count(text)
  const question = beginning(asked, Math.floor(model.window / 2) - AROUND, count)
  const room = model.window - count(question) - AROUND
  const passages = turns.flatMap(({ text, summary }) => [text, ...(summary === undefined ? [] : [summary])])
  const shown = passages.map((passage) => beginning(passage, room, count))
  const signals = await questionLikelihoods(model, { question, title: '', passages: shown }, context)
  const gains = signals.map((one) => gainOf({ signals: { ...one } }))
  let at = 0
  const gained = turns.map(({ summary }): TurnGain => {
    const whole = gains[at++] ?? 0
    const short = summary === undefined ? undefined : (gains[at++] ?? 0)
    return { whole, short, best: Math.max(whole, short ?? whole) }
  })
  const least = leastGain(
    gained.map(({ best }) => best),
    settings,
  )
  const forms = gained.map(({ whole, short, best }): TurnForm => {
    if (best < least) return 'dropped'
    return short !== undefined && short >= settings.enough * whole ? 'summary' : 'raw'
  })
  return { forms, calls: 1 }
}

/** What a turn gains whole, by its summary where it has one, and by the better of the two. */
interface TurnGain {
  readonly whole: number
  readonly short: number | undefined
  readonly best: number
}

/** Turns from which on a quarter of them tells what a turn gains that says nothing. */
const MANY = 8

/** The gain from which a turn of this message helps. */
function leastGain(gains: readonly number[], { helps, sure, outstanding }: Required<LikelihoodTurnJudgeOptions>): number {
  const sorted = gains.toSorted((a, b) => a - b)
  const usual = sorted.length < MANY ? 0 : (sorted[Math.floor(sorted.length / 4)] ?? 0)
  const greatest = sorted.at(-1) ?? 0
  return Math.max(helps, Math.min(sure, usual + outstanding * (greatest - usual)))
}

/** Tokens that the window is left for what stands around a passage and its question. */
const AROUND = 32

function tokensOf(model: LikelihoodModel, { question, turns }: TurnJudgeInput): number {
  const each = (text: string): number => model.count(text) + model.count(question) + AROUND
  return turns.reduce((sum, { text, summary }: JudgedTurn) => sum + each(text) + (summary === undefined ? 0 : each(summary)), each(''))
}
