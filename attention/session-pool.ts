/** Creates and runs inference sessions of one runtime, one run at a time. */
import { nextTask } from './next-task.ts'
import type { GraphBuilder } from './onnx-model.ts'
import type { OnnxRuntime, OnnxSession, OnnxTensor } from './runtime.ts'

/** Where the sessions of a pool run. */
export interface PoolOptions {
  /** Threads of one run on the CPU; the runtime's own choice by default. */
  readonly threads?: number | undefined
  readonly device?: 'cpu' | 'webgpu'
  /** Whether a graph with a node that would not run on `device` is refused. */
  readonly strict?: boolean
}

export interface SessionOptions {
  /** Whether the session keeps the memory of its activations from run to run. */
  readonly arena?: boolean
  /** Whether the outputs stay on the device: they are fed to other runs or disposed of, never read. */
  readonly keepsOutputs?: boolean
  /** Threads of one run, in place of the pool's. */
  readonly threads?: number
}

/**
 * Threads must not spin while they wait: with a session a layer, spinning threads fight over the cores and decoding becomes many times
 * slower. An arena keeps a session's largest activations for good: too much for a session a layer, but memory that is fresh in each run costs
 * more than the arithmetic on some machines, so a session that serves all layers has one.
 */
function sessionOptions(pool: PoolOptions, { arena = false, keepsOutputs = false, threads = pool.threads }: SessionOptions): object {
  const { device, strict = false } = pool
  const spinning = { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } }
  return {
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    ...(device === 'webgpu' && { executionProviders: ['webgpu'] }),
    ...(keepsOutputs && device === 'webgpu' && { preferredOutputLocation: 'gpu-buffer' }),
    enableCpuMemArena: arena,
    enableMemPattern: false,
    extra: { session: { ...spinning, ...(strict && { disable_cpu_ep_fallback: '1' }) } },
  }
}

/** Models up to this size leave their memory for the next. */
const mostRoom = 16 * 1024 ** 2

export class SessionPool {
  readonly #runtime: OnnxRuntime
  readonly #options: PoolOptions
  readonly #sessions: OnnxSession[] = []
  readonly #releases: (() => void)[] = []
  /** Where the next model is written; none while the runtime reads one. */
  #room: Uint8Array | undefined
  #turn: Promise<unknown> = Promise.resolve()

  /** Options, or threads of one run on the CPU. */
  constructor(runtime: OnnxRuntime, options: PoolOptions | number = {}) {
    this.#runtime = runtime
    this.#options = typeof options === 'number' ? { threads: options } : options
  }

  get device(): 'cpu' | 'webgpu' {
    return this.#options.device ?? 'cpu'
  }

  async open(graph: GraphBuilder, options: SessionOptions = {}): Promise<OnnxSession> {
    // Memory that is fresh for each layer would cost as much time as copying the weights into it.
    const model = graph.encode(this.#room)
    this.#room = undefined
    const session = await this.#runtime.InferenceSession.create(model, sessionOptions(this.#options, options))
    this.#room = model.byteLength > mostRoom ? undefined : new Uint8Array(model.buffer)
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
    return outputs
  }

  /** Does `action` when the runs asked for before have ended. */
  afterRuns(action: () => void): void {
    this.#turn = this.#turn.then(action).catch(() => undefined)
  }

  /** Does `action` before the sessions are released. */
  onRelease(action: () => void): void {
    this.#releases.push(action)
  }

  async release(): Promise<void> {
    for (const action of this.#releases.splice(0)) action()
    // What the actions ask for joins the runs a few microtasks later.
    await nextTask()
    await this.#turn
    for (const session of this.#sessions.splice(0)) await session.release()
  }
}

function floatsOf(tensor: OnnxTensor | undefined, name: string): Float32Array {
  if (!(tensor?.data instanceof Float32Array))
    throw new TypeError(`Cannot use the runtime's output ${name} as it is not a float32 tensor: ${tensor?.type}`)
  return tensor.data
}
