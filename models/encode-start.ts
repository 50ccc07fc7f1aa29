import { type Tokenizer, withStart } from '../attention/index.ts'

/**
 * Token ids of a text that nothing comes before: after the start token where the model's rule has one, as a model that was trained with it is lost
 * without. Whatever follows the text is encoded as it is.
 */
export function encodeStart(tokenizer: Tokenizer, text: string): number[] {
  return withStart(tokenizer, tokenizer.encode(text))
}

/** Token ids of a text that follows another: without the start token that the model's rule puts before a text. */
export function withoutStart({ special, adds }: Tokenizer, ids: readonly number[]): number[] {
  return adds?.bos === true && ids[0] === special.bos ? ids.slice(1) : [...ids]
}
