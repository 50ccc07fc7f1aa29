import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { DocumentError, MissingPackageError } from '../../errors/index.ts'
import type { LoadContext, LoadedText } from './loaded-text.ts'
import type { FromLoader, ToLoader } from './loader-protocol.ts'
import { damaged, messageOf, tooLarge } from './refusals.ts'
import type { ThreadFormat } from './thread-loaders.ts'

export interface RunLoaderOptions extends LoadContext {
  /** Milliseconds before the thread is ended; those that the OCR hook takes are not counted. */
  readonly timeout: number
  readonly signal?: AbortSignal
}

/** Heap of the thread, in MiB. */
const MOST_HEAP = 1_024

/** A thread with nothing to do, kept for the next file; it does not keep the process alive. */
let idle: Worker | undefined

/**
 * Runs a loader in a thread, within bounds of time and memory.
 *
 * @throws DocumentError what the loader refused, or `too-slow`, `too-large`; the signal's reason; what the OCR hook threw; MissingPackageError
 */
export async function runLoader(format: ThreadFormat, bytes: Uint8Array, options: RunLoaderOptions): Promise<LoadedText> {
  const { signal } = options
  signal?.throwIfAborted()
  const worker = idle ?? startThread()
  idle = undefined
  worker.ref()
  let outcome: Outcome
  try {
    outcome = await converse(worker, format, bytes, options)
  } catch (error) {
    // It was left in the middle, and may be busy for ever.
    void worker.terminate()
    throw error
  }
  keep(worker)
  if ('error' in outcome) throw outcome.error
  return outcome.loaded
}

/** What a thread ends a file with; after it, it is ready for the next. */
type Outcome = { readonly loaded: LoadedText } | { readonly error: unknown }

function keep(worker: Worker): void {
  if (idle) return void worker.terminate()
  idle = worker
  worker.unref()
}

/** Has the thread read a file; rejects when it was left before it came to an end. */
function converse(worker: Worker, format: ThreadFormat, bytes: Uint8Array, options: RunLoaderOptions): Promise<Outcome> {
  const { source, maxBytes, password, ocr, timeout, signal } = options
  return new Promise<Outcome>((resolve, reject) => {
    const clock = createDeadline(timeout, () => leave(tooSlow(source, timeout)))
    let failedHook: { readonly error: unknown } | undefined
    const abort = (): void => leave(signal?.reason)
    const fail = (cause: Error): void => leave(threadFailure(source, cause))
    const ended = (code: number): void => fail(new Error(`its thread ended with code ${code}`))
    const receive = (message: FromLoader): void => {
      if (message.kind !== 'ocr') return end(failedHook ?? outcomeOf(message, source))
      clock.stop()
      const answer = (text: { text?: string }): void => (clock.start(), post(worker, { kind: 'ocr', ...text }))
      void ocr?.(message.page).then(
        (text) => answer({ text }),
        (error: unknown) => {
          failedHook = { error }
          answer({})
        },
      )
    }
    const unlink = (): void => {
      clock.stop()
      signal?.removeEventListener('abort', abort)
      worker.off('message', receive).off('error', fail).off('messageerror', fail).off('exit', ended)
    }
    const end = (outcome: Outcome): void => (unlink(), resolve(outcome))
    const leave = (error: unknown): void => (unlink(), reject(error))
    worker.on('message', receive).on('error', fail).on('messageerror', fail).on('exit', ended)
    signal?.addEventListener('abort', abort, { once: true })
    clock.start()
    const context = { source, maxBytes, ocr: ocr !== undefined, ...(password === undefined ? {} : { password }) }
    post(worker, { kind: 'load', format, bytes, context })
  })
}

function outcomeOf(message: Exclude<FromLoader, { kind: 'ocr' }>, source: string): Outcome {
  if (message.kind === 'loaded') return { loaded: message.loaded }
  if (message.kind === 'missing') return { error: new MissingPackageError(message.packageName, `read ${source}`) }
  return { error: new DocumentError(message.message, { reason: message.reason, source }) }
}

function post(worker: Worker, message: ToLoader): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
  worker.postMessage(message)
}

/** A timer that can be stopped and started again; stopped, its time does not run. */
function createDeadline(milliseconds: number, passed: () => void): { start(): void; stop(): void } {
  let left = milliseconds
  let began = 0
  let timer: NodeJS.Timeout | undefined
  return {
    start() {
      began = performance.now()
      timer = setTimeout(passed, left)
    },
    stop() {
      if (timer === undefined) return
      clearTimeout(timer)
      timer = undefined
      left = Math.max(0, left - (performance.now() - began))
    },
  }
}

function tooSlow(source: string, timeout: number): DocumentError {
  const message = `Cannot read ${source} as it takes longer than the limit of ${timeout / 1000} s. Part it, or raise timeout`
  return new DocumentError(message, { reason: 'too-slow', source })
}

function threadFailure(source: string, cause: Error): DocumentError {
  if ('code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return tooLarge(source, `reading it takes more memory than the limit of ${MOST_HEAP} MiB`, 'Part it', cause)
  }
  return damaged(source, `its parser fails (${messageOf(cause)})`, cause)
}

function startThread(): Worker {
  const worker = openThread()
  // What a thread throws when nobody listens must not end the process.
  worker.on('error', () => {})
  worker.once('exit', () => {
    if (idle === worker) idle = undefined
  })
  return worker
}

/** The thread's file is JavaScript in the package and source in a checkout, where the thread has to register a loader before it imports it. */
function openThread(): Worker {
  // Parsers write warnings; the library prints nothing.
  const options: WorkerOptions = { resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP }, stdout: true, stderr: true }
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./loader-thread.js', import.meta.url), options)
  const loader = new URL('index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api'))).href
  const file = new URL('./loader-thread.ts', import.meta.url).href
  const code = `import('${loader}').then(({ register }) => { register(); return import('${file}') })`
  return new Worker(code, { ...options, eval: true, execArgv: [] })
}
