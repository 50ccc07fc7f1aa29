/** The near side of the worker that runs local models. */
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ModelError } from '../errors/index.ts'
import type { Argument, FromWorker, LocalMethod, Result, ToWorker } from './local-protocol.ts'
import { fromPlain } from './plain-error.ts'

export interface EngineCallOptions {
  readonly signal?: AbortSignal
  /** Lower runs first; 0 by default. */
  readonly priority?: number
  /** Told of each part of a stream. */
  readonly onPart?: (value: number) => void
  readonly onProgress?: (value: number) => void
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
  return new WorkerEngine(startWorker)
}

/** The worker's file is JavaScript in the package and source in a checkout, where the worker has to register a loader before it imports it. */
function startWorker(): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./local-worker.js', import.meta.url))
  const loader = new URL('index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api'))).href
  const file = new URL('./local-worker.ts', import.meta.url).href
  const code = `import('${loader}').then(({ register }) => { register(); return import('${file}') })`
  return new Worker(code, { eval: true, execArgv: [] })
}

class WorkerEngine implements LocalEngine {
  readonly #start: () => Worker
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #lastId = 0
  #disposed = false

  constructor(start: () => Worker) {
    this.#start = start
  }

  get running(): boolean {
    return this.#worker !== undefined
  }

  call<M extends LocalMethod>(method: M, argument: Argument<M>, options: EngineCallOptions = {}): Promise<Result<M>> {
    const { signal, priority = 0, model = 'local model' } = options
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    if (this.#disposed) return Promise.reject(stopped(model, 'was disposed. Open the model again'))
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
      this.#send({ kind: 'call', id, priority, method, argument })
    })
  }

  async dispose(): Promise<void> {
    this.#disposed = true
    const worker = this.#worker
    this.#lose((model) => stopped(model, 'was disposed. Open the model again'))
    await worker?.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  #send(message: ToWorker): void {
    this.#worker ??= this.#open()
    this.#worker.ref()
    this.#worker.postMessage(message)
  }

  #open(): Worker {
    const worker = this.#start()
    worker.on('message', (message: FromWorker) => this.#receive(message))
    worker.on('error', (cause) => this.#end(worker, cause))
    worker.on('messageerror', (cause) => this.#end(worker, cause))
    worker.on('exit', (code) => this.#end(worker, new Error(`The worker thread ended with code ${code}`)))
    return worker
  }

  /** The next call starts another worker. */
  #end(worker: Worker, cause: Error): void {
    if (this.#worker === worker) this.#lose((model) => stopped(model, `ended: ${cause.message}`, cause))
  }

  #lose(errorOf: (model: string) => Error): void {
    this.#worker = undefined
    for (const id of [...this.#pending.keys()]) {
      const call = this.#settle(id)
      call?.reject(errorOf(call.options.model ?? 'local model'))
    }
  }

  #receive(message: FromWorker): void {
    const { options } = this.#pending.get(message.id) ?? {}
    if (options === undefined) return
    if (message.kind === 'part') options.onPart?.(message.value)
    else if (message.kind === 'progress') options.onProgress?.(message.value)
    else if (message.kind === 'result') this.#settle(message.id)?.resolve(message.value)
    else this.#settle(message.id)?.reject(fromPlain(message.error, options.model ?? 'local model'))
  }

  #settle(id: number): Pending | undefined {
    const call = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#worker?.unref()
    return call
  }
}

function stopped(model: string, why: string, cause?: unknown): ModelError {
  return new ModelError(`Cannot finish the call of ${model} as its engine ${why}`, { reason: 'unknown', model, cause })
}
