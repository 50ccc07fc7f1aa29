/** A chat model in a role: its words and its limits. What all agents that write have in common. */
import { type ChatModel, describe, type ModelDescription } from '../models/index.ts'
import type { AgentCall, AgentContext, Estimate } from './agent.ts'
import type { BudgetParts } from './budget.ts'
import { messagesOf, promptIdentity, type PromptOverride, questionLine, SEAMS } from './prompt.ts'
import { usageOf } from './usage-of.ts'

export interface RoleOptions {
  /** Replaces the agent's own words. */
  readonly prompt?: PromptOverride
  /** What is known of the model, where it does not say so itself. */
  readonly description?: ModelDescription
  /** Sampling temperature; 0 by default. */
  readonly temperature?: number
}

/** An agent's own words. */
export interface RoleWords {
  readonly system: string
  readonly instruction: (question: string | undefined) => string
}

/** Limits of a role, in tokens. */
export type RoleLimits = Readonly<Record<string, number>> & { readonly maxOutput: number }

export interface Role {
  readonly model: ChatModel
  readonly description: ModelDescription
  readonly maxOutput: number
  readonly temperature: number
  readonly system: string
  readonly orders: (question: string | undefined) => string
  /** Identity of the model with its parameters and of an overridden prompt, for cache keys. */
  readonly identity: string
}

/**
 * @throws TypeError when the model's window or longest reply is unknown
 * @throws RangeError when a limit is no token count, or `maxOutput` is longer than the model's longest reply
 */
export function roleOf(
  model: ChatModel,
  { description = describe(model), prompt, temperature = 0 }: RoleOptions,
  words: RoleWords,
  limits: RoleLimits,
): Role {
  checkLimits(description, limits)
  const { maxOutput } = limits
  const { system = words.system, instruction: orders = words.instruction } = prompt ?? {}
  const identity = JSON.stringify({ model: description.id, ...limits, temperature, prompt: promptIdentity(prompt) })
  return { model, description, maxOutput, temperature, system, orders, identity }
}

export function checkLimits({ id, maxOutput }: ModelDescription, limits: RoleLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (!(Number.isInteger(value) && value > 0))
      throw new RangeError(`Cannot make an agent as ${name} must be a whole number of tokens above 0: ${value}`)
  }
  if (limits.maxOutput <= maxOutput) return
  throw new RangeError(`Cannot make an agent as maxOutput is above the ${maxOutput} tokens that ${id} can reply: ${limits.maxOutput}`)
}

/** What a call of the role takes besides what it reads: `labels` stand above its sections, and one of `repairs` may be added to them. */
export function roleParts(
  { description: { count }, maxOutput, orders, system }: Role,
  question: string | undefined,
  { labels = [], repairs = [] }: { readonly labels?: readonly string[]; readonly repairs?: readonly string[] } = {},
): BudgetParts {
  const instruction = count([...labels, orders(question)].join('\n')) + Math.max(0, ...repairs.map(count)) + SEAMS
  return { system: count(system), instruction, question: count(questionLine(question) ?? ''), state: 0, output: maxOutput }
}

export interface RoleCall extends Pick<AgentCall, 'parts' | 'onDelta'> {
  /** Sections of the user's message, in order; empty ones are left out. */
  readonly sections: readonly (string | undefined)[]
}

export function callRole(
  { model, description, maxOutput, temperature, system }: Role,
  context: AgentContext,
  call: RoleCall,
): Promise<string> {
  const { sections, ...rest } = call
  return context.call({ model, description, messages: messagesOf({ system, sections }), maxTokens: maxOutput, temperature, ...rest })
}

/** Price and size of `calls` calls that each read `tokens` besides their prompt. */
export function roleUsage({ description }: Role, parts: BudgetParts, tokens: number, calls: number): Estimate {
  const { system, instruction, question, state, output } = parts
  const input = system + instruction + question + state + tokens + 2 * description.perMessage
  return usageOf(description, calls, calls * input, calls * output)
}
