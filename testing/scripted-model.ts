import { ContextOverflowError } from '../errors/index.ts'
import {
  type ChatCallOptions,
  type ChatMessage,
  type ChatModel,
  type ChatReply,
  type Clock,
  type ModelDescription,
  type SelfDescribing,
  systemClock,
} from '../models/index.ts'
import { checkFaults, type Fault, faultError, type FaultKind, pickFault } from './faults.ts'

/** What a rule's condition and answer see of a call. */
export interface ScriptedCall {
  /** From 1, in the order in which the calls arrived. */
  readonly number: number
  readonly messages: readonly ChatMessage[]
  /** The contents of all messages, joined by an empty line. */
  readonly prompt: string
  /** How often this very prompt came before. */
  readonly seen: number
  readonly streamed: boolean
}

/** A call as it ended. */
export interface RecordedCall extends ScriptedCall {
  readonly promptTokens: number
  readonly fault?: FaultKind
  /** What the call asked for beside its messages. */
  readonly maxTokens?: number
  readonly temperature?: number
  /** The whole answer; absent when the call failed. */
  readonly answer?: string
}

export interface ScriptedRule {
  /** A pattern, a text that the prompt contains, a list of texts that it all contains, or a predicate. */
  readonly when: RegExp | string | readonly string[] | ((call: ScriptedCall) => boolean)
  /** A text, or a function of the call; `match` is the pattern's. */
  readonly answer: string | ((call: ScriptedCall, match: RegExpExecArray | undefined) => string)
}

export interface ScriptedModelOptions {
  /** The first rule that holds answers. */
  readonly rules?: readonly ScriptedRule[]
  /** Answer when no rule holds; without it such a call throws. */
  readonly fallback?: ScriptedRule['answer']
  readonly id?: string
  /** Tokens of prompt and reply; 8,192 by default. A longer prompt throws, a longer reply is cut. */
  readonly window?: number
  /** Most tokens of a reply; 1,024 by default. */
  readonly maxOutput?: number
  /** Tokens of a text; a quarter of its UTF-16 code units, rounded up, by default. */
  readonly count?: (text: string) => number
  /** Tokens added to each message; 0 by default. */
  readonly perMessage?: number
  readonly price?: { readonly input: number; readonly output: number }
  readonly faults?: readonly Fault[]
  /** Decides which calls the rates befall; 0 by default. */
  readonly seed?: number
  /** What the fault `wrong` makes of an answer. */
  readonly corrupt?: (answer: string, call: ScriptedCall) => string
  /** Milliseconds each call takes on `clock`; 0, without a wait, by default. */
  readonly latency?: number | ((call: ScriptedCall) => number)
  readonly clock?: Clock
}

/** A chat model that answers by rules, for tests. */
export interface ScriptedModel extends ChatModel, SelfDescribing {
  /** Calls in the order of their ends. */
  readonly calls: readonly RecordedCall[]
  /** Calls that have begun and not ended. */
  readonly running: number
  /** Most calls that ran at one time. */
  readonly peak: number
}

/**
 * Makes a scripted model. It keeps the promises of the chat-model suite: the signal's own reason, a hard window, the caller's messages untouched.
 *
 * @throws RangeError when the rates of the faults add up to more than 1
 */
export function scriptedModel(options: ScriptedModelOptions = {}): ScriptedModel {
  const { id = 'scripted', window = 8192, maxOutput = 1024, count = quarter, perMessage = 0, price } = options
  const { faults = [], seed = 0, latency = 0, clock = systemClock, corrupt = () => 'This is not what was asked.' } = options
  checkFaults(faults)
  const calls: RecordedCall[] = []
  const seen = new Map<string, number>()
  let arrived = 0
  let running = 0
  let peak = 0

  return {
    calls,
    get running() {
      return running
    },
    get peak() {
      return peak
    },
    describe: (): ModelDescription => ({ id, window, maxOutput, count, exact: true, margin: 0, perMessage, ...(price && { price }) }),
    async invoke(messages, callOptions) {
      const parts: ChatReply[] = []
      for await (const part of run(messages, callOptions, false)) parts.push(part)
      return { ...parts.at(-1), content: parts.map((part) => part.content).join('') }
    },
    async stream(messages, callOptions) {
      return run(messages, callOptions, true)
    },
  }

  async function* run(messages: readonly ChatMessage[], callOptions: ChatCallOptions = {}, streamed: boolean): AsyncGenerator<ChatReply> {
    const { signal, maxTokens, temperature } = callOptions
    signal?.throwIfAborted()
    const call = arrive(messages, streamed)
    const fault = pickFault(faults, call, seed)
    const promptTokens = messages.reduce((tokens, message) => tokens + count(message.content) + perMessage, 0)
    let answer: string | undefined
    running++
    peak = Math.max(peak, running)
    try {
      if (promptTokens > window) throw new ContextOverflowError(`Cannot call ${id}`, { prompt: promptTokens }, window)
      await wait(call, fault, signal)
      const whole = spoil(answerOf(call, options), call, fault)
      const cut = cutToTokens(whole, Math.min(maxTokens ?? maxOutput, maxOutput, window - promptTokens), count)
      yield* speak(cut, fault, signal)
      answer = cut
      yield lastPart(promptTokens, count(cut), cut === whole ? 'stop' : 'length')
    } finally {
      running--
      const asked = { ...(maxTokens !== undefined && { maxTokens }), ...(temperature !== undefined && { temperature }) }
      calls.push({ ...call, promptTokens, ...asked, ...(fault && { fault: fault.kind }), ...(answer !== undefined && { answer }) })
    }
  }

  function arrive(messages: readonly ChatMessage[], streamed: boolean): ScriptedCall {
    const prompt = messages.map((message) => message.content).join('\n\n')
    const before = seen.get(prompt) ?? 0
    seen.set(prompt, before + 1)
    arrived++
    return { number: arrived, messages: messages.map((message) => ({ ...message })), prompt, seen: before, streamed }
  }

  async function wait(call: ScriptedCall, fault: Fault | undefined, signal: AbortSignal | undefined): Promise<void> {
    if (fault?.kind === 'hang') await hang(signal)
    const milliseconds = (typeof latency === 'function' ? latency(call) : latency) + (fault?.kind === 'slow' ? (fault.delay ?? 1000) : 0)
    if (milliseconds > 0) await clock.sleep(milliseconds, { signal })
    signal?.throwIfAborted()
    const error = fault && faultError(fault)
    if (error) throw error
  }

  function spoil(answer: string, call: ScriptedCall, fault: Fault | undefined): string {
    if (fault?.kind === 'empty') return ''
    if (fault?.kind === 'wrong') return corrupt(answer, call)
    if (fault?.kind === 'duplicate') return `${answer}\n${answer}`
    return fault?.kind === 'noise'
      ? `Sure! Here is what you asked for:\n\n\`\`\`\n${answer}\n\`\`\`\n\nLet me know if I can help further.`
      : answer
  }
}

async function* speak(answer: string, fault: Fault | undefined, signal: AbortSignal | undefined): AsyncGenerator<ChatReply> {
  const parts = answer.match(/\S*\s*/g)?.filter(Boolean) ?? []
  const told = fault?.kind === 'cut-stream' ? parts.slice(0, Math.ceil(parts.length / 2)) : parts
  for (const part of told) {
    signal?.throwIfAborted()
    yield { content: part }
  }
  signal?.throwIfAborted()
  if (fault?.kind === 'cut-stream') throw Object.assign(new TypeError('terminated'), { code: 'ECONNRESET' })
}

function lastPart(input: number, output: number, finish: string): ChatReply {
  return { content: '', usage_metadata: { input_tokens: input, output_tokens: output }, response_metadata: { finish_reason: finish } }
}

function answerOf(call: ScriptedCall, { rules = [], fallback }: ScriptedModelOptions): string {
  for (const { when, answer } of rules) {
    const match =
      when instanceof RegExp ? (new RegExp(when.source, when.flags.replace(/[gy]/g, '')).exec(call.prompt) ?? undefined) : undefined
    if (match ?? holds(when, call)) return typeof answer === 'function' ? answer(call, match) : answer
  }
  if (fallback === undefined)
    throw new Error(`Cannot answer as no rule holds for the prompt: ${call.prompt.slice(0, 200)}. Add a rule or a fallback`)
  return typeof fallback === 'function' ? fallback(call, undefined) : fallback
}

function holds(when: ScriptedRule['when'], call: ScriptedCall): boolean {
  if (typeof when === 'function') return when(call)
  if (when instanceof RegExp) return false
  return (typeof when === 'string' ? [when] : when).every((text) => call.prompt.includes(text))
}

/** The longest beginning of at most `limit` tokens that does not end inside a surrogate pair. */
function cutToTokens(text: string, limit: number, count: (text: string) => number): string {
  if (count(text) <= limit) return text
  let low = 0
  let high = text.length
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (count(text.slice(0, middle)) <= limit) low = middle
    else high = middle - 1
  }
  const last = text.charCodeAt(low - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? low - 1 : low)
}

function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason)
    else signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function quarter(text: string): number {
  return Math.ceil(text.length / 4)
}
