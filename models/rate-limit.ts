import { type Clock, systemClock } from './clock.ts'

export interface LimiterOptions {
  /** Calls under way at one time; no limit by default. */
  readonly concurrency?: number
  /** Calls begun within any minute; no limit by default. */
  readonly requestsPerMinute?: number
  /** Tokens, in and out, of the calls begun within any minute; no limit by default. */
  readonly tokensPerMinute?: number
  readonly clock?: Clock
}

/** A call's place within the limits. */
export interface Permit {
  /** Ends the call. `tokens`, where known, replaces the estimate. Settling twice changes nothing. */
  settle(tokens?: number): void
}

/** Keeps calls within limits, first come, first served. One limiter may serve many models of one account. */
export interface Limiter {
  /**
   * Waits for a place. A call estimated above `tokensPerMinute` goes alone: when no other call began within the minute.
   *
   * @param tokens estimate of the call's tokens, prompt and longest reply
   * @throws the signal's reason when it aborts
   */
  acquire(tokens: number, options?: { readonly signal?: AbortSignal | undefined }): Promise<Permit>
  /** Lets no call begin for `milliseconds`: the server asked to wait. */
  pause(milliseconds: number): void
}

const MINUTE = 60_000

interface Started {
  readonly at: number
  tokens: number
}

interface Waiting {
  readonly tokens: number
  start(permit: Permit): void
}

/**
 * A limiter over a sliding minute: no window of 60 seconds sees more than the limit, also at the borders of the clock's minutes. While nobody waits
 * it holds no timer.
 *
 * @throws RangeError when a limit is not a positive number
 */
export function createLimiter(options: LimiterOptions = {}): Limiter {
  const { concurrency = Infinity, requestsPerMinute = Infinity, tokensPerMinute = Infinity, clock = systemClock } = options
  for (const [name, limit] of Object.entries({ concurrency, requestsPerMinute, tokensPerMinute })) {
    if (!(limit > 0)) throw new RangeError(`Cannot limit calls as ${name} must be a positive number: ${limit}`)
  }
  const queue: Waiting[] = []
  let started: Started[] = []
  let running = 0
  let pausedUntil = -Infinity
  let timer: AbortController | undefined

  return { acquire, pause }

  function acquire(tokens: number, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Permit> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const waiting: Waiting = {
        tokens,
        start(permit) {
          signal?.removeEventListener('abort', leave)
          resolve(permit)
        },
      }
      function leave(): void {
        queue.splice(queue.indexOf(waiting), 1)
        reject(signal?.reason)
        serve()
      }
      signal?.addEventListener('abort', leave, { once: true })
      queue.push(waiting)
      serve()
    })
  }

  function pause(milliseconds: number): void {
    pausedUntil = Math.max(pausedUntil, clock.now() + milliseconds)
    serve()
  }

  /** Starts as many of the first in the queue as the limits let, and sets one timer for the next. */
  function serve(): void {
    timer?.abort()
    timer = undefined
    for (let first = queue[0]; first !== undefined && running < concurrency; first = queue[0]) {
      const wait = timeUntilRoom(first.tokens)
      if (wait > 0) {
        wakeIn(wait)
        return
      }
      queue.shift()
      first.start(begin(first.tokens))
    }
  }

  function begin(tokens: number): Permit {
    const call: Started = { at: clock.now(), tokens }
    if (requestsPerMinute < Infinity || tokensPerMinute < Infinity) started.push(call)
    running++
    let settled = false
    return {
      settle(used) {
        if (settled) return
        settled = true
        call.tokens = used ?? call.tokens
        running--
        serve()
      },
    }
  }

  /** Milliseconds until a call of `tokens` may begin: as many of the oldest calls must leave the minute as stand in its way. */
  function timeUntilRoom(tokens: number): number {
    const now = clock.now()
    started = started.filter((call) => call.at > now - MINUTE)
    let requests = started.length
    let spent = started.reduce((sum, call) => sum + call.tokens, 0)
    let until = pausedUntil
    for (const call of started) {
      if (requests < requestsPerMinute && spent + tokens <= tokensPerMinute) break
      requests--
      spent -= call.tokens
      until = Math.max(until, call.at + MINUTE)
    }
    return until - now
  }

  function wakeIn(milliseconds: number): void {
    const wake = new AbortController()
    timer = wake
    clock.sleep(milliseconds, { signal: wake.signal }).then(serve, () => undefined)
  }
}
