/** From `--model` to a model, and from `--strategy` to a strategy. */
import { stat } from 'node:fs/promises'
import { ModelFileError } from '../errors/index.ts'
import { type ChatModel, describe, type LocalModel, type ModelDescription, openLocalModel, resolveModel } from '../models/index.ts'
import {
  auto,
  chainOfAgents,
  homer,
  mapReduce,
  mem1Strategy,
  retrieve,
  scm,
  type Strategy,
  stuff,
  tree,
  truncate,
} from '../workflows/index.ts'
import type { AskFlags } from './options.ts'
import { UsageError } from './usage-error.ts'

/** A model that is ready to be asked. */
export interface OpenedModel extends AsyncDisposable {
  readonly model: ChatModel
  /** What the model does not say of itself. */
  readonly description?: Partial<ModelDescription>
}

type ModelFlags = Pick<AskFlags, 'model' | 'window' | 'maxOutput' | 'budget' | 'limit'>

/** How `--model` names a model. */
export const modelForms: readonly (readonly [form: string, meaning: string])[] = [
  ['local', 'the bundled model, offline (default)'],
  ['FILE.gguf', 'a model file of the Llama family'],
  ['openai:NAME', 'a model of OpenAI; the key is in OPENAI_API_KEY'],
  ['openai:NAME@URL', "any server that speaks OpenAI's protocol; unknown models need --window and --max-output"],
]

/**
 * Opens the model that the flags name.
 *
 * @throws UsageError when the name is of no known form, or the window of a remote model is neither known nor given
 */
export async function openModel(flags: ModelFlags, signal: AbortSignal): Promise<OpenedModel> {
  const { model: spec } = flags
  if (spec.startsWith('openai:')) return openRemote(flags)
  if (flags.window !== undefined || flags.maxOutput !== undefined) {
    throw new UsageError(`Cannot set --window or --max-output for ${spec} as a model file states its own. Leave them out`)
  }
  return owned(await openLocal(spec, signal))
}

/** @throws UsageError when the name is not that of a local model */
export async function openLocal(spec: string, signal: AbortSignal): Promise<LocalModel> {
  if (spec.startsWith('openai:')) throw new UsageError(`Cannot keep what a remote model computes: ${spec}. Use local or FILE.gguf`)
  if (spec === 'local') return openLocalModel({ signal })
  if (spec.endsWith('.gguf') || (await isFile(spec))) return openFile(spec, signal)
  throw new UsageError(`Cannot open a model as its name is not understood: ${spec}. Use ${modelForms.map(([form]) => form).join(', ')}`)
}

async function openFile(path: string, signal: AbortSignal): Promise<LocalModel> {
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isDirectory) throw new ModelFileError(`Cannot open a model as it is a directory: ${path}. Name the .gguf file in it`, { file: path })
  return openLocalModel({ path, signal })
}

function owned(model: LocalModel): OpenedModel {
  return { model, [Symbol.asyncDispose]: () => model.dispose() }
}

async function openRemote({ model: spec, window, maxOutput, budget, limit }: ModelFlags): Promise<OpenedModel> {
  const { model, overrides } = await named(() => resolveModel(spec))
  const description = {
    ...overrides,
    ...(window === undefined ? {} : { window }),
    ...(maxOutput === undefined ? {} : { maxOutput }),
  }
  const known = await named(() => describe(model, description), 'Give --window N and --max-output N')
  if ((budget ?? limit?.usd) !== undefined && known.price === undefined) {
    throw new UsageError(`Cannot keep a budget as the price of the model is not known: ${spec}. Use --limit tokens=N or --limit calls=N`)
  }
  return { model, description, [Symbol.asyncDispose]: async () => undefined }
}

/** Misuse of the library is here a wrong flag. */
async function named<T>(work: () => T | Promise<T>, hint?: string): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!(cause instanceof TypeError || cause instanceof RangeError)) throw cause
    const message = hint === undefined ? cause.message : `${cause.message.replace(/\. Pass describe\(.*$/, '')}. ${hint}`
    throw new UsageError(message, { cause })
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

/** @param folder where a strategy may keep what it has so far, so that it can be gone on with */
export function strategyOf(
  { strategy, paths, keep }: Pick<AskFlags, 'strategy' | 'paths' | 'keep'>,
  { model, description }: OpenedModel,
  folder: string,
): Strategy {
  const options = { model, ...(description === undefined ? {} : { description }) }
  switch (strategy) {
    case 'auto':
      return auto(options)
    case 'chain-of-agents':
      return chainOfAgents({ ...options, ...(paths === undefined ? {} : { paths }) })
    case 'homer':
      return homer({ model, folder, ...(keep === undefined ? {} : { keep }) })
    case 'map-reduce':
      return mapReduce(options)
    case 'scm':
      return scm(options)
    case 'mem1':
      return mem1Strategy(options)
    case 'retrieve':
      return retrieve(options)
    case 'tree':
      return tree(options)
    case 'stuff':
      return stuff(options)
    case 'truncate':
      return truncate(options)
  }
}
