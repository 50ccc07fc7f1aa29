import { readConfig, readModelFile } from '../attention/index.ts'
import { bundledFile } from './bundled-weights.ts'
import { fileFingerprint } from './file-fingerprint.ts'
import type { LocalEngine } from './local-engine.ts'
import { type LocalModel, WorkerModel } from './local-model.ts'
import { openModelSource } from './model-source.ts'
import { holdEngine } from './shared-engine.ts'

export interface OpenLocalModelOptions {
  /** A GGUF file, or a folder with `config.json`, `tokenizer.json` and safetensors files; the bundled SmolLM2-135M-Instruct by default. */
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
  await using source = await openModelSource(path)
  await using model = await readModelFile(source)
  const { file, tokenizer, chatTemplate: template } = model
  const config = readConfig(file)
  const id = `${config.name}@${await fileFingerprint(file.source)}/${config.weightForm}`
  signal?.throwIfAborted()
  return new WorkerModel({
    id,
    config,
    tokenizer,
    template,
    spec: { path, ...(threads !== undefined && { threads }) },
    hold: holdEngine(engine),
  })
}
