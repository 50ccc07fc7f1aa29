/** The near side of the worker that runs local models. */
import type { Worker } from 'node:worker_threads'
import { ModelError } from '../errors/index.ts'
import type { Argument, FromWorker, LocalMethod, Result, ToWorker, WorkerStart } from './local-protocol.ts'
import { fromPlain } from './plain-error.ts'
import { startThread } from './start-thread.ts'

export interface EngineCallOptions {
  readonly signal?: AbortSignal
  /** Lower runs first; 0 by default. */
  readonly priority?: number
  /** Told of each part of a stream. */
  readonly onPart?: (value: number) => void
  readonly onProgress?: (value: number) => void
  /** Told of what is worth a line in a log. */
  readonly onLog?: (fields: object, message: string) => void
  /** Name of the model, for errors. */
  readonly model?: string
}

/**
 * One worker thread for any number of local models. It starts at the first call, runs one call at a time by priority, and does not keep the
 * process alive while it has nothing to do.
 */
export interface LocalEngine {
  /** Whether the worker runs. */
  readonly running: boolean
  /**
   * Runs a method in the worker.
   *
   * @throws the reason of the signal, at once when it aborts; ModelError when the worker ends before it answers
   */
  call<M extends LocalMethod>(method: M, argument: Argument<M>, options?: EngineCallOptions): Promise<Result<M>>
  /** Ends the worker; calls under way reject with a ModelError. */
  dispose(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

interface Pending {
  readonly options: EngineCallOptions
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** An engine of one's own, for models that should not wait for others. Models without one share the process's. */
export function openEngine(): LocalEngine {
  return openEngineOn((workerData) => startThread(new URL('./local-worker.js', import.meta.url), { workerData }))
}

/** An engine on the worker that `start` gives. */
export function openEngineOn(start: (workerData: WorkerStart) => Worker): LocalEngine {
  return new WorkerEngine(start)
}

/** How long the end of the process waits for the worker to come to the end of a run, in milliseconds. */
const longestFarewell = 10_000

class WorkerEngine implements LocalEngine {
  readonly #start: (workerData: WorkerStart) => Worker
  readonly #pending = new Map<number, Pending>()
  /** Calls that the worker has not answered, those that were aborted here included: until it has, it may be inside the runtime. */
  readonly #unanswered = new Set<number>()
  #worker: Worker | undefined
  #lastId = 0
  #disposal: Promise<void> | undefined

  constructor(start: (workerData: WorkerStart) => Worker) {
    this.#start = start
  }

  get running(): boolean {
    return this.#worker !== undefined
  }

  call<M extends LocalMethod>(method: M, argument: Argument<M>, options: EngineCallOptions = {}): Promise<Result<M>> {
    const { signal, priority = 0, model = 'local model' } = options
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    if (this.#disposal !== undefined) return Promise.reject(stopped(model, 'was disposed. Open the model again'))
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#send({ kind: 'cancel', id })
        this.#settle(id)?.reject(signal?.reason)
      }
      const clean = (): void => signal?.removeEventListener('abort', abort)
      signal?.addEventListener('abort', abort, { once: true })
      this.#pending.set(id, {
        options,
        resolve: (value) => (clean(), resolve(value as Result<M>)),
        reject: (reason) => (clean(), reject(reason)),
      })
      this.#unanswered.add(id)
      this.#send({ kind: 'call', id, priority, method, argument })
    })
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#close()
    return this.#disposal
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  async #close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    const exit = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    this.#send({ kind: 'close' })
    this.#lose((model) => stopped(model, 'was disposed. Open the model again'))
    await exit
  }

  #send(message: ToWorker): void {
    this.#worker ??= this.#open()
    this.#worker.ref()
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    this.#worker.postMessage(message)
  }

  #open(): Worker {
    const ended = new Int32Array(new SharedArrayBuffer(4))
    const worker = this.#start({ ended })
    const farewell = (): void => this.#farewell(worker, ended)
    process.once('exit', farewell)
    worker.on('message', (message: FromWorker) => this.#receive(worker, message))
    worker.on('error', (cause) => this.#end(worker, cause))
    worker.on('messageerror', (cause) => this.#end(worker, cause))
    worker.on('exit', (code) => {
      process.off('exit', farewell)
      this.#end(worker, new Error(`The worker thread ended with code ${code}`))
    })
    return worker
  }

  /** The process ends all threads when it ends, and none may be inside the runtime then: a worker with something to do ends itself first. */
  #farewell(worker: Worker, ended: Int32Array<SharedArrayBuffer>): void {
    if (this.#worker === worker && this.#unanswered.size === 0) return
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    worker.postMessage({ kind: 'close' } satisfies ToWorker)
    Atomics.wait(ended, 0, 0, longestFarewell)
  }

  /** The next call starts another worker. */
  #end(worker: Worker, cause: Error): void {
    if (this.#worker === worker) this.#lose((model) => stopped(model, `ended: ${cause.message}`, cause))
  }

  #lose(errorOf: (model: string) => Error): void {
    this.#worker = undefined
    this.#unanswered.clear()
    const lost = Array.from(this.#pending.values())
    this.#pending.clear()
    for (const call of lost) call.reject(errorOf(call.options.model ?? 'local model'))
  }

  #receive(worker: Worker, message: FromWorker): void {
    if (this.#worker !== worker) return
    if (message.kind === 'result' || message.kind === 'error') this.#answered(worker, message.id)
    const { options } = this.#pending.get(message.id) ?? {}
    if (options === undefined) return
    switch (message.kind) {
      case 'part':
        return options.onPart?.(message.value)
      case 'progress':
        return options.onProgress?.(message.value)
      case 'log':
        return options.onLog?.(message.fields, message.message)
      case 'result':
        return this.#settle(message.id)?.resolve(message.value)
      case 'error':
        return this.#settle(message.id)?.reject(fromPlain(message.error, options.model ?? 'local model'))
    }
  }

  #settle(id: number): Pending | undefined {
    const call = this.#pending.get(id)
    this.#pending.delete(id)
    return call
  }

  #answered(worker: Worker, id: number): void {
    this.#unanswered.delete(id)
    if (this.#unanswered.size === 0) worker.unref()
  }
}

function stopped(model: string, why: string, cause?: unknown): ModelError {
  return new ModelError(`Cannot finish the call of ${model} as its engine ${why}`, { reason: 'unknown', model, cause })
}
