import { createHash } from 'node:crypto'
import { access, readFile } from 'node:fs/promises'
import { type DeviceChoice, readConfig, readModelFile } from '../attention/index.ts'
import { ModelFileError } from '../errors/index.ts'
import type { Logger } from '../log/index.ts'
import { besideModel } from './beside-model.ts'
import { bundledFile } from './bundled-weights.ts'
import { fileFingerprint } from './file-fingerprint.ts'
import { bestHeads, readHeadProfile } from './head-profile-file.ts'
import type { LocalEngine } from './local-engine.ts'
import type { LocalModel } from './local-model.ts'
import { openModelSource } from './model-source.ts'
import { type EngineHold, holdEngine } from './shared-engine.ts'
import { WorkerModel } from './worker-model.ts'

export interface OpenLocalModelOptions {
  /** A GGUF file, or a folder with `config.json`, `tokenizer.json` and safetensors files; the bundled SmolLM2-135M-Instruct by default. */
  readonly path?: string
  /** Threads of one run; the runtime's own choice by default. */
  readonly threads?: number
  /**
   * Most bytes of keys and values of past prompts that are kept, so that what later calls begin with is not computed again; 256 MiB by default,
   * and 0 keeps none. What was used least lately goes first. Models of the same file and different budgets are loaded apart.
   */
  readonly prefixCacheBytes?: number
  /**
   * A head profile of the model (see `profileHeads`), for `evidence`; by default the bundled model's own, or the file beside the model that has its
   * name and ends in `.heads.json`, if there is one.
   */
  readonly headProfile?: string
  /**
   * A calibration of the model (see `calibrateModel`), for merging by the rule `calibrated`; by default the bundled model's own, or the file beside
   * the model that has its name and ends in `.bias.json`, if there is one.
   */
  readonly calibration?: string
  /**
   * `cpu`, the default; `webgpu`; or `auto`, which takes WebGPU where there is an adapter that is not made of software, and tells `logger` in one
   * line why where it does not.
   */
  readonly device?: DeviceChoice
  /** Told what is of note while weights are loaded. Silent by default. */
  readonly logger?: Logger
  /** The worker to run in; one that all local models of the process share by default. */
  readonly engine?: LocalEngine
  readonly signal?: AbortSignal
}

const bundledModel = 'smollm2-135m-instruct'

/**
 * Opens a model file: `openLocalModel()`, `openLocalModel(path, options)` or `openLocalModel({ path, ...options })`. The header is read and checked
 * here; a worker thread loads the weights at the first call (or at `load`).
 *
 * @throws ModelFileError when the file is missing, damaged or not supported
 * @throws MissingPackageError when no path is given and the package `scriptorium-weights` is not installed
 */
export async function openLocalModel(
  pathOrOptions: string | OpenLocalModelOptions = {},
  furtherOptions: Omit<OpenLocalModelOptions, 'path'> = {},
): Promise<LocalModel> {
  const options = typeof pathOrOptions === 'string' ? { ...furtherOptions, path: pathOrOptions } : { ...pathOrOptions, ...furtherOptions }
  const { threads, engine, signal, prefixCacheBytes, device, logger } = options
  if (prefixCacheBytes !== undefined && !(prefixCacheBytes >= 0))
    throw new RangeError(`Cannot open a model as prefixCacheBytes is not a number from 0: ${prefixCacheBytes}`)
  signal?.throwIfAborted()
  const path = options.path ?? (await bundledFile(bundledModel, 'model.gguf', signal))
  await using source = await openModelSource(path)
  await using model = await readModelFile(source)
  const { file, tokenizer, chatTemplate: template } = model
  const config = readConfig(file)
  const fingerprint = await fileFingerprint(file.source)
  const id = `${config.name}@${fingerprint}/${config.weightForm}`
  const profile = options.headProfile ?? (await fileBeside(options.path, 'heads.json', signal))
  const heads = profile === undefined ? undefined : bestHeads(await readHeadProfile(profile, fingerprint, config))
  const calibration = options.calibration ?? (await fileBeside(options.path, 'bias.json', signal))
  const bias = calibration === undefined ? undefined : { path: calibration, model: fingerprint, sha256: await hashOf(calibration) }
  signal?.throwIfAborted()
  return new WorkerModel({
    id,
    config,
    tokenizer,
    template,
    spec: {
      path,
      ...(threads !== undefined && { threads }),
      ...(prefixCacheBytes !== undefined && { prefixCacheBytes }),
      ...(device && { device }),
    },
    heads,
    bias,
    hold: logger === undefined ? holdEngine(engine) : loggedTo(logger, holdEngine(engine)),
  })
}

/** @throws ModelFileError when the file cannot be read */
async function hashOf(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    const message = `Cannot use a calibration as its file cannot be read: ${path}. Make it again with: scriptorium calibrate`
    throw new ModelFileError(message, { file: path, cause })
  })
  return createHash('sha256').update(bytes).digest('hex')
}

/** What was measured of a model and lies beside its file, or beside the bundled one. */
async function fileBeside(
  path: string | undefined,
  name: 'heads.json' | 'bias.json',
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (path === undefined) return bundledFile(bundledModel, name, signal)
  const beside = besideModel(path, name)
  return access(beside).then(
    () => beside,
    () => undefined,
  )
}

/** The same hold, whose calls tell `logger` what they come upon. */
function loggedTo(logger: Logger, { engine, release }: EngineHold): EngineHold {
  const onLog = (fields: object, message: string): void => logger.warn(fields, message)
  const logged: LocalEngine = {
    get running() {
      return engine.running
    },
    call: (method, argument, options) => engine.call(method, argument, { ...options, onLog }),
    dispose: () => engine.dispose(),
    [Symbol.asyncDispose]: () => engine.dispose(),
  }
  return { engine: logged, release }
}
