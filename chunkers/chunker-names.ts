import type { LikelihoodModel, TokenEmbedder } from '../models/index.ts'
import type { AsyncChunker, Chunker } from './chunk.ts'
import { codeChunker } from './code/code-chunker.ts'
import { contentDefined } from './content-defined.ts'
import { fixedTokens } from './fixed-tokens.ts'
import { chulo } from './model/chulo.ts'
import { crossSegment } from './model/cross-segment.ts'
import { inContext } from './model/in-context.ts'
import { lateChunking } from './model/late-chunking.ts'
import { likelihood } from './model/likelihood.ts'
import { semantic } from './model/semantic.ts'
import { recursive } from './recursive.ts'
import { sentencePacked } from './sentence-packed.ts'
import { structural } from './structural.ts'

/** Models that a chunker may be made with; each is opened when it is first asked for. */
export interface ChunkerModels {
  readonly embedder: () => Promise<TokenEmbedder>
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
  {
    name: 'recursive',
    about: 'at the largest separator within the budget: blank lines, lines, sentences, clauses, spaces',
    make: () => recursive(),
  },
  {
    name: 'structural',
    about: 'where the document is parted: sections, slides, speakers, blocks, list items, table rows',
    make: () => structural(),
  },
  {
    name: 'content-defined',
    about: 'whole sentences, at borders that an edit elsewhere leaves where they are',
    make: () => contentDefined(),
  },
  { name: 'code', about: 'source code by its syntax tree: whole functions and classes where they fit', make: () => codeChunker() },
  {
    name: 'semantic',
    about: 'where the subject changes, by the embeddings of sentences on both sides',
    make: async ({ embedder }) => semantic({ embedder: await embedder() }),
  },
  {
    name: 'cross-segment',
    about: 'as semantic, with what all of the document has in common taken out',
    make: async ({ embedder }) => crossSegment({ embedder: await embedder() }),
  },
  {
    name: 'likelihood',
    about: 'where what was said does not help the local model to foretell what comes (slow)',
    make: async ({ model }) => likelihood({ model: await model() }),
  },
  {
    name: 'chulo',
    about: 'packed sentences with the key phrases of the document that stand in them, and a vector that leans to these',
    make: async ({ embedder }) => chulo({ embedder: await embedder() }),
  },
  {
    name: 'late',
    about: 'packed sentences, each with a vector made with its surroundings in view',
    make: async ({ embedder }) => lateChunking({ chunker: sentencePacked(), embedder: await embedder() }),
  },
  {
    name: 'in-context',
    about: 'single sentences, each with its neighbours as context and a vector that leans to them',
    make: async ({ embedder }) => inContext({ embedder: await embedder() }),
  },
]
