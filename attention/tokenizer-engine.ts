import { Tokenizer } from '@huggingface/tokenizers'

/** What is used of the tokenizers library; its own declarations do not resolve under Node's rules. */
export interface TokenizerEngine {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] }
  /** Refuses an empty list. */
  decode(ids: readonly number[], options: { readonly skip_special_tokens: boolean }): string
  id_to_token(id: number): string | undefined
}

/** The library's tokenizer for the parts of a `tokenizer.json`. */
export function createTokenizerEngine(file: object): TokenizerEngine {
  return new Tokenizer(file, {}) as TokenizerEngine
}
