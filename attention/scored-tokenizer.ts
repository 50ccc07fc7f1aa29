/**
 * BPE by scores from the metadata of a GGUF file, as SentencePiece makes it for Llama, Mistral and Gemma: of all neighbours that together
 * are a piece, those are joined first whose piece has the highest score (Kudo and Richardson, "SentencePiece", 2018, section 3.1). What is no
 * piece is written as bytes.
 */
import { createByteTokenizer, type ByteTokenizer } from './byte-tokenizer.ts'
import { mergePieces } from './merge-pieces.ts'
import { readPieces, readScores, statedFlag, statedId, tokenTypes, type PieceVocabulary } from './piece-vocabulary.ts'
import { additions, specialIds } from './special-ids.ts'
import { byteFallback, markSpaces, pieceBytes, wordCutter } from './spaced-words.ts'
import type { Stripping } from './whole-tokens.ts'
import { keepWords } from './word-cache.ts'

/**
 * Builds the tokenizer of a GGUF file of kind `llama` (`tokenizer.ggml.model`).
 *
 * @throws ModelFileError when tokens or scores are missing
 */
export function createScoredTokenizer(metadata: ReadonlyMap<string, unknown>): ByteTokenizer {
  const pieces = readPieces(metadata)
  const space = statedFlag(pieces, 'add_space_prefix', true)
  const encodeWord = keepWords(wordEncoder(pieces, readScores(pieces)))
  const cut = wordCutter(joinable(pieces).keys())
  return createByteTokenizer({
    tokens: pieces.tokens,
    special: specialIds(pieces, defaultIds(pieces)),
    adds: additions(pieces, { bos: true, eos: false, space }),
    isSpecial: (id) => isSpecialType(pieces.typeOf(id)),
    isWhole: (id) => pieces.typeOf(id) === tokenTypes.userDefined,
    ...(metadata.get('general.architecture') === 'phi3' && { strips: phiStrips(pieces) }),
    bytesOf: (id, token) => pieceBytes(token, pieces.typeOf(id) === tokenTypes.byte),
    encode: (text, first) => cut(markSpaces(text, space && first)).flatMap(encodeWord),
  })
}

/** Ids that SentencePiece gives where nothing else is said. */
function defaultIds({ tokens }: PieceVocabulary): { bos?: number; eos?: number } {
  return tokens[1] === '<s>' && tokens[2] === '</s>' ? { bos: 1, eos: 2 } : {}
}

/** Phi 3's special tokens take in the white space after them, which GGUF files do not say. */
function phiStrips({ tokens, typeOf }: PieceVocabulary): Map<number, Stripping> {
  const ids = [...tokens.keys()].filter((id) => tokens[id] === '</s>' || (isSpecialType(typeOf(id)) && !phiPlain.has(tokens[id])))
  return new Map(ids.map((id) => [id, { before: false, after: true }]))
}

const phiPlain = new Set<string | undefined>(['<unk>', '<s>', '<|endoftext|>'])

export function isSpecialType(type: number): boolean {
  return type === tokenTypes.control || type === tokenTypes.unknown
}

/** Pieces that a plain text can hold, with their ids. */
export function joinable({ tokens, typeOf }: PieceVocabulary): Map<string, number> {
  const ids = new Map<string, number>()
  for (const [id, token] of tokens.entries()) {
    const type = typeOf(id)
    if (type !== tokenTypes.byte && !isSpecialType(type)) ids.set(token, id)
  }
  return ids
}

/** Pieces that stand for one byte each, with their ids. */
export function bytePieces({ tokens, typeOf }: PieceVocabulary): Map<string, number> {
  return new Map(tokens.flatMap((token, id) => (typeOf(id) === tokenTypes.byte ? [[token, id] as const] : [])))
}

function wordEncoder(pieces: PieceVocabulary, scores: readonly number[]): (word: string) => readonly number[] {
  const ids = joinable(pieces)
  const fallback = byteFallback(bytePieces(pieces), statedId(pieces, 'unknown'))
  const rankOf = (left: string, right: string): number | undefined => {
    const id = ids.get(left + right)
    return id === undefined ? undefined : -(scores[id] ?? 0)
  }
  return (word) =>
    mergePieces(Array.from(word), rankOf).flatMap((piece) => {
      const id = ids.get(piece)
      return id === undefined ? fallback(piece) : [id]
    })
}
