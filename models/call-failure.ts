import { ContextOverflowError, ModelError, type ModelErrorReason } from '../errors/index.ts'

/** A failed attempt, in the words of {@link ModelError}. `overflow`: the server says that the prompt does not fit. */
export interface CallFailure {
  readonly reason: ModelErrorReason | 'overflow'
  readonly retryable: boolean
  readonly status?: number
  /** Milliseconds the server asked to wait. */
  readonly retryAfter?: number
  /** What the server or the network said, on one line. */
  readonly said: string
}

const RETRYABLE: ReadonlySet<string> = new Set(['rate-limit', 'server', 'connection', 'timeout', 'cut-stream', 'empty'])
const OVERFLOW =
  /context_length_exceeded|maximum context length|exceeds? the context (window|size|length)|input tokens exceed|prompt is too long/i
const NO_QUOTA = /insufficient[_ -]?quota|exceeded your current quota|billing|credit balance|out of credits/i
const CONNECTION = /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_.*)$/
const CONNECTION_WORDS = /^(connection error|fetch failed|terminated|premature close|socket hang up|network error)/i

/**
 * Sorts what a model threw into a reason. Reads our own {@link ModelError}, the errors of the openai client and of LangChain, and Node's network
 * errors; statuses as in RFC 9110, `retry-after` in seconds or as a date, and OpenAI's `retry-after-ms`.
 *
 * @param now milliseconds since the epoch, for a date in `retry-after`
 */
export function classifyFailure(cause: unknown, now: number): CallFailure {
  const status = numberOf(cause, 'status') ?? numberOf(cause, 'statusCode') ?? numberOf(inner(cause, 'response'), 'status')
  const retryAfter = cause instanceof ModelError ? cause.retryAfter : retryAfterOf(cause, now)
  const said = firstLine(cause)
  const reason = reasonOf(cause, status, said)
  const retryable = RETRYABLE.has(reason) && !(reason === 'rate-limit' && hasNoQuota(cause, said))
  return { reason, retryable, said, ...(status !== undefined && { status }), ...(retryAfter !== undefined && { retryAfter }) }
}

function reasonOf(cause: unknown, status: number | undefined, said: string): CallFailure['reason'] {
  if (cause instanceof ModelError) return cause.reason
  if (cause instanceof ContextOverflowError || textOf(cause, 'name') === 'ContextOverflowError' || OVERFLOW.test(said)) return 'overflow'
  if (status !== undefined) return reasonOfStatus(status)
  if (chain(cause).some((error) => textOf(error, 'name') === 'TimeoutError' || textOf(error, 'code') === 'ETIMEDOUT')) return 'timeout'
  if (chain(cause).some(isConnectionFailure)) return 'connection'
  return textOf(cause, 'type') === 'server_error' ? 'server' : 'unknown'
}

function reasonOfStatus(status: number): ModelErrorReason {
  if (status === 401 || status === 403) return 'authentication'
  if (status === 408) return 'timeout'
  if (status === 429) return 'rate-limit'
  return status >= 500 ? 'server' : 'bad-request'
}

function isConnectionFailure(error: unknown): boolean {
  return CONNECTION.test(textOf(error, 'code') ?? '') || CONNECTION_WORDS.test(textOf(error, 'message') ?? '')
}

function hasNoQuota(cause: unknown, said: string): boolean {
  return NO_QUOTA.test(`${textOf(cause, 'code') ?? ''} ${textOf(cause, 'type') ?? ''} ${said}`)
}

function retryAfterOf(cause: unknown, now: number): number | undefined {
  const headers = inner(cause, 'headers') ?? inner(inner(cause, 'response'), 'headers')
  const milliseconds = Number.parseFloat(headerOf(headers, 'retry-after-ms') ?? '')
  if (milliseconds >= 0) return milliseconds
  const value = headerOf(headers, 'retry-after')?.trim()
  if (value === undefined || value === '') return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

function headerOf(headers: unknown, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined
  return textOf(headers, name)
}

/** An error and its causes; a connection failure stands two or three deep. */
function chain(error: unknown): unknown[] {
  const errors: unknown[] = []
  for (let current = error; typeof current === 'object' && current !== null && errors.length < 8; current = inner(current, 'cause')) {
    errors.push(current)
    // A host with two addresses fails with one error for each.
    if (current instanceof AggregateError) errors.push(...current.errors)
  }
  return errors
}

function firstLine(cause: unknown): string {
  const deepest = chain(cause)
    .map((error) => textOf(error, 'message'))
    .findLast((message) => message !== undefined && message !== '')
  const own = textOf(cause, 'message') ?? String(cause)
  const text = CONNECTION_WORDS.test(own) ? (deepest ?? own) : own
  return text.split('\n', 1)[0]?.slice(0, 300) ?? ''
}

function inner(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function textOf(value: unknown, name: string): string | undefined {
  const found = inner(value, name)
  return typeof found === 'string' ? found : undefined
}

function numberOf(value: unknown, name: string): number | undefined {
  const found = inner(value, name)
  return typeof found === 'number' ? found : undefined
}
