import { type ByteTokenizer, hasText } from '../attention/index.ts'

/** Turns token ids into text as they come; a character whose bytes are spread over tokens comes out with its last one. */
export class TokenText {
  readonly #tokenizer: ByteTokenizer
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  constructor(tokenizer: ByteTokenizer) {
    this.#tokenizer = tokenizer
  }

  /** The text that `id` completes; special tokens have none. */
  push(id: number): string {
    return hasText(this.#tokenizer, id) ? this.#decoder.decode(this.#tokenizer.bytes(id), { stream: true }) : ''
  }

  /** What is left of a character cut short. */
  end(): string {
    return this.#decoder.decode()
  }
}
