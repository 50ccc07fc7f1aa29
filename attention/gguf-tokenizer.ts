import { createBpeTokenizer } from './bpe-tokenizer.ts'
import type { ByteTokenizer } from './byte-tokenizer.ts'
import { shown } from './header-reader.ts'
import { readPieces, refusal } from './piece-vocabulary.ts'
import { createScoredTokenizer } from './scored-tokenizer.ts'
import { createUnigramTokenizer } from './unigram-tokenizer.ts'
import { createWordPieceTokenizer } from './word-piece-tokenizer.ts'

/** Kinds of vocabulary by `tokenizer.ggml.model`. */
const kinds: ReadonlyMap<unknown, (metadata: ReadonlyMap<string, unknown>) => ByteTokenizer> = new Map([
  ['gpt2', createBpeTokenizer],
  ['llama', createScoredTokenizer],
  ['t5', createUnigramTokenizer],
  ['bert', createWordPieceTokenizer],
])

/**
 * Builds the tokenizer that the metadata of a GGUF file describe (`tokenizer.ggml.*`): byte-level BPE (`gpt2`), BPE by scores with bytes for
 * what is unknown (`llama`), unigram (`t5`) or WordPiece (`bert`). Lone surrogates in a text are read as U+FFFD.
 *
 * @throws ModelFileError when the vocabulary is damaged or of another kind
 */
export function createGgufTokenizer(metadata: ReadonlyMap<string, unknown>): ByteTokenizer {
  const model = metadata.get('tokenizer.ggml.model')
  const create = kinds.get(model)
  if (create !== undefined) return create(metadata)
  const known = [...kinds.keys()].join(', ')
  throw refusal(readPieces(metadata).name, `its kind is not supported (tokenizer.ggml.model): ${shown(model)}. Supported: ${known}`)
}
