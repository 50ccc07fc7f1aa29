/** Text to token ids and back. */
export interface Tokenizer {
  readonly vocabulary: number
  /** Ids of special tokens by role, where the model has them. */
  readonly special: Readonly<{ bos?: number; eos?: number; pad?: number; endOfTurn?: number }>
  /**
   * What a text gets by the model's own rule: the start token before it, the end token after it (`encode` adds neither), and a space before
   * its first word (`encode` adds it and `decode` takes it off). Nothing when absent.
   */
  readonly adds?: Readonly<{ bos: boolean; eos: boolean; space: boolean }>
  /** Token ids of `text`. Special tokens written in the text are read as plain text unless `special` is set. */
  encode(text: string, options?: { readonly special?: boolean }): number[]
  /** Text of `ids`; special tokens are left out unless `special` is set. */
  decode(ids: readonly number[], options?: { readonly special?: boolean }): string
  /** The string form of one token (its bytes as UTF-8 text where they are whole). */
  token(id: number): string
}
