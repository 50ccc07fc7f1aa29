/**
 * Drafts by look-up: where the last tokens stand in a source, what follows them there is likely to follow here. The model then reads the
 * draft in one run and keeps what it would have said itself (Leviathan et al., arXiv 2211.17192, with the source as the drafting model).
 */
import { SuffixAutomaton } from './constraints/suffix-automaton.ts'

export interface LookupOptions {
  /** Token ids of what is likely to be quoted. */
  readonly sources: readonly (readonly number[])[]
  /** Most tokens of a draft; 16 by default. */
  readonly tokens?: number
}

/** Tokens that have to agree before a draft is made. */
const leastMatch = 2
const firstDraft = 4

export class PromptLookup {
  readonly #automaton: SuffixAutomaton = new SuffixAutomaton()
  readonly #sequence: number[] = []
  readonly #most: number
  #state = 0
  #matched = 0
  #length: number

  /** @throws RangeError when `tokens` is no whole number from 1 */
  constructor({ sources, tokens = 16 }: LookupOptions) {
    if (!Number.isInteger(tokens) || tokens < 1)
      throw new RangeError(`Cannot draft by look-up as tokens must be a whole number from 1: ${tokens}`)
    this.#most = tokens
    this.#length = Math.min(firstDraft, tokens)
    // A number that no token has, and no other source: nothing runs across it.
    for (const [index, source] of sources.entries()) this.#sequence.push(...source, -1 - index)
    for (const id of this.#sequence) this.#automaton.add(id)
  }

  /** Goes on by a token of the output. */
  push(id: number): void {
    const { next, links, lengths } = this.#automaton
    for (;;) {
      if (this.#state === 0 || next[this.#state]?.has(id)) break
      this.#state = links[this.#state] ?? 0
      this.#matched = lengths[this.#state] ?? 0
    }
    const to = next[this.#state]?.get(id)
    this.#state = to ?? 0
    this.#matched = to === undefined ? 0 : this.#matched + 1
  }

  /** What may follow, at most `limit` tokens. */
  draft(limit: number): number[] {
    if (this.#matched < leastMatch) return []
    const start = (this.#automaton.ends[this.#state] ?? 0) + 1
    const found = this.#sequence.slice(start, start + Math.min(limit, this.#length))
    const border = found.findIndex((id) => id < 0)
    return border < 0 ? found : found.slice(0, border)
  }

  /** Tells how many tokens of a draft were right: drafts grow while they are, and shrink when they are not. */
  learn(drafted: number, accepted: number): void {
    if (accepted === drafted) this.#length = Math.min(this.#most, this.#length * 2)
    else this.#length = Math.max(Math.min(2, this.#most), Math.min(this.#length, accepted + 2))
  }
}
