/** What a turn of MEM1 may take: solved once for a question, before the first call, and the same for every turn. */
import type { ChatModel, ModelDescription } from '../../models/index.ts'
import { type BudgetParts, solveBudget } from '../budget.ts'
import { MEM1_SYSTEM, mem1Instruction, mem1Repair, type Mem1Fault, turnsLeft } from './mem1-prompt.ts'
import type { Mem1Tags } from './mem1-tags.ts'
import type { Mem1Tool } from './mem1-tool.ts'
import { questionLine, SEAMS } from '../prompt.ts'

/** What all turns of a loop share. */
export interface Mem1Settings {
  readonly model: ChatModel
  /** Its `window` is the cap of a prompt with its reply. */
  readonly description: ModelDescription
  readonly tools: readonly Mem1Tool[]
  readonly stateTokens: number
  readonly queryTokens: number
  /** Most tokens of what comes back, shown to the model; 1,000, or what is left of the window, where undefined. */
  readonly observationTokens: number | undefined
  readonly tags: Mem1Tags
  readonly temperature: number
}

/** The budget of every turn, in tokens. */
export interface Mem1Budget {
  /** Most tokens of a prompt. */
  readonly prompt: number
  /** Most tokens of a reply. */
  readonly reply: number
  /** Most tokens of what comes back from a tool. */
  readonly observation: number
  /** Tokens of each part. */
  readonly parts: Readonly<Record<string, number>>
}

/** As in the paper's training: observations of at most 1,000 tokens. */
const OBSERVATION_TOKENS = 1_000
/** The least that is worth a look-up. */
const LEAST_OBSERVATION = 32
/** Tokens of one of many answers, and of one alone besides. */
const ANSWER_TOKENS = 24
const TAG_TOKENS = 24

const FAULTS: readonly Mem1Fault[] = [
  'no-action',
  'no-state',
  'long-state',
  'repeating-state',
  'unknown-tool',
  'empty-query',
  'answer-due',
  'answer-count',
]

type Task = { readonly question: string; readonly objectives: number }

/** Most tokens of a reply: a state and an action, with their tags. */
export function replyTokens({ stateTokens, queryTokens }: Mem1Settings, objectives: number): number {
  return stateTokens + Math.max(queryTokens, ANSWER_TOKENS * (objectives + 1)) + TAG_TOKENS
}

/** The parts of a prompt as they are counted, besides what came back. */
export function mem1Parts(settings: Mem1Settings, { question, objectives }: Task): BudgetParts {
  const { description, queryTokens, stateTokens, tags, tools } = settings
  const { count } = description
  const names = tools.map(({ name }) => name)
  const instruction = mem1Instruction(objectives, tools, stateTokens, tags)
  const repairs = FAULTS.map((fault) => count(mem1Repair(fault, { tags, tools: names, words: stateTokens, objectives })))
  return {
    system: count(MEM1_SYSTEM),
    instruction: count(instruction) + Math.max(count(turnsLeft(0, tags)), count(turnsLeft(1, tags))) + Math.max(...repairs) + SEAMS,
    question: count(questionLine(question) ?? ''),
    state: stateTokens + queryTokens + TAG_TOKENS,
    output: replyTokens(settings, objectives),
  }
}

/**
 * Solves the budget of a question.
 *
 * @throws ContextOverflowError when what must stand in a prompt leaves no room for what comes back; names each part
 * @throws RangeError when the replies would be longer than the model's longest
 */
export function solveMem1(settings: Mem1Settings, task: Task): Mem1Budget {
  const { description, observationTokens } = settings
  const reply = replyTokens(settings, task.objectives)
  if (reply > description.maxOutput) {
    throw new RangeError(
      `Cannot ask for ${task.objectives} answers in one reply of ${description.id} as they and the state may need ${reply} tokens, and it replies with at most ${description.maxOutput}. Lower stateTokens, or ask fewer questions at once`,
    )
  }
  const { chunk, parts } = solveBudget({
    description,
    parts: mem1Parts(settings, task),
    minimumChunk: observationTokens ?? LEAST_OBSERVATION,
    messages: 4,
  })
  const observation = observationTokens ?? Math.min(OBSERVATION_TOKENS, chunk)
  const { output = 0, margin = 0, ...rest } = parts
  const prompt = Object.values(rest).reduce((sum, tokens) => sum + tokens, observation)
  return { prompt, reply, observation, parts: { ...rest, observation, output, margin } }
}
