import type { ChatMessage, ChatModel, ModelDescription } from '../models/index.ts'

/** What a model call used. */
export interface Usage {
  readonly calls: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** US dollars; 0 for local models, undefined where a price is not known. */
  readonly usd?: number | undefined
}

/** What a step may take, for plans. */
export interface Estimate extends Usage {
  /** Seconds, where the speed of the model is known. */
  readonly seconds?: number | undefined
}

/** A call that an agent makes through its host: the host checks the window, keeps the limits, retries and counts. */
export interface AgentCall {
  readonly model: ChatModel
  /** What is known of the model; by default `describe(model)`. */
  readonly description?: ModelDescription
  readonly messages: readonly ChatMessage[]
  /** Most tokens of the reply; reserved in the window. */
  readonly maxTokens: number
  /** Names the parts of the prompt with their tokens, for the error when they do not fit. */
  readonly parts?: Readonly<Record<string, number>>
  /** Sampling temperature, where the model takes one. */
  readonly temperature?: number
  /** Streams the reply as it comes. */
  readonly onDelta?: (text: string) => void
}

/** What an agent is handed besides its input. */
export interface AgentContext {
  readonly signal: AbortSignal
  /** Calls a chat model; throws ContextOverflowError before sending a call above the window. */
  call(call: AgentCall): Promise<string>
  /**
   * Runs work on a model that is not a chat call (likelihoods, embeddings): the limits are checked before it and its usage is counted after.
   */
  compute<T>(work: (signal: AbortSignal) => Promise<{ readonly value: T; readonly usage: Usage }>): Promise<T>
  /** Text of the final answer as it is written. */
  delta(text: string): void
  /** Something the reader of the run should know: a guard fired, a reply was asked for again, evidence was dropped. */
  notice(code: string, message: string): void
}

/**
 * Who decides, one step at a time: a function of (model, input, signal) with a name. Its prompt stands beside it.
 *
 * What `run` returns is recorded and used again wherever `key` is equal, in other runs and for edited documents; so it may not depend on
 * anything outside `key`, and offsets in it count from the start of the chunk. `place` then sets it where the input stands.
 */
export interface Agent<Input, Output, Recorded = Output> {
  /** Kebab-case; part of the cache key. */
  readonly name: string
  /** Raised when prompt or logic change what comes out; part of the cache key. */
  readonly version: number
  /** Identity of the models it calls with their parameters, and of an overridden prompt; part of the cache key. */
  readonly identity: string
  /** The part of the input that determines the output, as plain data. A chunk counts by its text, not by its place. */
  key(input: Input): unknown
  run(input: Input, context: AgentContext): Promise<Recorded>
  place(recorded: Recorded, input: Input): Output
  /** What one step on this input may take at most, for plans; `usd` is left out where the model's price is not known. */
  estimate(input: Input): Estimate
}

/** Whether a value is an agent rather than a model. */
export function isAgent(value: unknown): value is Agent<never, unknown, unknown> {
  return typeof value === 'object' && value !== null && 'run' in value && 'place' in value && 'identity' in value
}
