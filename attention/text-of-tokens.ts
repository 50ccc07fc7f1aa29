import type { ByteTokenizer } from './byte-tokenizer.ts'
import type { Tokenizer } from './tokenizer.ts'

/** A function that turns tokens into text as they come; a character whose bytes are spread over tokens comes with its last one. */
export function textOfTokens(tokenizer: Tokenizer): (id: number) => string {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const bytesOf = isByteTokenizer(tokenizer)
    ? (id: number) => tokenizer.bytes(id)
    : (id: number) => new TextEncoder().encode(tokenizer.token(id))
  // Twice, as some tokenizers leave the space at a text's beginning out.
  return (id) => (tokenizer.decode([id, id]) === '' ? '' : decoder.decode(bytesOf(id), { stream: true }))
}

function isByteTokenizer(tokenizer: Tokenizer): tokenizer is ByteTokenizer {
  return 'bytes' in tokenizer
}
