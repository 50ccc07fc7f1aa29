import type { Worker } from 'node:worker_threads'
import { DocumentError, MissingPackageError } from '../../errors/index.ts'
import type { LoadContext, LoadedText } from './loaded-text.ts'
import type { FromLoader, ToLoader } from './loader-protocol.ts'
import { watchMemory } from './memory-watch.ts'
import { damaged, messageOf, tooLarge } from './refusals.ts'
import type { ThreadFormat } from './thread-loaders.ts'

export interface RunLoaderOptions extends LoadContext {
  /** Milliseconds before the thread is ended; those that the OCR hook takes are not counted. */
  readonly timeout: number
  /** Bytes that the memory of the process may grow by meanwhile, copies of the file not counted; 2 GiB by default. */
  readonly maxGrowth?: number
  readonly signal?: AbortSignal
}

/** Heap of the thread, in MiB. */
const MOST_HEAP = 1_024

const DEFAULT_GROWTH = 2 ** 31
/** Of the file: one for the thread, one for the parser, and one between them. */
const COPIES = 3

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
  const worker = takeIdle() ?? (await openThread())
  let outcome: Outcome
  try {
    // Time has passed while the thread was opened.
    signal?.throwIfAborted()
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

function takeIdle(): Worker | undefined {
  const worker = idle
  idle = undefined
  worker?.ref()
  return worker
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
  const { source, maxBytes, password, ocr, timeout, maxGrowth = DEFAULT_GROWTH, signal } = options
  return new Promise<Outcome>((resolve, reject) => {
    const clock = createDeadline(timeout, () => leave(tooSlow(source, timeout)))
    const memory = watchMemory(maxGrowth + COPIES * bytes.length, () => leave(tooMuchMemory(source, maxGrowth)))
    let isOver = false
    let failedHook: { readonly error: unknown } | undefined
    const abort = (): void => leave(signal?.reason)
    const fail = (cause: Error): void => leave(threadFailure(source, cause))
    const ended = (code: number): void => fail(new Error(`its thread ended with code ${code}`))
    const receive = (message: FromLoader): void => {
      if (message.kind === 'ready') return
      if (message.kind !== 'ocr') return end(failedHook ?? outcomeOf(message, source))
      pause()
      const answer = (text: { text?: string }): void => {
        if (isOver) return
        start()
        post(worker, { kind: 'ocr', ...text })
      }
      void ocr?.(message.page).then(
        (text) => answer({ text }),
        (error: unknown) => {
          failedHook = { error }
          answer({})
        },
      )
    }
    const start = (): void => (clock.start(), memory.start())
    const pause = (): void => (clock.stop(), memory.stop())
    const unlink = (): void => {
      isOver = true
      pause()
      signal?.removeEventListener('abort', abort)
      worker.off('message', receive).off('error', fail).off('messageerror', fail).off('exit', ended)
    }
    const end = (outcome: Outcome): void => (unlink(), resolve(outcome))
    const leave = (error: unknown): void => (unlink(), reject(error))
    worker.on('message', receive).on('error', fail).on('messageerror', fail).on('exit', ended)
    signal?.addEventListener('abort', abort, { once: true })
    start()
    const context = { source, maxBytes, ocr: ocr !== undefined, ...(password === undefined ? {} : { password }) }
    post(worker, { kind: 'load', format, bytes, context })
  })
}

function outcomeOf(message: Exclude<FromLoader, { kind: 'ocr' | 'ready' }>, source: string): Outcome {
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

function tooMuchMemory(source: string, bytes: number, cause?: unknown): DocumentError {
  return tooLarge(source, `reading it takes more memory than the limit of ${Math.round(bytes / 2 ** 20)} MiB`, 'Part it', cause)
}

function threadFailure(source: string, cause: Error): DocumentError {
  if ('code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return tooMuchMemory(source, MOST_HEAP * 2 ** 20, cause)
  }
  return damaged(source, `its parser fails (${messageOf(cause)})`, cause)
}

async function openThread(): Promise<Worker> {
  // Imported when it is needed: what reads plain text needs no models.
  const { startThread } = await import('../../models/index.ts')
  // Parsers write warnings; the library prints nothing.
  const worker = startThread(new URL('./loader-thread.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP },
    stdout: true,
    stderr: true,
  })
  // What a thread throws when nobody listens must not end the process.
  worker.on('error', () => {})
  worker.once('exit', () => {
    if (idle === worker) idle = undefined
  })
  // The time that a file may take begins when the thread can read it.
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`Cannot start a thread for parsers as it ended with code ${code}`)))
  })
  return worker
}
