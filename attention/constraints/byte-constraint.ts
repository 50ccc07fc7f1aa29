import type { AutomatonState, ByteAutomaton } from './byte-automaton.ts'
import type { Constraint, ConstraintRun } from './constraint.ts'
import { TokenMask } from './token-mask.ts'
import { fewestTokens, type TokenTrie } from './token-trie.ts'

/**
 * What tokens may follow where an automaton over bytes says which bytes may. Masks and completions are computed once a state.
 *
 * @throws RangeError when the vocabulary cannot write any output
 */
export class ByteConstraint implements Constraint {
  readonly leastTokens: number
  readonly automaton: ByteAutomaton
  readonly trie: TokenTrie
  readonly #masks: WeakMap<AutomatonState, TokenMask> = new WeakMap()
  readonly #completions: WeakMap<AutomatonState, readonly number[]> = new WeakMap()

  constructor(automaton: ByteAutomaton, trie: TokenTrie) {
    this.automaton = automaton
    this.trie = trie
    if (automaton.start.cost === Infinity) {
      throw new RangeError('Cannot constrain an output as nothing fulfils the constraint, or only what the vocabulary has no tokens for')
    }
    this.leastTokens = this.completion(automaton.start).length
  }

  begin(): ConstraintRun {
    return new ByteRun(this)
  }

  /** Tokens of a shortest text to an end. */
  completion(state: AutomatonState): readonly number[] {
    const known = this.#completions.get(state) ?? fewestTokens(this.trie, this.automaton.completion(state))
    this.#completions.set(state, known)
    return known
  }

  /** The state after a token; null: it may not follow. */
  after(state: AutomatonState, id: number): AutomatonState | null {
    const bytes = this.trie.bytesOf(id)
    return bytes === undefined ? null : this.automaton.run(state, bytes)
  }

  allowed(state: AutomatonState): TokenMask {
    const known = this.#masks.get(state) ?? this.#walk(state)
    this.#masks.set(state, known)
    return known
  }

  #walk(state: AutomatonState): TokenMask {
    const { bytes, depths, skips, tokens, same, longest, vocabulary } = this.trie
    const mask = new TokenMask(vocabulary)
    const path = Array.from<AutomatonState>({ length: longest + 1 }).fill(state)
    for (let node = 0; node < bytes.length;) {
      const depth = depths[node] ?? 1
      const next = this.automaton.step(path[depth - 1] ?? state, bytes[node] ?? 0)
      if (next === null) {
        node = skips[node] ?? bytes.length
        continue
      }
      path[depth] = next
      if (next.cost < Infinity) for (let id = tokens[node] ?? -1; id >= 0; id = same[id] ?? -1) mask.add(id)
      node++
    }
    return mask
  }
}

class ByteRun implements ConstraintRun {
  readonly #constraint: ByteConstraint
  #state: AutomatonState
  /** What is left of a completion that was begun: a later one may be spelled with more tokens. */
  #begun: readonly number[] = []

  constructor(constraint: ByteConstraint) {
    this.#constraint = constraint
    this.#state = constraint.automaton.start
  }

  get mayEnd(): boolean {
    return this.#state.cost === 0
  }

  get isComplete(): boolean {
    return this.mayEnd && this.#state.leaves.length === 0
  }

  allowed(): TokenMask {
    return this.#constraint.allowed(this.#state)
  }

  fits(id: number, after: number): boolean {
    const next = this.#constraint.after(this.#state, id)
    if (next === null || next.cost === Infinity) return false
    // Each byte that is left is at most a token.
    if (next.cost <= after) return true
    const completion = this.completion()
    return (completion[0] === id && completion.length - 1 <= after) || this.#constraint.completion(next).length <= after
  }

  completion(): readonly number[] {
    if (this.mayEnd) return []
    const fresh = this.#constraint.completion(this.#state)
    return this.#begun.length > 0 && this.#begun.length <= fresh.length ? this.#begun : fresh
  }

  advance(id: number): void {
    const next = this.#constraint.after(this.#state, id)
    if (next === null) throw new RangeError(`Cannot go on by a token that the constraint does not allow: ${id}`)
    const completion = this.#begun.length > 0 ? this.#begun : this.#constraint.completion(this.#state)
    this.#begun = completion[0] === id ? completion.slice(1) : []
    this.#state = next
  }
}
