import { ModelError } from '../errors/index.ts'
import type { ChatCallOptions, ChatMessage, ChatModel, ChatReply } from './chat-model.ts'
import type { Clock } from './clock.ts'
import type { CallSettings } from './with-settings.ts'
import { joinFacts, replyFacts, type ReplyFacts, replyText } from './reply.ts'

/** One reply of a model: its text, perhaps empty, and what it said of itself. */
export interface Attempt {
  readonly text: string
  readonly facts: ReplyFacts
}

export interface AttemptOptions extends CallSettings {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  readonly timeout?: number | undefined
  readonly onDelta?: ((text: string) => void) | undefined
}

/**
 * Calls a model once. The call is raced against the signal, since some models ignore a signal and others answer it with an error of their own; the
 * model is told to stop in both cases.
 *
 * @throws the signal's reason; ModelError `timeout` or `cut-stream`; else what the model throws
 */
export async function attemptCall(model: ChatModel, messages: readonly ChatMessage[], options: AttemptOptions): Promise<Attempt> {
  const { signal, onDelta } = options
  signal?.throwIfAborted()
  const stop = new AbortController()
  const onAbort = (): void => stop.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = startTimer(options, stop)
  // A copy of each message: a model that changes what it is given must not change the caller's.
  const copies = messages.map((message) => ({ ...message }))
  try {
    const streams = onDelta !== undefined || alwaysStreams(model)
    const call = callOptions(options, stop.signal)
    return await raceAbort(streams ? readStream(model, copies, call, onDelta) : readReply(model, copies, call), stop.signal)
  } finally {
    timer?.abort()
    signal?.removeEventListener('abort', onAbort)
  }
}

function callOptions({ maxTokens, temperature }: CallSettings, signal: AbortSignal): ChatCallOptions & { readonly signal: AbortSignal } {
  return { signal, ...(maxTokens !== undefined && { maxTokens }), ...(temperature !== undefined && { temperature }) }
}

/** LangChain's `streaming: true` makes `invoke` count tokens with a download; its `stream` does not. */
function alwaysStreams(model: ChatModel): boolean {
  return Reflect.get(model, 'streaming') === true
}

async function readReply(model: ChatModel, messages: ChatMessage[], options: ChatCallOptions): Promise<Attempt> {
  const reply = await model.invoke(messages, options)
  return { text: replyText(reply.content), facts: replyFacts(reply) }
}

async function readStream(
  model: ChatModel,
  messages: ChatMessage[],
  options: ChatCallOptions & { readonly signal: AbortSignal },
  onDelta?: (text: string) => void,
): Promise<Attempt> {
  const { signal } = options
  let text = ''
  let facts: ReplyFacts = {}
  for await (const part of unbroken(model, await model.stream(messages, options), signal)) {
    if (signal.aborted) break
    facts = joinFacts(facts, replyFacts(part))
    const delta = replyText(part.content)
    if (delta === '') continue
    text += delta
    onDelta?.(delta)
  }
  signal.throwIfAborted()
  if (facts.mustFinish === true && facts.finishReason === undefined) throw unfinished(model, text)
  return { text, facts }
}

/** Once a stream has begun, a failure without a status is a cut stream, whatever the network calls it. */
async function* unbroken(model: ChatModel, stream: AsyncIterable<ChatReply>, signal: AbortSignal): AsyncGenerator<ChatReply> {
  let begun = false
  try {
    for await (const part of stream) {
      begun = true
      yield part
    }
  } catch (cause) {
    if (!begun || signal.aborted || cause instanceof ModelError || hasStatus(cause)) throw cause
    throw new ModelError(`Cannot read on as the stream broke: ${cause instanceof Error ? cause.message : String(cause)}`, {
      reason: 'cut-stream',
      model: model.constructor.name,
      cause,
    })
  }
}

function hasStatus(cause: unknown): boolean {
  return typeof cause === 'object' && cause !== null && typeof Reflect.get(cause, 'status') === 'number'
}

function unfinished(model: ChatModel, text: string): ModelError {
  return new ModelError(`Cannot use a reply that ended without a finish reason, after ${text.length} characters`, {
    reason: 'cut-stream',
    model: model.constructor.name,
  })
}

function startTimer({ timeout, clock }: AttemptOptions, stop: AbortController): AbortController | undefined {
  if (timeout === undefined) return undefined
  const timer = new AbortController()
  const expire = (): void => stop.abort(new ModelError(`Cannot wait longer than ${timeout} ms`, { reason: 'timeout', model: '' }))
  clock.sleep(timeout, { signal: timer.signal }).then(expire, () => undefined)
  return timer
}

function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
