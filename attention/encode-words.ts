import type { Tokenizer } from './tokenizer.ts'

/** Tokens of a text with their places in it. */
export interface PlacedTokens {
  readonly ids: readonly number[]
  /** Start and end of each token's word, in turn, in UTF-16 code units. */
  readonly offsets: readonly number[]
}

/**
 * Where BERT's rule parts words: between white space (as Unicode has it), around each mark (punctuation, and the symbols of ASCII), and around each ideograph.
 * To part less than the rule does no harm: the tokens of a longer piece are the same.
 */
const words =
  /[\p{P}!-/:-@[-`{-~]|[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]|[^\p{White_Space}\p{P}!-/:-@[-`{-~\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]+/gu

/** Words whose tokens are remembered within one text. */
const maxKnown = 20_000

/**
 * Tokens of a text word by word, so that each has a place; the tokens of one word have the place of the word. For tokenizers that part words as
 * BERT's does, whose tokens do not depend on the words beside them: the ids are those of `encode`.
 */
export function encodeWords(tokenizer: Tokenizer, text: string): PlacedTokens {
  const ids: number[] = []
  const offsets: number[] = []
  const known = new Map<string, readonly number[]>()
  for (const { 0: word, index } of text.matchAll(words)) {
    const found = known.get(word) ?? tokenizer.encode(word)
    if (known.size < maxKnown) known.set(word, found)
    for (const id of found) {
      ids.push(id)
      offsets.push(index, index + word.length)
    }
  }
  return { ids, offsets }
}
