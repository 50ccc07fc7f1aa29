/**
 * MEM1 (arXiv 2506.15841): an agent that looks things up and whose prompt never grows. Each turn sees the questions, its own last turn and what came back;
 * it writes its state anew, and everything older is gone. The paper trains a model for it; without training it still takes about a third of the tokens.
 */
import {
  cutWords,
  defaultUnit,
  type Mem1Action,
  type Mem1Budget,
  type Mem1Settings,
  type Mem1Tags,
  type Mem1Tool,
  type Mem1Turn,
  mem1Turn,
  paperTags,
  neutraliseTags,
  renderMem1Info,
  renderMem1Turn,
  solveMem1,
  wordsOf,
} from '../agents/index.ts'
import { type CallModelOptions, type ChatModel, describe, type ModelDescription } from '../models/index.ts'
import { type Mem1Archive, mem1Archive, type Mem1ArchiveOptions, RECALL } from './mem1-archive.ts'
import { messageOf } from './message-of.ts'
import { createStandaloneStep } from './standalone-step.ts'
import type { Step } from './strategy.ts'

export interface Mem1Options {
  readonly model: ChatModel
  /** What it looks things up with; a query that names none goes to the first. */
  readonly tools: readonly Mem1Tool[]
  /** Most turns, the one that answers included; 6 by default, or two for each question and two besides where that is more. */
  readonly maxTurns?: number
  /** Most tokens of the state; an eighth of the window, from 64 to 1,024, and at most half of the longest reply by default. */
  readonly stateTokens?: number
  /** Most tokens of what comes back from a tool; 1,000 by default, or what the window leaves. */
  readonly observationTokens?: number
  /** Most tokens of a query; 64 by default. */
  readonly queryTokens?: number
  /** The cap: most tokens of a prompt and its reply together; the model's window by default. */
  readonly peakTokens?: number
  /** Keeps what the state forgets, and adds a tool that finds it. Without it the loop is that of the paper: what is lost is lost. */
  readonly archive?: Mem1ArchiveOptions
  /** How the model writes; `paperTags` by default. `releasedTags` are those of the trained checkpoint. */
  readonly tags?: Mem1Tags
  /** Sampling temperature; 0 by default. */
  readonly temperature?: number
  /** What is known of the model, where it does not say so itself. */
  readonly description?: ModelDescription
}

export interface Mem1RunOptions {
  readonly signal?: AbortSignal
  /** Runs each turn within a run, with its journal, limits and events; on its own, with nothing recorded, by default. */
  readonly step?: Step
  /** How the model is called where no `step` is given: retries, timeouts, limiter. */
  readonly call?: CallModelOptions
  /** Told what went otherwise than it should: a reply asked for again, a state cut, a look-up repeated. Without `step` only. */
  readonly onNotice?: (code: string, message: string) => void
}

/** One turn with what came back. */
export interface Mem1Step extends Mem1Turn {
  /** What the tool said, as it was shown; absent where nothing was looked up. */
  readonly observation?: string
}

export interface Mem1Result {
  /** `incomplete`: there are more or fewer answers than questions. `unanswered`: the turns were used up. */
  readonly status: 'answered' | 'incomplete' | 'unanswered'
  /** The answers, parted by semicolons; empty when there are none. */
  readonly text: string
  readonly answers: readonly string[]
  /** The last state. */
  readonly state: string
  readonly turns: readonly Mem1Step[]
  readonly calls: number
  /** Most tokens that a prompt had with its reply: at most `budget.prompt + budget.reply`. */
  readonly peak: number
  readonly budget: Mem1Budget
}

export interface Mem1 {
  /**
   * What each turn takes at most for these questions.
   *
   * @throws ContextOverflowError when the parts of a prompt leave no room for what comes back
   */
  budget(question: string | readonly string[]): Mem1Budget
  /**
   * Answers a question, or several at once, whose answers come in their order. A tool that fails says so to the model.
   *
   * @throws ContextOverflowError before the first call when the parts do not fit
   */
  answer(question: string | readonly string[], options?: Mem1RunOptions): Promise<Mem1Result>
}

/**
 * Sets up the loop.
 *
 * @throws TypeError when there is no tool, or two share a name
 * @throws RangeError when an option is no whole number above 0
 * @example
 * ```ts
 * const crew = { name: 'crew', description: 'finds sailors', run: async (query: string) => lookUp(query) }
 * const { answers } = await mem1({ model, tools: [crew] }).answer(['Who is the captain?', 'Who is the cook?'])
 * ```
 */
export function mem1(options: Mem1Options): Mem1 {
  const settings = settingsOf(options)
  const archive = options.archive && mem1Archive(options.archive)
  const tools = archive === undefined ? settings.tools : [...settings.tools, archive.tool]
  checkTools(tools)
  const loop = { settings: { ...settings, tools }, archive, maxTurns: options.maxTurns }
  return {
    budget: (question) => solveMem1(loop.settings, taskOf(question)),
    answer: (question, runOptions = {}) => run(loop, question, runOptions),
  }
}

function settingsOf(options: Mem1Options): Mem1Settings {
  const { model, tools, tags = paperTags, temperature = 0, queryTokens = 64, observationTokens, maxTurns } = options
  const known = options.description ?? describe(model)
  const { peakTokens = known.window, stateTokens = Math.min(defaultUnit(known), Math.ceil(known.maxOutput / 2)) } = options
  const numbers = { stateTokens, queryTokens, peakTokens, observationTokens, maxTurns }
  for (const [name, value] of Object.entries(numbers)) {
    if (value !== undefined && !(Number.isInteger(value) && value > 0))
      throw new RangeError(`Cannot set up MEM1 as ${name} must be a whole number above 0: ${value}`)
  }
  const description = { ...known, window: Math.min(known.window, peakTokens) }
  return { model, description, tools, stateTokens, queryTokens, observationTokens, tags, temperature }
}

/** @throws TypeError when there is no tool, a name has other signs, or two tools share one */
function checkTools(tools: readonly Mem1Tool[]): void {
  if (tools.length === 0) throw new TypeError('Cannot set up MEM1 as there is no tool to look things up with: give at least one')
  const names = tools.map(({ name }) => name)
  const odd = names.find((name) => !/^[\w.-]+$/.test(name))
  if (odd !== undefined)
    throw new TypeError(`Cannot set up MEM1 as a tool's name may hold letters, digits, _, - and . only: ${JSON.stringify(odd)}`)
  const twin = names.find((name, at) => names.indexOf(name) !== at)
  if (twin !== undefined) throw new TypeError(`Cannot set up MEM1 as two tools share a name: ${twin}`)
}

/** Several questions are one text (paper, section 4.1): each ends with a question mark, semicolons part them. */
export function composeQuestions(questions: readonly string[]): string {
  return questions.map((question) => `${question.trim().replace(/[?;\s]+$/, '')}?`).join('; ')
}

function taskOf(question: string | readonly string[]): { question: string; objectives: number } {
  const questions = typeof question === 'string' ? [question] : question
  if (questions.length === 0 || questions.some((one) => one.trim() === ''))
    throw new TypeError(`Cannot answer as a question is empty: ${JSON.stringify(question)}`)
  return { question: typeof question === 'string' ? question.trim() : composeQuestions(question), objectives: questions.length }
}

interface Loop {
  readonly settings: Mem1Settings
  readonly archive: Mem1Archive | undefined
  readonly maxTurns: number | undefined
}

async function run(loop: Loop, question: string | readonly string[], options: Mem1RunOptions): Promise<Mem1Result> {
  const { settings, archive } = loop
  const task = taskOf(question)
  const budget = solveMem1(settings, task)
  const { maxTurns = Math.max(6, 2 * task.objectives + 2) } = loop
  const { signal = new AbortController().signal } = options
  const step = options.step ?? standaloneStep(options)
  const agent = mem1Turn(settings)
  const look = observer(loop, budget, signal, options.onNotice)
  const turns: Mem1Step[] = []
  let state = ''
  let previous: { output: string; info: string } | undefined
  for (let at = 0; at < maxTurns; at++) {
    signal.throwIfAborted()
    const input = { ...task, state, left: maxTurns - at - 1, ...(previous && { previous }) }
    const turn = await step(agent, input, { path: `mem1/${at}` })
    if (turn.state !== state) await archive?.keepState(at - 1, state, signal)
    state = turn.state
    if (turn.action?.kind === 'answer') return resultOf([...turns, turn], state, budget, task.objectives, turn.action)
    const observation = await look(at, turn.action)
    turns.push({ ...turn, observation })
    const tool = settings.tools.length > 1 ? turn.action?.tool : undefined
    previous = {
      output: renderMem1Turn(state, turn.action?.query ?? '', tool, settings.tags),
      info: renderMem1Info(observation, settings.tags),
    }
  }
  return resultOf(turns, state, budget, task.objectives)
}

function standaloneStep({ signal, call, onNotice }: Mem1RunOptions): Step {
  return createStandaloneStep({
    scope: 'standalone',
    signal,
    ...(call && { call }),
    emit: (event) => event.type === 'notice.given' && onNotice?.(event.code, event.message),
  })
}

function resultOf(
  turns: readonly Mem1Step[],
  state: string,
  budget: Mem1Budget,
  objectives: number,
  { answers }: { readonly answers: readonly string[] } = { answers: [] },
): Mem1Result {
  const status = answers.length === objectives ? 'answered' : 'incomplete'
  return {
    status: answers.length === 0 ? 'unanswered' : status,
    text: answers.join('; '),
    answers,
    state,
    turns,
    calls: turns.reduce((sum, { calls }) => sum + calls, 0),
    peak: Math.max(0, ...turns.map(({ peak }) => peak)),
    budget,
  }
}

/** Tokens of the tags around what came back. */
const INFO_TAGS = 12
/** Characters a token at most, for the first cut of a very long result. */
const LONGEST_TOKEN = 32

type Look = (turn: number, action: Mem1Action | undefined) => Promise<string>

/** Carries out look-ups: whatever happens becomes a text of at most the budget's tokens. */
function observer(
  { settings, archive }: Loop,
  { observation }: Mem1Budget,
  signal: AbortSignal,
  onNotice: Mem1RunOptions['onNotice'],
): Look {
  const asked = new Map<string, number>()
  const most = Math.max(1, observation - INFO_TAGS)
  return async (turn, action) => {
    if (action?.kind !== 'query') return 'Your last reply could not be carried out.'
    const { query, tool } = action
    const key = `${tool} ${wordsOf(query).join(' ')}`
    const before = asked.get(key)
    asked.set(key, before ?? turn)
    if (before !== undefined) onNotice?.('repeated-query', `Looked up again what was looked up in step ${before + 1}: ${query}`)
    const found = await lookUp(settings.tools, tool, query, signal)
    if (tool !== RECALL && !found.failed) await archive?.keepObservation(turn, tool, query, found.text, signal)
    const said = before === undefined ? '' : `You have looked this up before, in step ${before + 1}.\n`
    const shown = neutraliseTags(found.text.slice(0, most * LONGEST_TOKEN), settings.tags)
    return fit(`${said}${shown === '' ? 'Nothing was found. Try other words.' : shown}`)
  }

  function fit(text: string): string {
    const { count } = settings.description
    if (count(text) <= most) return text
    onNotice?.('observation-cut', `What came back was cut to ${most} tokens`)
    // One unbroken run of signs is cut anywhere: a sign has four tokens at most.
    return cutWords(text, most, count) || text.slice(0, Math.ceil(most / 4)).replace(/[\uD800-\uDBFF]$/, '')
  }
}

async function lookUp(
  tools: readonly Mem1Tool[],
  name: string,
  query: string,
  signal: AbortSignal,
): Promise<{ text: string; failed: boolean }> {
  const tool = tools.find((one) => one.name === name)
  if (tool === undefined) return { text: `There is no tool of this name: ${name}`, failed: true }
  try {
    return { text: await tool.run(query, signal), failed: false }
  } catch (error) {
    signal.throwIfAborted()
    return { text: `The tool failed: ${messageOf(error)}`, failed: true }
  }
}
