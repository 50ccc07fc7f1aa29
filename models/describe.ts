import { APPROXIMATE_MARGIN, approximateCount } from './approximate-count.ts'
import type { ChatModel } from './chat-model.ts'
import { modelName, modelSettings } from './model-name.ts'
import { knownPrice, type Price } from './price.ts'

/** What a budget must know of a model. */
export interface ModelDescription {
  /** Name and parameters that determine its output: part of a step's cache key. */
  readonly id: string
  /** Tokens of a whole call: prompt and reply together. */
  readonly window: number
  /** Most tokens of one reply. */
  readonly maxOutput: number
  /** Tokens of a text. */
  readonly count: (text: string) => number
  /** Whether `count` is the model's own tokenizer. */
  readonly exact: boolean
  /** Share by which an inexact count may fall short, from 0 to 1; the budget keeps it free. 0 when exact. */
  readonly margin: number
  /** Tokens that the chat format adds to each message, at most. */
  readonly perMessage: number
  /** Tokens a second that are read and written, roughly, where the model runs on this machine: for the time of a plan. */
  readonly speed?: { readonly input: number; readonly output: number }
  /** US dollars a million tokens, where known. */
  readonly price?: Price
}

/** A model that describes itself, as the local and the scripted ones do. */
export interface SelfDescribing {
  describe(): ModelDescription
}

/** OpenAI's chat format adds 3 or 4 tokens to a message and 3 to the reply; other templates stay under this too. */
const PER_MESSAGE = 8

/**
 * What is known of a model. Each value comes from the first that has it: `overrides`, the model's own `describe()`, its settings and its LangChain
 * `profile`. Tokens of a remote model are approximated (see `approximateCount`) unless a counter is passed; LangChain's `getNumTokens` is never
 * called, as it downloads.
 *
 * @throws TypeError when the window or the longest reply is unknown; the message names the missing option
 * @throws RangeError when a value cannot be true
 */
export function describe(model: ChatModel, overrides: Partial<ModelDescription> = {}): ModelDescription {
  const description = isSelfDescribing(model) ? { ...model.describe(), ...overrides } : describeForeign(model, overrides)
  checkDescription(description)
  return description
}

function describeForeign(model: ChatModel, overrides: Partial<ModelDescription>): ModelDescription {
  const { window = positive(profileOf(model)['maxInputTokens']), maxOutput = longestReply(model), count = approximateCount } = overrides
  const { exact = false, margin = defaultMargin(overrides), perMessage = PER_MESSAGE } = overrides
  const price = overrides.price ?? knownPrice(modelName(model))
  if (window === undefined) throw missing(model, 'window', 'the tokens of prompt and reply together')
  if (maxOutput === undefined) throw missing(model, 'maxOutput', 'the most tokens of one reply')
  const id = overrides.id ?? modelId(model)
  return { id, window, maxOutput, count, exact, margin, perMessage, ...(price && { price }) }
}

function defaultMargin({ count, exact }: Partial<ModelDescription>): number {
  return count !== undefined && exact === true ? 0 : APPROXIMATE_MARGIN
}

/** The limit that the user set on the model wins over what the model could do. */
function longestReply(model: object): number | undefined {
  const set = positive(modelSettings(model)['maxTokens'])
  const able = positive(profileOf(model)['maxOutputTokens'])
  return set !== undefined && able !== undefined ? Math.min(set, able) : (set ?? able)
}

function modelId(model: ChatModel): string {
  const settings = modelSettings(model)
  return Object.keys(settings).length === 0 ? modelName(model) : `${modelName(model)} ${JSON.stringify(settings)}`
}

function checkDescription({ id, window, maxOutput, margin }: ModelDescription): void {
  if (!(window > 0)) throw new RangeError(`Cannot describe ${id} as its window must be a positive number of tokens: ${window}`)
  if (!(maxOutput > 0)) throw new RangeError(`Cannot describe ${id} as its maxOutput must be a positive number of tokens: ${maxOutput}`)
  if (!(margin >= 0 && margin < 1)) throw new RangeError(`Cannot describe ${id} as its margin must lie from 0 to 1: ${margin}`)
}

function missing(model: ChatModel, option: string, meaning: string): TypeError {
  return new TypeError(`Cannot describe ${modelName(model)} as ${meaning} are unknown. Pass describe(model, { ${option} })`)
}

function profileOf(model: object): Record<string, unknown> {
  const profile = 'profile' in model ? model.profile : undefined
  return typeof profile === 'object' && profile !== null ? { ...profile } : {}
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined
}

function isSelfDescribing(model: object): model is SelfDescribing {
  return 'describe' in model && typeof model.describe === 'function'
}
