import { statedFlag, statedId, type PieceVocabulary } from './piece-vocabulary.ts'
import type { Tokenizer } from './tokenizer.ts'

/** What ends a turn in the formats of ChatML, Llama 3, Gemma and Phi, for files that do not say. */
const endsOfTurn = ['<|im_end|>', '<|eot_id|>', '<end_of_turn>', '<|end|>']

/** Id of the token that ends a turn, by its name. */
export function endOfTurnId(tokens: readonly string[]): number | undefined {
  return endsOfTurn.map((token) => tokens.indexOf(token)).find((id) => id >= 0)
}

/** Ids by role, from the metadata of a GGUF file; `fallback` where it does not say. */
export function specialIds(pieces: PieceVocabulary, fallback: Tokenizer['special'] = {}): Tokenizer['special'] {
  const bos = statedId(pieces, 'bos') ?? fallback.bos
  const eos = statedId(pieces, 'eos') ?? fallback.eos
  const pad = statedId(pieces, 'padding') ?? fallback.pad
  const endOfTurn = statedId(pieces, 'eot') ?? endOfTurnId(pieces.tokens)
  return {
    ...(bos !== undefined && { bos }),
    ...(eos !== undefined && { eos }),
    ...(pad !== undefined && { pad }),
    ...(endOfTurn !== undefined && { endOfTurn }),
  }
}

/** What the model's rule puts around a text; `fallback` where the metadata do not say. */
export function additions(pieces: PieceVocabulary, fallback: NonNullable<Tokenizer['adds']>): NonNullable<Tokenizer['adds']> {
  return {
    bos: statedFlag(pieces, 'add_bos_token', fallback.bos),
    eos: statedFlag(pieces, 'add_eos_token', fallback.eos),
    space: fallback.space,
  }
}
