/** The thread that runs local models. It owns decoders and encoders, and takes calls one at a time by priority. */
import { parentPort } from 'node:worker_threads'
import { LocalMachines } from './local-machines.ts'
import type { CallContext, FromWorker, ToWorker } from './local-protocol.ts'
import { toPlain } from './plain-error.ts'
import { Turns } from './turns.ts'

type Call = Extract<ToWorker, { kind: 'call' }>

const turns = new Turns()
const machines = new LocalMachines()
const running = new Map<number, AbortController>()

function send(message: FromWorker): void {
  parentPort?.postMessage(message)
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
    send({ kind: 'result', id, value })
  } catch (error) {
    send({ kind: 'error', id, error: toPlain(error) })
  } finally {
    running.delete(id)
  }
}

function contextOf(id: number, signal: AbortSignal, giveWay: () => Promise<void>): CallContext {
  const tell = (kind: 'part' | 'progress') => (value: number) => send({ kind, id, value })
  return { signal, part: tell('part'), progress: tell('progress'), giveWay }
}

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'cancel') running.get(message.id)?.abort()
  else void answer(message)
})
