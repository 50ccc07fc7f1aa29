/** Runs the machines of one run: sends signals, holds the gate, and keeps their snapshots. */
import { type AnyActor, type AnyStateMachine, createActor, toPromise } from 'xstate'
import { createRunMachine, type RunSignal, type RunWork } from './run-machine.ts'

export interface RunController {
  /** Runs the machine to its end. */
  start(): Promise<void>
  send(signal: RunSignal): void
  /** Resolves when the run is not paused; at once when it never was. */
  open(): Promise<void>
  /** Runs a strategy's machine to its end, and rejects with its error. */
  host(name: string, machine: AnyStateMachine, input: unknown): Promise<void>
  /** Persisted snapshots of all machines, as JSON: ids, counters and cursors. */
  snapshot(): string
  readonly paused: boolean
}

export function createRunController(runId: string, work: RunWork): RunController {
  const actor = createActor(createRunMachine(runId, work))
  const hosted = new Map<string, AnyActor>()
  return {
    start: () => finish(actor, (snapshot) => isOver(snapshot)),
    send: (signal) => actor.send(signal),
    get paused() {
      return isPaused(actor)
    },
    open: () => (isPaused(actor) ? until(actor, () => !isPaused(actor)) : Promise.resolve()),
    async host(name, machine, input) {
      const child = createActor(machine, { input })
      hosted.set(name, child)
      child.subscribe({ error: () => undefined })
      child.start()
      await toPromise(child)
    },
    snapshot: () =>
      JSON.stringify(Object.fromEntries([['run', brief(actor)], ...[...hosted].map(([name, child]) => [name, brief(child)])])),
  }
}

/** What is kept of a machine: where it is and what it counts. Its promises are not: on resume the journal answers for them. */
function brief(actor: AnyActor): object {
  const { value, status, context } = actor.getSnapshot() as { value: unknown; status: string; context: unknown }
  return { value, status, context }
}

function isOver(snapshot: unknown): boolean {
  const { work } = (snapshot as { value: { work: unknown } }).value
  return work === 'done' || work === 'failed'
}

function isPaused(actor: AnyActor): boolean {
  return (actor.getSnapshot() as { value: { gate: string } }).value.gate === 'closed'
}

async function finish(actor: AnyActor, over: (snapshot: unknown) => boolean): Promise<void> {
  const ended = until(actor, over)
  actor.start()
  await ended
  actor.stop()
}

function until(actor: AnyActor, holds: (snapshot: unknown) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const subscription = actor.subscribe({
      next(snapshot: unknown) {
        if (!holds(snapshot)) return
        resolve()
        queueMicrotask(() => subscription.unsubscribe())
      },
      error: reject,
    })
  })
}
