/** Opens a model file as a decoder that runs on an ONNX runtime. */
import { createBpeTokenizer } from './bpe-tokenizer.ts'
import type { Decoder, DecoderConfig } from './decoder.ts'
import { EmbeddingTable } from './embedding-table.ts'
import { readGguf, type GgufFile } from './gguf.ts'
import { buildHeadGraph } from './head-graph.ts'
import { buildFeedForwardGraph, buildProjectionGraph } from './layer-graphs.ts'
import { LayerRunner, type LayerSessions } from './layer-runner.ts'
import { loadHeadWeights, loadLayerWeights } from './layer-weights.ts'
import { readConfig } from './model-config.ts'
import { nextTask } from './next-task.ts'
import { OnnxDecoder } from './onnx-decoder.ts'
import type { ByteSource, OnnxRuntime } from './runtime.ts'
import { SessionPool } from './session-pool.ts'

export interface OpenDecoderOptions {
  readonly runtime: OnnxRuntime
  /** A GGUF file of the Llama family. */
  readonly source: ByteSource
  /** Threads of one run; the runtime's own choice by default. */
  readonly threads?: number
  readonly signal?: AbortSignal
  /** Told after each layer is loaded: a share from 0 to 1. */
  readonly onProgress?: (share: number) => void
}

/**
 * Reads the file's header, then loads the weights layer by layer, so that little more than one packed copy of them is held.
 *
 * @throws ModelFileError when the file is damaged or of a kind that is not supported
 */
export async function openDecoder(options: OpenDecoderOptions): Promise<Decoder> {
  const { runtime, source, threads, signal } = options
  signal?.throwIfAborted()
  const file = await readGguf(source)
  const config = readConfig(file)
  const tokenizer = createBpeTokenizer(file.metadata)
  const template = file.metadata.get('tokenizer.chat_template')
  const pool = new SessionPool(runtime, threads)
  try {
    const layers = await openLayers(file, config, pool, options)
    const head = await pool.open(buildHeadGraph(config, await loadHeadWeights(file)))
    const embeddings = await EmbeddingTable.load(file)
    const runner = new LayerRunner(config, pool, layers)
    const chatTemplate = typeof template === 'string' ? template : undefined
    return new OnnxDecoder({ config, tokenizer, chatTemplate, pool, runner, head, embeddings })
  } catch (error) {
    await pool.release()
    throw error
  }
}

async function openLayers(file: GgufFile, config: DecoderConfig, pool: SessionPool, options: OpenDecoderOptions): Promise<LayerSessions[]> {
  const layers: LayerSessions[] = []
  for (let layer = 0; layer < config.layers; layer++) {
    await nextTask()
    options.signal?.throwIfAborted()
    const weights = await loadLayerWeights(file, layer)
    layers.push({
      projection: await pool.open(buildProjectionGraph(config, weights)),
      feedForward: await pool.open(buildFeedForwardGraph(config, weights)),
    })
    options.onProgress?.((layer + 1) / config.layers)
  }
  return layers
}
