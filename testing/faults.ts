import { chance } from './hash.ts'

/**
 * What can go wrong with a call. In the answer: `wrong`, `empty`, `duplicate` (said twice), `noise` (wrapped in chatter and a code fence). In the
 * call: `rate-limit` (429), `server-error` (500), `timeout` (408), `cut-stream`, `slow`, `hang` (until aborted).
 */
export type FaultKind =
  | 'wrong'
  | 'empty'
  | 'duplicate'
  | 'noise'
  | 'rate-limit'
  | 'server-error'
  | 'timeout'
  | 'cut-stream'
  | 'slow'
  | 'hang'

export interface Fault {
  readonly kind: FaultKind
  /** Share of calls, from 0 to 1. Drawn from the seed, the prompt and how often it was seen, and so independent of the order of calls. */
  readonly rate?: number
  /** Numbers of the calls it befalls, from 1, beside those of `rate`. */
  readonly calls?: readonly number[]
  /** For `rate-limit`: seconds in the `retry-after` header; none by default. */
  readonly retryAfter?: number
  /** For `slow`: milliseconds. */
  readonly delay?: number
}

/** Chooses the fault of a call. Rates share one draw, so that they add up: 10 % and 5 % befall 15 % of the calls. */
export function pickFault(
  faults: readonly Fault[],
  call: { readonly number: number; readonly prompt: string; readonly seen: number },
  seed: number,
): Fault | undefined {
  const byNumber = faults.find((fault) => fault.calls?.includes(call.number))
  if (byNumber) return byNumber
  let draw = chance(`${seed} ${call.seen} ${call.prompt}`)
  for (const fault of faults) {
    draw -= fault.rate ?? 0
    if (draw < 0) return fault
  }
  return undefined
}

/** @throws RangeError when rates do not lie from 0 to 1 or add up to more than 1 */
export function checkFaults(faults: readonly Fault[]): void {
  const rates = faults.map((fault) => fault.rate ?? 0)
  const sum = rates.reduce((total, rate) => total + rate, 0)
  if (rates.some((rate) => !(rate >= 0)) || sum > 1 + 1e-9) {
    throw new RangeError(`Cannot script faults as their rates must be shares that add up to at most 1: ${rates.join(', ')}`)
  }
}

/** The error that a remote client would throw for this fault; undefined for faults that are no error. */
export function faultError({ kind, retryAfter }: Fault): Error | undefined {
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  if (kind === 'rate-limit') return Object.assign(new Error('429 Rate limit reached'), { status: 429, headers })
  if (kind === 'server-error') return Object.assign(new Error('500 The server had an error'), { status: 500, headers })
  return kind === 'timeout' ? Object.assign(new Error('408 Request timed out'), { status: 408, headers }) : undefined
}
