import type { ByteTokenizer } from './byte-tokenizer.ts'
import type { Tokenizer } from './tokenizer.ts'

/** A function that turns tokens into text as they come; a character whose bytes are spread over tokens comes with its last one. */
export function textOfTokens(tokenizer: Tokenizer): (id: number) => string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const bytesOf = isByteTokenizer(tokenizer)
    ? (id: number) => tokenizer.bytes(id)
    : (id: number) => new TextEncoder().encode(tokenizer.token(id))
  return (id) => (hasText(tokenizer, id) ? decoder.decode(bytesOf(id), { stream: true }) : '')
}

/** Whether a token is part of the text: special ones are not. */
export function hasText(tokenizer: Tokenizer, id: number): boolean {
  // Twice, as some tokenizers leave the space at a text's beginning out.
  return tokenizer.decode([id, id]) !== ''
}

function isByteTokenizer(tokenizer: Tokenizer): tokenizer is ByteTokenizer {
  return 'bytes' in tokenizer
}
