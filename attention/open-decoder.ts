/** Opens a model file as a decoder that runs on an ONNX runtime. */
import { ByteWeightMaker, multipliesBytes } from './byte-weights.ts'
import { chooseDevice, type DeviceOptions } from './choose-device.ts'
import type { Decoder, DecoderConfig } from './decoder.ts'
import { DenseLayer, denseLayerBytes, givenWeights } from './dense-layer.ts'
import { EmbeddingTable } from './embedding-table.ts'
import type { GgufFile } from './gguf.ts'
import { buildHeadGraph } from './head-graph.ts'
import { buildFeedForwardGraph, buildProjectionGraph } from './layer-graphs.ts'
import { LayerRunner, type LayerSessions, type SharedSessions } from './layer-runner.ts'
import { loadHeadWeights, packLayer, readLayers } from './layer-weights.ts'
import { loadConfig } from './model-config.ts'
import { readModelFile } from './model-file.ts'
import { nextTask } from './next-task.ts'
import { OnnxDecoder } from './onnx-decoder.ts'
import type { GivenForm } from './packed-weights.ts'
import type { ByteSource, FileSet, OnnxRuntime } from './runtime.ts'
import { SessionPool } from './session-pool.ts'

export interface OpenDecoderOptions extends DeviceOptions {
  readonly runtime: OnnxRuntime
  /** A GGUF file, or a folder with `config.json`, `tokenizer.json` and safetensors files. */
  readonly source: ByteSource | FileSet
  /** Threads of one run; the runtime's own choice by default. */
  readonly threads?: number
  /**
   * Most bytes of weights held a second time, by default 512 MiB; made at the first long read. Many tokens at once go through these, as one
   * session for all layers runs them fastest; few go through the packed ones, as reading less is fastest. Layers beyond the limit are packed
   * only.
   */
  readonly denseBytes?: number
  /**
   * Arithmetic of long reads: of 256 tokens or more that `prefill` or `logProbs` is given in one sequence. `int8`, the default, multiplies in
   * eight-bit integers, which processors with integer dot products do about twice as fast; the mean log-probability of running text changes
   * by less than 0.02. `float32` is exact, and what is taken where the runtime has no such kernel. All else runs in float32 in either case.
   */
  readonly readForm?: GivenForm
  /** Whether an operator that would leave the WebGPU device for the CPU is an error; no by default. */
  readonly strictDevice?: boolean
  readonly signal?: AbortSignal
  /** Told after each layer is loaded: a share from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

const defaultDenseBytes = 512 * 1024 ** 2

/**
 * Reads the file's header, then loads the weights layer by layer, so that little more than one packed copy of them is held.
 *
 * @throws ModelFileError when the file is damaged or of a kind that is not supported
 */
export async function openDecoder(options: OpenDecoderOptions): Promise<Decoder> {
  const { runtime, source, threads, signal, denseBytes = defaultDenseBytes, readForm = 'int8', strictDevice = false } = options
  if (!(denseBytes >= 0)) throw new RangeError(`Cannot hold weights twice as denseBytes is not zero or more: ${denseBytes}`)
  signal?.throwIfAborted()
  const device = await chooseDevice(runtime, options)
  const { file, tokenizer, chatTemplate, close } = await readModelFile(source)
  const pool = new SessionPool(runtime, { threads, device, strict: device === 'webgpu' && strictDevice })
  try {
    const loaded = await loadConfig(file)
    // WebGPU has no reason for a second copy of the weights: it multiplies packed ones as fast.
    const form = readForm === 'int8' && device === 'cpu' && (await multipliesBytes(pool)) ? 'int8' : 'float32'
    const layers = await openLayers(file, loaded, pool, { ...options, denseBytes: device === 'webgpu' ? -1 : denseBytes, form })
    const isDense = layers.some(({ dense }) => dense !== undefined)
    const longReads = isDense ? form : 'float32'
    const config = longReads === 'float32' ? loaded : { ...loaded, weightForm: `${loaded.weightForm}/${longReads}` }
    const head = await pool.open(buildHeadGraph(config, await loadHeadWeights(file), device))
    const embeddings = await EmbeddingTable.load(file, config.traits.scaledEmbeddings ? Math.sqrt(config.hidden) : 1)
    const shared = isDense ? await openShared(config, pool, form) : undefined
    const runner = new LayerRunner(config, pool, layers, shared)
    return new OnnxDecoder({ config, tokenizer, chatTemplate, pool, runner, head, embeddings, longReads })
  } catch (error) {
    await pool.release()
    throw error
  } finally {
    await close()
  }
}

async function openShared(config: DecoderConfig, pool: SessionPool, form: GivenForm): Promise<SharedSessions> {
  const given = givenWeights(config, form)
  return {
    form,
    projection: await pool.open(buildProjectionGraph(config, given), { arena: true }),
    feedForward: await pool.open(buildFeedForwardGraph(config, given), { arena: true }),
  }
}

interface LayerOptions extends Pick<OpenDecoderOptions, 'signal' | 'onProgress'> {
  readonly denseBytes: number
  readonly form: GivenForm
}

async function openLayers(file: GgufFile, config: DecoderConfig, pool: SessionPool, options: LayerOptions): Promise<LayerSessions[]> {
  const layers: LayerSessions[] = []
  const given = { pool, form: options.form, maker: new ByteWeightMaker(pool) }
  let room = options.denseBytes
  for await (const layer of readLayers(file, config)) {
    await nextTask()
    options.signal?.throwIfAborted()
    const weights = packLayer(config, layer)
    const projection = await pool.open(buildProjectionGraph(config, weights))
    const feedForward = await pool.open(buildFeedForwardGraph(config, weights))
    // A matrix that is float32 in its session as it is would only be held twice.
    const isPacked = weights.gateUp.every(({ kind }) => kind === 'nibbles')
    room -= isPacked ? denseLayerBytes(config, options.form) : 0
    const dense = isPacked && room >= 0 ? new DenseLayer(config, layer, given) : undefined
    layers.push({ projection, feedForward, dense })
    options.onProgress?.(layers.length / config.layers)
  }
  return layers
}
