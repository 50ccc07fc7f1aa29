/** WordPiece (Schuster and Nakajima, 2012; BERT's) from the metadata of a GGUF file. */
import { createByteTokenizer, type ByteTokenizer } from './byte-tokenizer.ts'
import { readPieces, statedFlag, statedId, tokenTypes } from './piece-vocabulary.ts'
import { additions, specialIds } from './special-ids.ts'
import { pieceBytes, spaceMark } from './spaced-words.ts'
import { createTokenizerEngine } from './tokenizer-engine.ts'

/** Ids of BERT's special tokens, for files that do not say. */
const defaults = { bos: 101, separator: 102, unknown: 100, pad: 0 } as const

/**
 * Builds the tokenizer of a GGUF file of kind `bert` (`tokenizer.ggml.model`), whose pieces begin with a mark where a word begins. Texts lose
 * their accents, capitals and surplus spaces on the way, so that they do not come back as they were.
 *
 * @throws ModelFileError when tokens are missing
 */
export function createWordPieceTokenizer(metadata: ReadonlyMap<string, unknown>): ByteTokenizer {
  const pieces = readPieces(metadata)
  const { tokens } = pieces
  const isSpecial = (id: number): boolean => pieces.typeOf(id) === tokenTypes.control || pieces.typeOf(id) === tokenTypes.unknown
  const unknown = statedId(pieces, 'unknown') ?? defaults.unknown
  const lowercase = statedFlag(pieces, 'normalizer.lowercase', true)
  const engine = createTokenizerEngine({
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: statedFlag(pieces, 'normalizer.strip_accents', lowercase),
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      vocab: Object.assign(Object.create(null), Object.fromEntries(tokens.map((token, id) => [isSpecial(id) ? token : inner(token), id]))),
      unk_token: tokens[unknown],
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
    post_processor: null,
    decoder: null,
    added_tokens: [],
  })
  const separator = statedId(pieces, 'seperator') ?? statedId(pieces, 'separator') ?? defaults.separator
  return createByteTokenizer({
    tokens,
    special: { bos: statedId(pieces, 'cls') ?? defaults.bos, pad: defaults.pad, ...specialIds(pieces), eos: separator },
    adds: additions(pieces, { bos: true, eos: true, space: true }),
    isSpecial,
    isWhole: (id) => pieces.typeOf(id) === tokenTypes.userDefined,
    bytesOf: (_, token) => pieceBytes(token, false),
    encode: (text) => (text === '' ? [] : engine.encode(text, { add_special_tokens: false }).ids),
  })
}

/** A piece as the library wants it: marked where it goes on, not where a word begins. */
function inner(token: string): string {
  return token.startsWith(spaceMark) ? token.slice(1) : `##${token}`
}
