import { type ByteTokenizer, StopStrings } from '../attention/index.ts'
import { TokenText } from './token-text.ts'

/** The text of a reply as its tokens come, up to the first of some strings. */
export class ReplyText {
  readonly #text: TokenText
  readonly #stops: StopStrings

  constructor(tokenizer: ByteTokenizer, stopStrings: readonly string[] = []) {
    this.#text = new TokenText(tokenizer)
    this.#stops = new StopStrings(stopStrings)
  }

  /** The text that is sure with `id`. */
  push(id: number): string {
    return this.#stops.push(this.#text.push(id))
  }

  /** What is left: a character cut short, the beginning of a string that did not come. */
  end(): string {
    return this.#stops.push(this.#text.end()) + this.#stops.end()
  }
}
