import { ContextOverflowError, ModelError, type ModelErrorReason } from '../errors/index.ts'
import { type Logger, silent } from '../log/index.ts'
import { approximateCount } from './approximate-count.ts'
import { attemptCall, type Attempt } from './attempt-call.ts'
import { type CallFailure, classifyFailure } from './call-failure.ts'
import type { ChatMessage, ChatModel } from './chat-model.ts'
import { type Clock, systemClock } from './clock.ts'
import type { ModelDescription } from './describe.ts'
import { endpointOf, modelName } from './model-name.ts'
import type { Limiter } from './rate-limit.ts'
import { type CallSettings, withSettings } from './with-settings.ts'
import { withoutRetries } from './without-retries.ts'

/** A failed attempt that is made again. */
export interface Retry {
  /** Attempts made so far. */
  readonly attempt: number
  /** Milliseconds until the next one. */
  readonly wait: number
  readonly error: unknown
}

export interface CallModelOptions extends CallSettings {
  /** Retries after the first attempt; 5 by default. One owner: what the model's own class would retry is switched off. */
  readonly retries?: number
  /** Retries of a reply without text, within `retries`; 1 by default. */
  readonly emptyRetries?: number
  /** Upper bound of the first pause, in milliseconds, doubled at each retry; 500 by default. */
  readonly baseDelay?: number
  /** Longest pause, in milliseconds; 60,000 by default. A server that asks for more is not waited for. */
  readonly maxDelay?: number
  /** Milliseconds an attempt may take; no limit by default. */
  readonly timeout?: number
  /** What is known of the model, for its name, counts of tokens, and the check that the prompt fits. */
  readonly description?: ModelDescription
  readonly limiter?: Limiter
  readonly signal?: AbortSignal
  /** Streams: called with each part of the text. The parts since the last `onRestart` join to the result's text. */
  readonly onDelta?: (text: string) => void
  /** The parts so far are void, as their stream broke; a retry follows. */
  readonly onRestart?: () => void
  /** Told before each retry. */
  readonly onRetry?: (retry: Retry) => void
  readonly clock?: Clock
  /** A number from 0 to below 1, for the jitter. */
  readonly random?: () => number
  readonly logger?: Logger
}

export interface CallUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Whether the model reported the tokens; counted from the texts otherwise. */
  readonly exact: boolean
}

export interface CallResult {
  /** Never empty. */
  readonly text: string
  readonly usage: CallUsage
  /** Attempts made, 1 without a retry. */
  readonly attempts: number
  /** Milliseconds from the call to its result, pauses included. */
  readonly ms: number
  /** Why the model stopped, in the server's word: `stop`, `length` … */
  readonly finishReason?: string
}

/**
 * Calls a model and owns its retries: exponential backoff with full jitter, `retry-after` honoured. Retried are rate limits (but not a used-up
 * quota), timeouts, server and connection failures, cut streams and, once, replies without text. The caller's messages are not changed.
 *
 * @throws ModelError for what is not retried, or when the retries are used up
 * @throws ContextOverflowError when the prompt does not fit the model
 * @throws the signal's own reason when it aborts; nothing is left running
 */
export async function callModel(model: ChatModel, messages: readonly ChatMessage[], options: CallModelOptions = {}): Promise<CallResult> {
  const { retries = 5, emptyRetries = 1, clock = systemClock, logger = silent, signal } = options
  const call: Call = {
    model,
    messages,
    options,
    clock,
    name: options.description?.id ?? modelName(model),
    inputTokens: countPrompt(messages, options),
  }
  refuseOverflow(call)
  const began = clock.now()
  let empty = 0
  for (let attempts = 1; ; attempts++) {
    signal?.throwIfAborted()
    const attempt = await tryOnce(call)
    if ('text' in attempt) return resultOf(call, attempt, attempts, clock.now() - began)
    const { failure, cause, streamed } = attempt
    if (failure.reason === 'empty') empty++
    const pause = pauseBefore(attempts, failure, options)
    const givesUp = !failure.retryable || attempts > retries || empty > emptyRetries || pause === undefined
    if (givesUp) throw errorOf(call, failure, attempts, cause)
    logger.warn(
      { model: call.name, reason: failure.reason, status: failure.status, attempt: attempts, pause },
      'Model call failed and is retried',
    )
    if (streamed) options.onRestart?.()
    options.onRetry?.({ attempt: attempts, wait: pause, error: errorOf(call, failure, attempts, cause) })
    if (failure.reason === 'rate-limit' && failure.retryAfter !== undefined) options.limiter?.pause(failure.retryAfter)
    await clock.sleep(pause, { signal })
  }
}

interface Call {
  readonly model: ChatModel
  readonly messages: readonly ChatMessage[]
  readonly options: CallModelOptions
  readonly clock: Clock
  readonly name: string
  /** Counted, with what the chat format adds. */
  readonly inputTokens: number
}

interface FailedAttempt {
  readonly failure: CallFailure
  readonly cause: unknown
  readonly streamed: boolean
}

async function tryOnce(call: Call): Promise<Attempt | FailedAttempt> {
  const { options, inputTokens, clock } = call
  const { description, limiter, signal, onDelta, timeout } = options
  const permit = await limiter?.acquire(inputTokens + (options.maxTokens ?? description?.maxOutput ?? 0), { signal })
  let streamed = false
  let used: number | undefined
  try {
    const attempt = await attemptCall(withSettings(withoutRetries(call.model), options), call.messages, {
      maxTokens: options.maxTokens,
      temperature: options.temperature,
      signal,
      timeout,
      clock,
      onDelta:
        onDelta &&
        ((text) => {
          streamed = true
          listen(onDelta, text)
        }),
    })
    const { inputTokens: sent, outputTokens: received } = usageOf(call, attempt)
    used = sent + received
    if (attempt.text.trim() !== '') return attempt
    return { failure: emptyFailure(attempt), cause: undefined, streamed }
  } catch (cause) {
    // The abort wins over whatever a model makes of it.
    signal?.throwIfAborted()
    if (cause instanceof ListenerFailure) throw cause.cause
    const failure = classifyFailure(cause, clock.now())
    if (failure.reason === 'rate-limit' || failure.reason === 'connection') used = 0
    return { failure, cause, streamed }
  } finally {
    permit?.settle(used)
  }
}

/** What a listener throws is the caller's own error, not a failure of the model. */
class ListenerFailure extends Error {}

function listen(onDelta: (text: string) => void, text: string): void {
  try {
    onDelta(text)
  } catch (cause) {
    throw new ListenerFailure('Cannot go on as onDelta threw', { cause })
  }
}

function emptyFailure({ facts }: Attempt): CallFailure {
  if (facts.refusal !== undefined) return { reason: 'refused', retryable: false, said: facts.refusal }
  if (facts.finishReason === 'content_filter') return { reason: 'refused', retryable: false, said: 'content_filter' }
  return { reason: 'empty', retryable: true, said: `it has no text (finish reason: ${facts.finishReason ?? 'none given'})` }
}

/** Milliseconds to wait before the next attempt; undefined when the server asks for more than the caller would wait. */
function pauseBefore(attempts: number, failure: CallFailure, options: CallModelOptions): number | undefined {
  const { baseDelay = 500, maxDelay = 60_000, random = Math.random } = options
  if (failure.retryAfter === undefined) return random() * Math.min(maxDelay, baseDelay * 2 ** (attempts - 1))
  // Jitter on top, as many callers are told the same moment.
  return failure.retryAfter > maxDelay ? undefined : failure.retryAfter + random() * baseDelay
}

function countPrompt(messages: readonly ChatMessage[], { description }: CallModelOptions): number {
  const { count = approximateCount, perMessage = 0 } = description ?? {}
  return messages.reduce((tokens, message) => tokens + count(message.content) + perMessage, 0)
}

/** An inexact count is no ground to refuse: there the server decides. */
function refuseOverflow({ inputTokens, name, options: { description } }: Call): void {
  if (description?.exact !== true || inputTokens <= description.window) return
  throw new ContextOverflowError(`Cannot call ${name}`, { prompt: inputTokens }, description.window)
}

function resultOf(call: Call, attempt: Attempt, attempts: number, ms: number): CallResult {
  const { finishReason } = attempt.facts
  return { text: attempt.text, usage: usageOf(call, attempt), attempts, ms, ...(finishReason !== undefined && { finishReason }) }
}

function usageOf(call: Call, { text, facts }: Attempt): CallUsage {
  const { inputTokens, outputTokens } = facts
  if (inputTokens !== undefined && outputTokens !== undefined) return { inputTokens, outputTokens, exact: true }
  const { count = approximateCount } = call.options.description ?? {}
  return { inputTokens: call.inputTokens, outputTokens: count(text), exact: false }
}

function errorOf(call: Call, failure: CallFailure, attempts: number, cause: unknown): Error {
  const { reason, status, retryAfter } = failure
  if (reason === 'overflow') return overflowOf(call, failure, cause)
  const message = `Cannot call ${call.name} as ${WHY[reason](call, failure)}${attempts > 1 ? `, after ${attempts} attempts` : ''}${hintOf(failure)}`
  return new ModelError(message, {
    reason,
    model: call.name,
    attempts,
    cause,
    ...(status !== undefined && { status }),
    ...(retryAfter !== undefined && { retryAfter }),
  })
}

const WHY: Record<ModelErrorReason, (call: Call, failure: CallFailure) => string> = {
  authentication: (_call, { status }) => `the server refused the key${status === undefined ? '' : ` (status ${status})`}`,
  'rate-limit': (_call, { said }) => `a limit of the server is reached: ${said}`,
  server: (_call, { said }) => `the server failed: ${said}`,
  connection: (call, { said }) => `${serverOf(call)} could not be reached: ${said}`,
  timeout: (_call, { said }) => `it took too long: ${said}`,
  refused: (_call, { said }) => `the model declined: ${said}`,
  'bad-request': (_call, { said }) => `the server refused the request: ${said}`,
  'cut-stream': (_call, { said }) => `its stream broke: ${said}`,
  empty: (_call, { said }) => `its reply is empty: ${said}`,
  unknown: (_call, { said }) => `it threw: ${said}`,
}

function hintOf({ reason, retryAfter }: CallFailure): string {
  if (reason === 'authentication') return '. Check the API key and what it may use'
  if (reason === 'connection') return '. Check the network and the base URL'
  return retryAfter === undefined ? '' : `. Try again in ${Math.ceil(retryAfter / 1000)} s`
}

function serverOf({ model }: Call): string {
  return endpointOf(model) ?? ('clientConfig' in model ? 'https://api.openai.com/v1' : 'its server')
}

function overflowOf(call: Call, { said }: CallFailure, cause: unknown): Error {
  if (cause instanceof ContextOverflowError) return cause
  // A server that names no window has still said that these tokens are too many.
  const window = call.options.description?.window ?? Number(/(?:length is|window of|limit of) (\d+)/i.exec(said)?.[1] ?? call.inputTokens)
  const error = new ContextOverflowError(`Cannot call ${call.name}`, { prompt: call.inputTokens }, window, `The server says: ${said}`)
  error.cause = cause
  return error
}
