import { Option } from 'commander'
import { type AsyncChunker, type Chunker, type ChunkerModels, namedChunkers } from '../chunkers/index.ts'
import { isLikelihoodModel, type LikelihoodModel, openLocalEmbedder, openLocalModel } from '../models/index.ts'
import type { OpenedModel } from './model-option.ts'

/** A chunker that is ready to cut, with the models that were opened for it. */
export interface OpenedChunker extends AsyncDisposable {
  readonly chunker: Chunker | AsyncChunker
}

/** The flag that names a chunker. */
export function chunkerOption(): Option {
  return new Option('--chunker <name>', 'where the text is cut').choices(namedChunkers.map(({ name }) => name))
}

/** The chunkers and where they cut, for the help. */
export function chunkerTable(): string {
  return `\nChunkers:\n${namedChunkers.map(({ name, about }) => `  ${name.padEnd(18)}${about}`).join('\n')}\n`
}

/** The model that reads, where a chunker can ask it too. */
export function likelihoodsOf({ model }: OpenedModel): LikelihoodModel | undefined {
  return isLikelihoodModel(model) ? model : undefined
}

/**
 * Makes the chunker of a name that `chunkerOption` let through. Where it needs models, the bundled ones are opened.
 *
 * @param options a local model that is open already serves as the model
 */
export async function openChunker(
  name: string,
  options: { readonly model?: LikelihoodModel | undefined; readonly signal: AbortSignal },
): Promise<OpenedChunker> {
  const { model, signal } = options
  const opened: AsyncDisposable[] = []
  const close = async (): Promise<void> => {
    for (const one of opened) await one[Symbol.asyncDispose]()
  }
  const keep = <T extends AsyncDisposable>(one: T): T => {
    opened.push(one)
    return one
  }
  const models: ChunkerModels = {
    embedder: async () => keep(await openLocalEmbedder({ signal })),
    model: async () => model ?? keep(await openLocalModel({ signal })),
  }
  try {
    const chunker = await namedChunkers.find((named) => named.name === name)!.make(models)
    return { chunker, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
