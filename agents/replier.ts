import { type ChatModel, describe } from '../models/index.ts'
import { ContextOverflowError } from '../errors/index.ts'
import type { Agent, AgentContext } from './agent.ts'
import { messagesOf, SEAMS } from './prompt.ts'
import { usageOf } from './usage-of.ts'

/** A turn as it comes back to the one who answers. */
export interface RecalledTurn {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  /** Its own words, or its summary. */
  readonly text: string
  /** When it was said, milliseconds since 1970. */
  readonly at?: number
}

export interface ReplierInput {
  /** In order of time. */
  readonly memory: readonly RecalledTurn[]
  /** The user's newest message. */
  readonly message: string
}

/** Answers the newest message of a conversation from what came back of it. */
export type Replier = Agent<ReplierInput, string> & {
  /** Most tokens of a prompt: the budget, or what the window leaves beside the reply. */
  readonly limit: number
  /** Tokens that are left for what comes back. Throws ContextOverflowError when the message alone is above the budget. */
  room(message: string): number
  /** Most tokens that a turn of this text adds to the prompt. */
  lineTokens(text: string): number
  /** Tokens of a whole prompt. */
  promptTokens(input: ReplierInput): number
}

export interface ReplierOptions {
  /** What the model is told to be. */
  readonly system?: string
  /** Most tokens of the prompt; what the window leaves beside the reply, at most 4,096, by default. */
  readonly budget?: number
  /** Most tokens of a reply; 1,024 by default, as far as the model can and a quarter of its window allows. */
  readonly maxOutput?: number
  readonly temperature?: number
  /** What is known of the model, where it does not say so itself. */
  readonly description?: ReturnType<typeof describe>
}

const SYSTEM =
  'You talk with a user. Earlier turns that may matter are shown before the newest message, some of them shortened; where they disagree, the latest holds. Answer the newest message.'
const EARLIER = 'Earlier in this conversation, in order of time:'
const NOW = 'Newest message:'

/**
 * Writes a reply. It streams through the context.
 *
 * @throws TypeError when the model's window or longest reply is unknown
 * @throws RangeError when the budget is no number of tokens from 0
 */
export function replier(model: ChatModel, options: ReplierOptions = {}): Replier {
  const { description = describe(model), system = SYSTEM, temperature = 0 } = options
  const { maxOutput = Math.max(1, Math.min(description.maxOutput, 1024, Math.floor(description.window / 4))) } = options
  const { window, margin, count, perMessage } = description
  const most = Math.floor((window - maxOutput) / (1 + margin))
  const { budget = Math.min(most, 4096) } = options
  if (!(Number.isInteger(budget) && budget >= 0))
    throw new RangeError(`Cannot answer within a budget of ${budget} as it must be a whole number of tokens from 0`)
  const limit = Math.min(budget, most)
  const promptTokens = (input: ReplierInput): number =>
    messagesOf(promptOf(system, input)).reduce((sum, { content }) => sum + count(content) + perMessage, 0)
  return {
    name: 'replier',
    version: 1,
    identity: JSON.stringify({ model: description.id, system, maxOutput, temperature }),
    key: ({ memory, message }) => ({ memory: memory.map(recalledLine), message }),
    run: (input, context) => reply(input, context),
    place: (recorded) => recorded,
    estimate: (input) => usageOf(description, 1, promptTokens(input), maxOutput),
    limit,
    room(message) {
      const parts = { system: count(system), message: count(message), format: 2 * perMessage }
      const alone = promptTokens({ memory: [], message })
      if (alone > limit)
        throw new ContextOverflowError('Cannot answer the message', parts, limit, 'Raise the budget, or shorten the message')
      return Math.max(0, limit - alone - count(`${EARLIER}\n${NOW}\n`) - SEAMS)
    },
    lineTokens: (text) => count(`\n[2000-01-01] Assistant: ${text}`) + 1,
    promptTokens,
  }

  async function reply(input: ReplierInput, context: AgentContext): Promise<string> {
    const parts = {
      memory: promptTokens(input) - promptTokens({ ...input, memory: [] }),
      message: count(input.message),
      system: count(system),
    }
    const messages = messagesOf(promptOf(system, input))
    return context.call({ model, description, messages, maxTokens: maxOutput, temperature, parts, onDelta: (text) => context.delta(text) })
  }
}

function promptOf(system: string, { memory, message }: ReplierInput): { system: string; sections: string[] } {
  if (memory.length === 0) return { system, sections: [message] }
  return { system, sections: [[EARLIER, ...memory.map(recalledLine)].join('\n'), `${NOW}\n${message}`] }
}

const NAMES: Readonly<Record<RecalledTurn['role'], string>> = { system: 'System', user: 'User', assistant: 'Assistant', tool: 'Tool' }

/** A turn as a line of a prompt. */
export function recalledLine({ role, text, at }: RecalledTurn): string {
  const date = at === undefined || !Number.isFinite(at) ? '' : `[${dateOf(at)}] `
  return `${date}${NAMES[role]}: ${text}`
}

/** The day, in UTC; clocks may be wrong by any amount. */
function dateOf(at: number): string {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? 'undated' : date.toISOString().slice(0, 10)
}
