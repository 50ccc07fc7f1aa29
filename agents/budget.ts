/**
 * The budget algebra of a model call: window = system + instruction + question + state + chunk + output + margin.
 * Every call of every strategy is solved with it before the first one is sent.
 */
import { ContextOverflowError } from '../errors/index.ts'
import type { ModelDescription } from '../models/index.ts'

/** Tokens of what every call of one role holds besides its chunk. */
export interface BudgetParts {
  readonly system: number
  /** The instruction with all labels and separators. */
  readonly instruction: number
  readonly question: number
  /** The most that earlier agents may hand on. */
  readonly state: number
  /** The most tokens of the reply. */
  readonly output: number
}

export interface BudgetQuery {
  readonly description: Pick<ModelDescription, 'id' | 'window' | 'margin' | 'perMessage'>
  readonly parts: BudgetParts
  /** Smallest chunk worth a call, in tokens; 1 by default. */
  readonly minimumChunk?: number
  /** Messages of a call, each of which the chat format lengthens; 2 by default (system and user). */
  readonly messages?: number
}

/** A solved budget: the sum of `parts` and `chunk` is the window, or less. */
export interface Budget {
  /** Most tokens a chunk may have. */
  readonly chunk: number
  /** The given parts, what the chat format adds, and the margin of an inexact counter. */
  readonly parts: Readonly<Record<string, number>>
  readonly window: number
}

/**
 * Solves the budget for the chunk.
 *
 * A counter that may fall short by a share m of the true number is met by keeping m of the whole window free: counted tokens of at most
 * (1 − m) window stand for at most a window of true ones.
 *
 * @throws ContextOverflowError when less than `minimumChunk` is left; names each part's tokens and the largest one
 * @throws RangeError when a part is no token count
 */
export function solveBudget(query: BudgetQuery): Budget {
  const { description, minimumChunk = 1, messages = 2 } = query
  const { window } = description
  const parts: Record<string, number> = {
    ...query.parts,
    format: messages * description.perMessage,
    margin: Math.ceil(window * description.margin),
  }
  for (const [name, tokens] of Object.entries(parts)) checkTokens(name, tokens)
  const chunk = Math.floor(window - sumOf(parts))
  if (chunk < minimumChunk) throw tooSmall(description.id, { ...parts, chunk: minimumChunk }, window)
  return { chunk, parts, window }
}

function tooSmall(id: string, parts: Readonly<Record<string, number>>, window: number): ContextOverflowError {
  const largest = Object.entries(parts).reduce((best, part) => (part[1] > best[1] ? part : best))[0]
  return new ContextOverflowError(
    `Cannot plan a call of ${id}`,
    parts,
    window,
    `${REMEDIES[largest] ?? REMEDIES['window']} (the largest part is ${largest})`,
  )
}

/** What to do about each part when it is the largest. */
const REMEDIES: Readonly<Record<string, string>> = {
  system: 'Shorten the system prompt, or use a model with a larger window',
  instruction: 'Shorten the instruction, or use a model with a larger window',
  question: 'Shorten the question, or use a model with a larger window',
  state: 'Lower maxUnit, or use a model with a larger window',
  output: 'Lower maxOutput, or use a model with a larger window',
  margin: "Pass the model's own token counter, so that no margin is needed",
  window: 'Use a model with a larger window',
}

function checkTokens(name: string, tokens: number): void {
  if (!(tokens >= 0 && Number.isFinite(tokens)))
    throw new RangeError(`Cannot solve a budget as ${name} must be a number of tokens from 0: ${tokens}`)
}

function sumOf(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((sum, tokens) => sum + tokens, 0)
}
