import type { Usage } from '../agents/index.ts'

/** Ceilings of a run. It stops before the call that would pass one, with status `stopped` and what it has. */
export interface Limits {
  /** US dollars. */
  readonly usd?: number
  /** Tokens, input and output together. */
  readonly tokens?: number
  /** Wall-clock seconds; a call under way is aborted. */
  readonly seconds?: number
  /** Model calls. A call that was made again after a failure counts as often as it was made. */
  readonly calls?: number
}

/** A limit of the run was reached. Caught by the run, which then stops. */
export class LimitReached extends Error {
  override readonly name = 'LimitReached'
  readonly limit: keyof Limits

  constructor(limit: keyof Limits, ceiling: number, needed?: number) {
    super(`the limit of ${ceiling} ${limit} ${needed === undefined ? 'was reached' : `would be passed by the next call (${needed})`}`)
    this.limit = limit
  }
}

/** Counts what a run uses and refuses a call that would pass a limit. Calls under way count with what they reserved. */
export interface Meter {
  readonly used: Usage
  /**
   * Returns a function that settles the reservation with what was really used.
   *
   * @throws LimitReached when a limit would be passed
   * @throws TypeError when dollars are limited and the call's price is not known: the limit could not be kept
   */
  reserve(estimate: Usage): (used: Usage) => void
}

export function createMeter(limits: Limits = {}): Meter {
  checkLimits(limits)
  let used: Usage = { calls: 0, inputTokens: 0, outputTokens: 0, usd: 0 }
  let reserved: Usage = used
  return {
    get used() {
      return used
    },
    reserve(estimate) {
      if (limits.usd !== undefined && estimate.usd === undefined) throw unpriced(limits.usd)
      const ahead = add(add(used, reserved), estimate)
      for (const [limit, value] of amounts(ahead)) {
        const ceiling = limits[limit]
        if (ceiling !== undefined && value > ceiling) throw new LimitReached(limit, ceiling, value)
      }
      reserved = add(reserved, estimate)
      return (actual) => {
        reserved = add(reserved, negate(estimate))
        used = add(used, actual)
      }
    },
  }
}

function amounts(usage: Usage): [keyof Limits, number][] {
  return [
    ['calls', usage.calls],
    ['tokens', usage.inputTokens + usage.outputTokens],
    ['usd', usage.usd ?? 0],
  ]
}

/** The sum; an unknown price stays unknown. */
export function add(a: Usage, b: Usage): Usage {
  return {
    calls: a.calls + b.calls,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    usd: a.usd === undefined || b.usd === undefined ? undefined : a.usd + b.usd,
  }
}

function negate(usage: Usage): Usage {
  return {
    calls: -usage.calls,
    inputTokens: -usage.inputTokens,
    outputTokens: -usage.outputTokens,
    usd: usage.usd === undefined ? undefined : -usage.usd,
  }
}

function unpriced(usd: number): TypeError {
  return new TypeError(
    `Cannot keep a limit of ${usd} usd as the price of the model is not known. Give the strategy description: { price }, or limit tokens or calls`,
  )
}

function checkLimits(limits: Limits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (value !== undefined && !(value >= 0))
      throw new RangeError(`Cannot limit a run to ${value} ${name} as a limit must be a number >= 0`)
  }
}
