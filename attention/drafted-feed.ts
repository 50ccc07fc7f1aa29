/** Feeds tokens one after the other, and where a source says what may follow, several at once. */
import { type LookupOptions, PromptLookup } from './prompt-lookup.ts'

/** A sequence that grows. */
export interface TokenFeed {
  /** Appends tokens and gives the logits after each of them. */
  feed(ids: readonly number[]): Promise<readonly Float32Array[]>
  /** Forgets the last `count` tokens. */
  forget(count: number): void
}

export class DraftedFeed {
  readonly #feed: TokenFeed
  readonly #lookup: PromptLookup | undefined
  /** Tokens that were fed and not yet confirmed, each with the logits that follow it. */
  #ahead: { readonly id: number; readonly logits: Float32Array }[] = []
  #confirmed = 0
  #drafted = 0
  #accepted = 0

  constructor(feed: TokenFeed, lookup: LookupOptions | undefined) {
    this.#feed = feed
    this.#lookup = lookup === undefined ? undefined : new PromptLookup(lookup)
  }

  get drafted(): number {
    return this.#drafted
  }

  get accepted(): number {
    return this.#accepted
  }

  /** The logits after `id`; at most `limit` tokens are tried after it. */
  async follow(id: number, limit: number): Promise<Float32Array> {
    this.#lookup?.push(id)
    const [known] = this.#ahead
    if (known?.id === id) {
      this.#ahead.shift()
      this.#accepted++
      this.#confirmed++
      if (this.#ahead.length === 0) this.#lookup?.learn(this.#confirmed, this.#confirmed)
      return known.logits
    }
    this.end()
    const draft = this.#lookup?.draft(limit) ?? []
    const rows = await this.#feed.feed([id, ...draft])
    this.#drafted += draft.length
    this.#confirmed = 0
    this.#ahead = draft.flatMap((next, index) => {
      const logits = rows[index + 1]
      return logits === undefined ? [] : [{ id: next, logits }]
    })
    return rows[0] ?? new Float32Array()
  }

  /** Forgets what was not confirmed. */
  end(): void {
    if (this.#ahead.length === 0) return
    this.#feed.forget(this.#ahead.length)
    this.#lookup?.learn(this.#confirmed + this.#ahead.length, this.#confirmed)
    this.#ahead = []
  }
}
