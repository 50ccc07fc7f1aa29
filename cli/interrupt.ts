import type { Terminal } from './terminal.ts'

/** The user asked to stop before there was a run. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** The first request to stop ends the work in order, the second the process. */
export interface Interrupt {
  /** Aborted with Interrupted by a request while no run listens. */
  readonly signal: AbortSignal
  readonly requested: boolean
  /** From now on the first request calls this instead. */
  listen(onRequest: () => void): void
  /** Leaves the signals of the process alone again. */
  end(): void
}

export function createInterrupt(terminal: Terminal): Interrupt {
  const controller = new AbortController()
  let requested = false
  let act = (): void => controller.abort(new Interrupted())
  const end = terminal.onInterrupt(() => {
    if (requested) {
      terminal.kill()
      return
    }
    requested = true
    act()
  })
  return {
    signal: controller.signal,
    get requested() {
      return requested
    },
    listen(onRequest) {
      act = onRequest
    },
    end,
  }
}
