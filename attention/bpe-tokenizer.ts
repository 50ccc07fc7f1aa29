/**
 * Byte-level BPE from the metadata of a GGUF file (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.2).
 * The file holds the vocabulary and the merges, and names the rule that cuts text before merging.
 */
import { byteLevelText, tokenBytes } from './byte-level.ts'
import { createByteTokenizer, type ByteTokenizer } from './byte-tokenizer.ts'
import { shown } from './header-reader.ts'
import { mergePieces } from './merge-pieces.ts'
import { isListOf, readPieces, refusal, tokenTypes, type PieceVocabulary } from './piece-vocabulary.ts'
import { cutText, type PreTokenizerRule, preTokenizerNames, preTokenizerRule } from './pre-tokenizer-rules.ts'
import { additions, specialIds } from './special-ids.ts'
import { keepWords } from './word-cache.ts'

/**
 * Builds the tokenizer of a GGUF file whose vocabulary is byte-level BPE. Bytes that the vocabulary has no token for are left out (in
 * SmolLM2's: six control characters and those that begin characters from U+40000 to U+BFFFF).
 *
 * @throws ModelFileError when the metadata holds no byte-level BPE, or cuts text in a way that is not supported
 */
export function createBpeTokenizer(metadata: ReadonlyMap<string, unknown>): ByteTokenizer {
  const model = metadata.get('tokenizer.ggml.model')
  const pieces = readPieces(metadata)
  if (model !== 'gpt2') throw refusal(pieces.name, `it is no byte-level BPE (tokenizer.ggml.model): ${String(model)}`)
  const rule = readRule(pieces)
  const merges = metadata.get('tokenizer.ggml.merges')
  if (!isListOf('string', merges)) throw refusal(pieces.name, 'it has no list of merges (tokenizer.ggml.merges)')
  const encodeWord = keepWords(wordEncoder(idsByToken(pieces.tokens), ranksOf(merges), rule.ignoreMerges))
  return createByteTokenizer({
    tokens: pieces.tokens,
    special: specialIds(pieces),
    adds: additions(pieces, { bos: rule.addBos, eos: false, space: false }),
    isSpecial: (id) => pieces.typeOf(id) === tokenTypes.control,
    isWhole: (id) => pieces.typeOf(id) === tokenTypes.userDefined,
    bytesOf: (_, token) => tokenBytes(token),
    encode: (text) => cutText(text, rule.patterns).flatMap((word) => encodeWord(byteLevelText(word))),
  })
}

function readRule({ name, metadata }: PieceVocabulary): PreTokenizerRule {
  const pre = metadata.get('tokenizer.ggml.pre') ?? 'default'
  const rule = typeof pre === 'string' ? preTokenizerRule(pre) : undefined
  if (rule !== undefined) return rule
  const known = preTokenizerNames.join(', ')
  throw refusal(name, `its way to cut text is not supported (tokenizer.ggml.pre): ${shown(pre)}. Supported: ${known}`)
}

export function idsByToken(tokens: readonly string[]): Map<string, number> {
  return new Map(tokens.map((token, id) => [token, id]))
}

/** Order of the merges by "left right". */
export function ranksOf(merges: readonly string[]): Map<string, number> {
  const ranks = new Map<string, number>()
  for (const [rank, merge] of merges.entries()) if (!ranks.has(merge)) ranks.set(merge, rank)
  return ranks
}

/** Ids of one word by its merges. Symbols that the vocabulary does not have are given to `fallback`, which has none by default. */
export function wordEncoder(
  ids: ReadonlyMap<string, number>,
  ranks: ReadonlyMap<string, number>,
  ignoreMerges: boolean,
  fallback: (symbol: string) => readonly number[] = () => [],
): (word: string) => readonly number[] {
  return (word) => {
    const whole = ignoreMerges ? ids.get(word) : undefined
    if (whole !== undefined) return [whole]
    const pieces = mergePieces(Array.from(word), (left, right) => ranks.get(`${left} ${right}`))
    return pieces.flatMap((piece) => {
      const id = ids.get(piece)
      return id === undefined ? Array.from(piece).flatMap((symbol) => ids.get(symbol) ?? fallback(symbol)) : [id]
    })
  }
}
