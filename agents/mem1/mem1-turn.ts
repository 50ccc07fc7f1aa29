import { ModelError } from '../../errors/index.ts'
import type { ChatMessage } from '../../models/index.ts'
import type { Agent, AgentContext, Estimate } from '../agent.ts'
import { cutNotes, cutWords } from '../fit-unit.ts'
import { isEmpty, isRepeating } from '../guards.ts'
import { type Mem1Settings, mem1Parts, replyTokens, solveMem1 } from './mem1-budget.ts'
import { MEM1_SYSTEM, type Mem1Fault, mem1Instruction, mem1Repair, turnsLeft } from './mem1-prompt.ts'
import { type Mem1Action, type ParsedTurn, parseTurn } from './mem1-tags.ts'
import { messagesOf, questionLine } from '../prompt.ts'
import { usageOf } from '../usage-of.ts'

/** What one turn sees: the questions, and the turn before with what came back. Nothing older. */
export interface Mem1TurnInput {
  /** All questions in one text. */
  readonly question: string
  /** How many answers it asks for. */
  readonly objectives: number
  /** The state before, kept where a reply has none; empty in the first turn. */
  readonly state: string
  /** The turn before as it is shown, and what came back; absent in the first turn. */
  readonly previous?: { readonly output: string; readonly info: string }
  /** Look-ups that are left; with 0 the answer is due. */
  readonly left: number
}

export interface Mem1Turn {
  /** At most `stateTokens` tokens. */
  readonly state: string
  /** Absent when neither reply held one that can be carried out. */
  readonly action?: Mem1Action
  /** Why it was asked again, and `state-cut`, `state-kept` where the state is not the model's own. */
  readonly flags: readonly string[]
  readonly calls: number
  /** Most tokens of a prompt with its reply. */
  readonly peak: number
}

/** One turn of MEM1: the model writes its state anew and then a look-up or the answers. A reply that breaks a rule is asked for once more. */
export type Mem1TurnAgent = Agent<Mem1TurnInput, Mem1Turn>

export function mem1Turn(settings: Mem1Settings): Mem1TurnAgent {
  const { description, stateTokens, queryTokens, tags, temperature, tools } = settings
  const known = tools.map(({ name, description: purpose }) => [name, purpose])
  return {
    name: 'mem1-turn',
    version: 1,
    identity: JSON.stringify({ model: description.id, stateTokens, queryTokens, tags, temperature, tools: known }),
    key: ({ question, objectives, state, previous, left }) => ({
      question,
      objectives,
      state,
      previous: previous === undefined ? null : [previous.output, previous.info],
      left,
    }),
    run: (input, context) => takeTurn(settings, input, context),
    place: (recorded) => recorded,
    estimate: (input) => estimate(settings, input),
  }
}

async function takeTurn(settings: Mem1Settings, input: Mem1TurnInput, context: AgentContext): Promise<Mem1Turn> {
  const first = await ask(settings, input, context)
  if (first.fault === undefined) return finish(settings, input, [first], context)
  context.notice('asked-again', `The reply was not taken over (${first.fault}); asking once more`)
  const second = await ask(settings, input, context, first.fault)
  return finish(settings, input, [second, first], context)
}

interface Reply extends ParsedTurn {
  readonly fault: Mem1Fault | undefined
  readonly tokens: number
}

async function ask(settings: Mem1Settings, input: Mem1TurnInput, context: AgentContext, repair?: Mem1Fault): Promise<Reply> {
  const { description, model, tags, temperature, tools } = settings
  const names = tools.map(({ name }) => name)
  const { objectives } = input
  const words = stateWords(settings)
  const messages = promptOf(settings, input, repair && mem1Repair(repair, { tags, tools: names, words, objectives }))
  const maxTokens = replyTokens(settings, objectives)
  const call = { model, description, messages, maxTokens, temperature, parts: { ...mem1Parts(settings, input) } }
  const reply = await context.call(call).catch(nothingSaid)
  const parsed = parseTurn(reply, { tags, tools: names })
  const prompt = messages.reduce((sum, { content }) => sum + description.count(content) + description.perMessage, 0)
  return { ...parsed, fault: faultOf(settings, input, parsed), tokens: prompt + description.count(reply) }
}

/** A model that says nothing breaks a rule like any other. */
function nothingSaid(error: unknown): string {
  if (error instanceof ModelError && error.reason === 'empty') return ''
  throw error
}

/** The chat form of the paper's prefix: the model's own last turn is the assistant's. */
function promptOf(settings: Mem1Settings, { question, objectives, previous, left }: Mem1TurnInput, repair?: string): ChatMessage[] {
  const { tags, tools } = settings
  const task = [questionLine(question), mem1Instruction(objectives, tools, stateWords(settings), tags)]
  const now = [turnsLeft(left, tags), repair]
  if (previous === undefined) return messagesOf({ system: MEM1_SYSTEM, sections: [...task, ...now] })
  const assistant: ChatMessage = { role: 'assistant', content: previous.output }
  const back = messagesOf({ system: '', sections: [previous.info, ...now] })
  return [...messagesOf({ system: MEM1_SYSTEM, sections: task }), assistant, ...back]
}

function faultOf(settings: Mem1Settings, { objectives, left }: Mem1TurnInput, { state, action }: ParsedTurn): Mem1Fault | undefined {
  const { description, stateTokens, tools } = settings
  const isLong = state !== undefined && description.count(state) > stateTokens
  // A state so long that its reply was cut off leaves no action.
  if (action === undefined) return isLong ? 'long-state' : 'no-action'
  if (action.kind === 'query') {
    if (left === 0) return 'answer-due'
    if (!tools.some(({ name }) => name === action.tool)) return 'unknown-tool'
    if (isEmpty(action.query)) return 'empty-query'
  } else if (action.answers.length !== objectives || action.answers.every((answer) => answer === '')) return 'answer-count'
  // An answer ends the loop: its state is not read any more.
  if (action.kind === 'answer') return undefined
  if (state === undefined || isEmpty(state)) return 'no-state'
  if (isLong) return 'long-state'
  return isRepeating(state) ? 'repeating-state' : undefined
}

/** The best of one or two replies, the later first: each part from the first reply that has it. */
function finish(settings: Mem1Settings, input: Mem1TurnInput, replies: readonly Reply[], context: AgentContext): Mem1Turn {
  const { description, queryTokens } = settings
  const usable = replies.find(({ fault, action }) => action !== undefined && !UNUSABLE.has(fault ?? ''))
  const action = usable?.action ?? replies.find(({ action: one }) => one?.kind === 'answer')?.action
  const { state, flag } = takeState(settings, input, replies)
  if (flag === 'state-cut') context.notice(flag, `The state was cut to ${settings.stateTokens} tokens`)
  if (flag === 'state-kept') context.notice(flag, 'No reply held a state; the last one stays')
  const faults = replies.flatMap(({ fault }) => fault ?? [])
  return {
    state,
    ...(action !== undefined && { action: shortened(action, queryTokens, description.count) }),
    flags: flag === undefined ? faults : [...faults, flag],
    calls: replies.length,
    peak: Math.max(...replies.map(({ tokens }) => tokens)),
  }
}

/** Faults of the action. Those of the state leave the action as it is. */
const UNUSABLE: ReadonlySet<string> = new Set<Mem1Fault>(['no-action', 'answer-due', 'unknown-tool', 'empty-query', 'answer-count'])

function takeState(
  { description, stateTokens }: Mem1Settings,
  input: Mem1TurnInput,
  replies: readonly Reply[],
): { state: string; flag?: 'state-cut' | 'state-kept' } {
  const written = replies.flatMap(({ state }) => (state === undefined || isEmpty(state) ? [] : state))
  const fitting = written.find((state) => description.count(state) <= stateTokens) ?? written[0]
  if (fitting === undefined) {
    // An answer ends the loop: nobody misses its state.
    const missed = input.state !== '' && !replies.some(({ fault, action }) => fault === undefined && action?.kind === 'answer')
    return { state: input.state, ...(missed && { flag: 'state-kept' }) }
  }
  const state = cutNotes(fitting, stateTokens, description.count)
  return state === fitting ? { state } : { state, flag: 'state-cut' }
}

function shortened(action: Mem1Action, max: number, count: (text: string) => number): Mem1Action {
  return action.kind === 'answer' ? action : { ...action, query: cutWords(action.query, max, count) }
}

/** Words that fit a state's tokens, with some room. */
function stateWords({ stateTokens }: Mem1Settings): number {
  return Math.max(10, Math.round((stateTokens * 0.6) / 10) * 10)
}

/** Two calls: a reply that breaks a rule is asked for once more. */
function estimate(settings: Mem1Settings, { question, objectives }: Mem1TurnInput): Estimate {
  const { prompt, reply } = solveMem1(settings, { question, objectives })
  return usageOf(settings.description, 2, 2 * prompt, 2 * reply)
}
