/** Decides where a decoder's arithmetic runs, and says so when it is not where it was hoped for. */
import { DeviceError } from '../errors/index.ts'
import { type Logger, silent } from '../log/index.ts'
import { GraphBuilder } from './onnx-model.ts'
import type { OnnxRuntime } from './runtime.ts'
import { SessionPool } from './session-pool.ts'

/** Where a decoder runs. */
export type Device = 'cpu' | 'webgpu'

/** `auto`: WebGPU where there is an adapter that is not made of software, else the CPU. */
export type DeviceChoice = Device | 'auto'

/** What WebGPU would run on. */
export interface GpuAdapter {
  readonly name: string
  /** Whether it is emulated on the CPU, which is slower than the CPU itself. */
  readonly isSoftware: boolean
}

export interface DeviceOptions {
  /** `cpu` by default, so that results do not depend on the machine. */
  readonly device?: DeviceChoice
  /** Tells the adapter that WebGPU would use; undefined where that is not known. Asks `navigator.gpu`, which browsers have, by default. */
  readonly findAdapter?: () => Promise<GpuAdapter | undefined>
  /** Told, in one line, why `auto` came to the CPU. Silent by default. */
  readonly logger?: Logger
}

/** @throws DeviceError when WebGPU is asked for and does not run */
export async function chooseDevice(
  runtime: OnnxRuntime,
  { device = 'cpu', findAdapter = browserAdapter, logger = silent }: DeviceOptions = {},
): Promise<Device> {
  if (device === 'cpu') return 'cpu'
  if (device !== 'auto' && device !== 'webgpu')
    throw new TypeError(`Cannot run on a device other than auto, cpu or webgpu: ${String(device)}`)
  const adapter = device === 'auto' ? await findAdapter() : undefined
  if (adapter?.isSoftware === true) return fallBack(logger, `the WebGPU adapter is made of software: ${adapter.name}`)
  const failure = await trial(runtime)
  if (failure === undefined) return 'webgpu'
  const why = reasonOf(failure)
  if (device === 'auto') return fallBack(logger, `WebGPU does not run: ${why}`)
  throw new DeviceError(
    `Cannot run on WebGPU as the runtime found no adapter it can use: ${why}. ` +
      `Install the graphics driver (on Linux also the Vulkan loader, libvulkan1), or open with device 'auto' or 'cpu'`,
    { device: 'webgpu', cause: failure },
  )
}

function fallBack(logger: Logger, why: string): Device {
  logger.warn({ device: 'cpu', wanted: 'auto', why }, `Running on the CPU as ${why}`)
  return 'cpu'
}

/** Runs one addition; gives the error when that fails. */
async function trial(runtime: OnnxRuntime): Promise<unknown> {
  const graph = new GraphBuilder('trial')
  const x = graph.input('x', 'float32', ['S'])
  graph.node('Add', [x, x], { outputs: ['y'] })
  graph.output('y', 'float32', ['S'])
  const pool = new SessionPool(runtime, { device: 'webgpu', strict: true })
  try {
    const { y } = await pool.run(await pool.open(graph), { x: pool.floats(Float32Array.of(1), [1]) }, ['y'])
    return y[0] === 2 ? undefined : new Error(`1 + 1 gave ${y[0]}`)
  } catch (error) {
    return error ?? new Error('the runtime gave no reason')
  } finally {
    await pool.release()
  }
}

/** The last sentence of what the runtime says, without the places in its source. */
function reasonOf(failure: unknown): string {
  const message = failure instanceof Error ? failure.message : String(failure)
  return (/Failed to get a WebGPU adapter: *[^\n]*/.exec(message)?.[0] ?? message.split('\n')[0] ?? message).trim()
}

interface BrowserGpu {
  requestAdapter(): Promise<BrowserAdapter | null>
}

interface BrowserAdapter {
  readonly isFallbackAdapter?: boolean
  readonly info?: {
    readonly vendor?: string
    readonly architecture?: string
    readonly description?: string
    readonly isFallbackAdapter?: boolean
  }
}

async function browserAdapter(): Promise<GpuAdapter | undefined> {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: BrowserGpu } }
  const adapter = await navigator?.gpu?.requestAdapter()
  if (adapter === undefined || adapter === null) return undefined
  const { vendor = '', architecture = '', description = '', isFallbackAdapter } = adapter.info ?? {}
  const name = [vendor, architecture, description].filter((part) => part !== '').join(' ')
  const isEmulated = adapter.isFallbackAdapter === true || isFallbackAdapter === true
  return { name, isSoftware: isEmulated || /swiftshader|llvmpipe|lavapipe|basic render/i.test(name) }
}
