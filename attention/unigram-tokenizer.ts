/** A unigram vocabulary (SentencePiece's, as T5 has it) from the metadata of a GGUF file. */
import { createByteTokenizer, type ByteTokenizer } from './byte-tokenizer.ts'
import { characterMap } from './character-map.ts'
import { isListOf, readPieces, readScores, refusal, statedFlag, statedId, tokenTypes, type PieceVocabulary } from './piece-vocabulary.ts'
import { PieceTrie } from './piece-trie.ts'
import { bytePieces, isSpecialType, joinable } from './scored-tokenizer.ts'
import { additions, specialIds } from './special-ids.ts'
import { byteFallback, markSpaces, pieceBytes, wordCutter } from './spaced-words.ts'
import { bestPieces, type UnigramPieces } from './unigram-words.ts'
import { keepWords } from './word-cache.ts'

/** How much less likely an unknown character is than the rarest piece (SentencePiece's constant). */
export const unknownPenalty = 10

/**
 * Builds the tokenizer of a GGUF file of kind `t5` (`tokenizer.ggml.model`). Texts are normalised by the map that the file holds.
 *
 * @throws ModelFileError when tokens or scores are missing, or the map is damaged
 */
export function createUnigramTokenizer(metadata: ReadonlyMap<string, unknown>): ByteTokenizer {
  const pieces = readPieces(metadata)
  const space = statedFlag(pieces, 'add_space_prefix', false)
  const fewSpaces = statedFlag(pieces, 'remove_extra_whitespaces', false)
  const normalise = readNormaliser(pieces)
  const ids = joinable(pieces)
  const encodeWord = keepWords(
    unigramEncoder(unigramPieces(pieces, ids), byteFallback(bytePieces(pieces), undefined), statedId(pieces, 'unknown') ?? 2),
  )
  const cut = wordCutter(ids.keys())
  return createByteTokenizer({
    tokens: pieces.tokens,
    special: specialIds(pieces, { eos: 1, pad: 0 }),
    adds: additions(pieces, { bos: false, eos: true, space }),
    isSpecial: (id) => isSpecialType(pieces.typeOf(id)),
    isWhole: (id) => pieces.typeOf(id) === tokenTypes.userDefined,
    bytesOf: (id, token) => pieceBytes(token, pieces.typeOf(id) === tokenTypes.byte),
    encode: (text, first) => {
      const normal = normalise(text)
      const written = fewSpaces ? normal.replaceAll(/ +/g, ' ').replaceAll(/^ | $/g, '') : normal
      return written === '' ? [] : cut(markSpaces(written, space && first)).flatMap(encodeWord)
    },
  })
}

function readNormaliser({ name, metadata }: PieceVocabulary): (text: string) => string {
  const values = metadata.get('tokenizer.ggml.precompiled_charsmap')
  if (values === undefined || (Array.isArray(values) && values.length === 0)) return (text) => text
  if (!isListOf('number', values)) throw refusal(name, 'its map of characters is no list of bytes (tokenizer.ggml.precompiled_charsmap)')
  const map = characterMap(Uint8Array.from(values))
  if (map === undefined) throw refusal(name, 'its map of characters is damaged (tokenizer.ggml.precompiled_charsmap)')
  return map
}

function unigramPieces(pieces: PieceVocabulary, ids: ReadonlyMap<string, number>): UnigramPieces {
  const scores = readScores(pieces)
  let lowest = Infinity
  for (const id of ids.values()) {
    const score = scores[id] ?? 0
    if (pieces.typeOf(id) === tokenTypes.normal && score < lowest) lowest = score
  }
  // Pieces that a user defined beat all others.
  const scoreOf = (id: number): number => (pieces.typeOf(id) === tokenTypes.userDefined ? 0 : (scores[id] ?? 0))
  return { trie: new PieceTrie(ids), scoreOf, unknownScore: (Number.isFinite(lowest) ? lowest : 0) - unknownPenalty }
}

/** Ids of one word. Unknown characters are written as bytes where `fallback` has them, else a run of them is one `unknown` token. */
export function unigramEncoder(
  pieces: UnigramPieces,
  fallback: (symbol: string) => readonly number[],
  unknown: number | undefined,
): (word: string) => readonly number[] {
  return (word) => {
    const ids: number[] = []
    let wasUnknown = false
    for (const { id, text } of bestPieces(word, pieces)) {
      const bytes = id < 0 ? fallback(text) : []
      const isUnknown = id < 0 && bytes.length === 0
      if (id >= 0) ids.push(id)
      else if (bytes.length > 0) ids.push(...bytes)
      else if (!wasUnknown && unknown !== undefined) ids.push(unknown)
      wasUnknown = isUnknown
    }
    return ids
  }
}
