import type { LikelihoodModel, LocalEmbedder } from '../models/index.ts'
import type { AsyncChunker, Chunker } from './chunk.ts'
import { codeChunker } from './code/code-chunker.ts'
import { fixedTokens } from './fixed-tokens.ts'
import { sentencePacked } from './sentence-packed.ts'

/** Models that a chunker may be made with; each is opened when it is first asked for. */
export interface ChunkerModels {
  readonly embedder: () => Promise<LocalEmbedder>
  readonly model: () => Promise<LikelihoodModel>
}

/** A chunker that can be asked for by its name. */
export interface NamedChunker {
  readonly name: string
  /** Where it cuts, in a few words, for a list of chunkers. */
  readonly about: string
  readonly make: (models: ChunkerModels) => Chunker | AsyncChunker | Promise<Chunker | AsyncChunker>
}

/** The chunkers of the library by name, with their default options. */
export const namedChunkers: readonly NamedChunker[] = [
  { name: 'sentence-packed', about: 'whole sentences, packed up to the budget', make: () => sentencePacked() },
  { name: 'fixed-tokens', about: 'at white space, as near the budget as it comes', make: () => fixedTokens() },
  { name: 'code', about: 'source code by its syntax tree: whole functions and classes where they fit', make: () => codeChunker() },
]
