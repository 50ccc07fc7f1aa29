import * as library from '@huggingface/tokenizers'

/** What is used of the tokenizers library; its own declarations do not resolve under Node's rules. */
export interface TokenizerEngine {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { readonly ids: number[] }
  /** Refuses an empty list. */
  decode(ids: readonly number[], options: { readonly skip_special_tokens: boolean }): string
  id_to_token(id: number): string | undefined
}

/** The library's tokenizer for the parts of a `tokenizer.json`. */
export function createTokenizerEngine(file: object): TokenizerEngine {
  return new library.Tokenizer(file, {}) as TokenizerEngine
}

/** Classes that the library's declarations leave out. */
interface LibraryParts {
  readonly SequenceNormalizer: new (settings: object) => { normalize(text: string): string }
  readonly SequencePreTokenizer: new (settings: object) => { pre_tokenize(text: string, options: object): string[] }
}

/** A function that normalises a text and cuts it, by the library's rules for these parts of a `tokenizer.json`; null for none. */
export function createCutter(normalizer: unknown, preTokenizer: unknown): (text: string) => string[] {
  const part = (value: unknown): unknown[] => (value === null || value === undefined ? [] : [value])
  const { SequenceNormalizer, SequencePreTokenizer } = library as unknown as LibraryParts
  const normaliser = new SequenceNormalizer({ type: 'Sequence', normalizers: part(normalizer) })
  const cutter = new SequencePreTokenizer({ type: 'Sequence', pretokenizers: part(preTokenizer) })
  return (text) => cutter.pre_tokenize(normaliser.normalize(text), { section_index: 0 })
}
