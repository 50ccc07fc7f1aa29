/** Creates and runs inference sessions of one runtime, one run at a time. */
import type { OnnxRuntime, OnnxSession, OnnxTensor } from './runtime.ts'

/**
 * Threads must not spin while they wait: with a session a layer, spinning threads fight over the cores and decoding becomes many times
 * slower. An arena keeps a session's largest activations for good: too much for a session a layer, but memory that is fresh in each run costs
 * more than the arithmetic on some machines, so a session that serves all layers has one.
 */
function sessionOptions(threads: number | undefined, arena: boolean): object {
  return {
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    enableCpuMemArena: arena,
    enableMemPattern: false,
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
  }
}

export class SessionPool {
  readonly #runtime: OnnxRuntime
  readonly #threads: number | undefined
  readonly #sessions: OnnxSession[] = []
  #turn: Promise<unknown> = Promise.resolve()

  constructor(runtime: OnnxRuntime, threads?: number) {
    this.#runtime = runtime
    this.#threads = threads
  }

  /** `arena`: whether the session keeps the memory of its activations from run to run. */
  async open(model: Uint8Array, { arena = false }: { readonly arena?: boolean } = {}): Promise<OnnxSession> {
    const session = await this.#runtime.InferenceSession.create(model, sessionOptions(this.#threads, arena))
    this.#sessions.push(session)
    return session
  }

  floats(data: Float32Array, dims: readonly number[]): OnnxTensor {
    return new this.#runtime.Tensor('float32', data as never, dims)
  }

  bytes(data: Int8Array, dims: readonly number[]): OnnxTensor {
    return new this.#runtime.Tensor('int8', data as never, dims)
  }

  integers(values: Iterable<number>, dims: readonly number[]): OnnxTensor {
    return new this.#runtime.Tensor('int64', BigInt64Array.from(values, BigInt) as never, dims)
  }

  /** Runs `session` when the runs asked for before have ended, as some runtimes refuse to overlap them. */
  async run<Name extends string>(
    session: OnnxSession,
    feeds: Record<string, OnnxTensor>,
    names: readonly Name[],
  ): Promise<Record<Name, Float32Array>> {
    const outputs = await this.tensors(session, feeds, names)
    return Object.fromEntries(names.map((name) => [name, floatsOf(outputs[name], name)])) as Record<Name, Float32Array>
  }

  /** As `run`, for outputs that are fed to other runs as they are. */
  async tensors<Name extends string>(
    session: OnnxSession,
    feeds: Record<string, OnnxTensor>,
    names: readonly Name[],
  ): Promise<Record<Name, OnnxTensor>> {
    const run = this.#turn.then(() => session.run(feeds))
    this.#turn = run.catch(() => undefined)
    const outputs = await run
    for (const name of names)
      if (outputs[name] === undefined) throw new TypeError(`Cannot use the runtime's output ${name} as there is none`)
    return outputs as Record<Name, OnnxTensor>
  }

  async release(): Promise<void> {
    await this.#turn
    for (const session of this.#sessions.splice(0)) await session.release()
  }
}

function floatsOf(tensor: OnnxTensor | undefined, name: string): Float32Array {
  if (!(tensor?.data instanceof Float32Array))
    throw new TypeError(`Cannot use the runtime's output ${name} as it is not a float32 tensor: ${tensor?.type}`)
  return tensor.data
}
