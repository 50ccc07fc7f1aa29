import { createBpeTokenizer, readConfig, readGguf } from '../attention/index.ts'
import { bundledFile } from './bundled-weights.ts'
import { fileFingerprint } from './file-fingerprint.ts'
import { openFileSource } from './file-source.ts'
import type { LocalEngine } from './local-engine.ts'
import { type LocalModel, WorkerModel } from './local-model.ts'
import { holdEngine } from './shared-engine.ts'

export interface OpenLocalModelOptions {
  /** A GGUF file; the bundled SmolLM2-135M-Instruct by default. */
  readonly path?: string
  /** Threads of one run; the runtime's own choice by default. */
  readonly threads?: number
  /** The worker to run in; one that all local models of the process share by default. */
  readonly engine?: LocalEngine
  readonly signal?: AbortSignal
}

const bundledModel = 'smollm2-135m-instruct'

/**
 * Opens a model file. The header is read and checked here; a worker thread loads the weights at the first call (or at `load`).
 *
 * @throws ModelFileError when the file is missing, damaged or not supported
 * @throws MissingPackageError when no path is given and the package `scriptorium-weights` is not installed
 */
export async function openLocalModel(pathOrOptions: string | OpenLocalModelOptions = {}): Promise<LocalModel> {
  const options = typeof pathOrOptions === 'string' ? { path: pathOrOptions } : pathOrOptions
  const { threads, engine, signal } = options
  signal?.throwIfAborted()
  const path = options.path ?? (await bundledFile(bundledModel, 'model.gguf', signal))
  await using source = await openFileSource(path)
  const file = await readGguf(source)
  const config = readConfig(file)
  const tokenizer = createBpeTokenizer(file.metadata)
  const template = file.metadata.get('tokenizer.chat_template')
  const id = `${config.name}@${await fileFingerprint(source)}/${config.weightForm}`
  signal?.throwIfAborted()
  return new WorkerModel({
    id,
    config,
    tokenizer,
    template: typeof template === 'string' ? template : undefined,
    spec: { path, ...(threads !== undefined && { threads }) },
    hold: holdEngine(engine),
  })
}
