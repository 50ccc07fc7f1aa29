/** The thread that runs local models. It owns decoders and encoders, and takes calls one at a time by priority. */
import { parentPort, workerData } from 'node:worker_threads'
import { LocalMachines } from './local-machines.ts'
import type { CallContext, FromWorker, Result, ToWorker, WorkerStart } from './local-protocol.ts'
import { toPlain } from './plain-error.ts'
import { Turns } from './turns.ts'

type Call = Extract<ToWorker, { kind: 'call' }>

const turns = new Turns()
const machines = new LocalMachines()
const running = new Map<number, AbortController>()
const answers = new Set<Promise<void>>()

function send(message: FromWorker, handedOver: readonly ArrayBufferLike[] = []): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
  parentPort?.postMessage(
    message,
    handedOver.filter((buffer) => buffer instanceof ArrayBuffer),
  )
}

async function answer(call: Call): Promise<void> {
  const { id, priority, method, argument } = call
  const controller = new AbortController()
  running.set(id, controller)
  try {
    const value = await turns.run(priority, (giveWay) => {
      controller.signal.throwIfAborted()
      return machines.run(method, argument, contextOf(id, controller.signal, giveWay))
    })
    send({ kind: 'result', id, value }, method === 'embedTokens' ? buffersOf(value as Result<'embedTokens'>) : [])
  } catch (error) {
    send({ kind: 'error', id, error: toPlain(error) })
  } finally {
    running.delete(id)
  }
}

/** Megabytes a call, which would take their time to be copied. */
function buffersOf(tokens: Result<'embedTokens'>): ArrayBufferLike[] {
  return tokens.flatMap(({ vectors, offsets }) => [vectors.buffer, offsets.buffer])
}

function contextOf(id: number, signal: AbortSignal, giveWay: () => Promise<void>): CallContext {
  const tell = (kind: 'part' | 'progress') => (value: number) => send({ kind, id, value })
  const log = (fields: object, message: string): void => send({ kind: 'log', id, fields, message })
  return { signal, part: tell('part'), progress: tell('progress'), log, giveWay }
}

/**
 * Ends the thread by itself: a thread that is ended from outside while the runtime runs takes the whole process with it, as the runtime throws
 * where nobody can catch.
 */
async function close(): Promise<void> {
  for (const controller of running.values()) controller.abort()
  await Promise.all(answers)
  await machines.dispose()
  const { ended } = workerData as WorkerStart
  Atomics.store(ended, 0, 1)
  Atomics.notify(ended, 0)
  parentPort?.close()
}

function receive(message: ToWorker): void {
  switch (message.kind) {
    case 'cancel':
      return running.get(message.id)?.abort()
    case 'close':
      return void close()
    case 'call': {
      const answering = answer(message).finally(() => answers.delete(answering))
      answers.add(answering)
    }
  }
}

parentPort?.on('message', receive)
