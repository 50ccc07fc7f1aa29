import type { Clock } from '../models/index.ts'

/** A clock for tests: time moves only when it is told to, or jumps over every wait. */
export interface ManualClock extends Clock {
  /** Every wait that was asked for, in milliseconds, in order. */
  readonly waits: readonly number[]
  /** Waits that are neither over nor aborted. */
  readonly pending: number
  /** Moves time and ends the waits that are over by then, in the order of their ends. */
  advance(milliseconds: number): void
}

interface Sleeper {
  readonly until: number
  wake(): void
}

/**
 * @param options `jump`: a wait moves time to its end at once, so that nothing waits; false by default
 */
export function manualClock(options: { readonly start?: number; readonly jump?: boolean } = {}): ManualClock {
  const { start = 0, jump = false } = options
  let time = start
  const waits: number[] = []
  const sleepers = new Set<Sleeper>()

  return {
    waits,
    get pending() {
      return sleepers.size
    },
    now: () => time,
    sleep,
    advance,
  }

  function sleep(milliseconds: number, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    waits.push(milliseconds)
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      if (jump) {
        time += milliseconds
        resolve()
        return
      }
      const sleeper: Sleeper = {
        until: time + milliseconds,
        wake() {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      function onAbort(): void {
        sleepers.delete(sleeper)
        reject(signal?.reason)
      }
      sleepers.add(sleeper)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  function advance(milliseconds: number): void {
    time += milliseconds
    for (const sleeper of [...sleepers].toSorted((a, b) => a.until - b.until)) {
      if (sleeper.until > time) continue
      sleepers.delete(sleeper)
      sleeper.wake()
    }
  }
}
