import type { Constraint, ConstraintRun } from './constraint.ts'
import { SuffixAutomaton } from './suffix-automaton.ts'
import { TokenMask } from './token-mask.ts'

/** A text to copy from. */
export interface TokenSource {
  readonly ids: readonly number[]
  /** Indices of the tokens at which a copy may begin. */
  readonly starts: readonly number[]
  /** Indices of the tokens after which it may end. */
  readonly ends: readonly number[]
}

/** A place at which what was copied ends. */
export interface CopiedEnd {
  /** Index of the source, the first of those that have it. */
  readonly source: number
  /** Index in it of the last token. */
  readonly token: number
}

/** Stands before each token at which a copy may begin. */
const startMark = -1

/**
 * Parts of one or several sources that begin and end where the sources allow it. A step costs the same however long the sources are: a
 * suffix automaton knows all places at once. Marks before the starts are part of its sequence, so that only copies that begin at one count.
 */
export class VerbatimAutomaton {
  readonly #automaton: SuffixAutomaton = new SuffixAutomaton()
  /** Index of the source and the token of each place of the marked sequence. */
  readonly #places: CopiedEnd[] = []
  /** The first place where the parts of a state end and may end; -1: none. */
  readonly #ends: Int32Array
  /** Fewest tokens from a state to an end. */
  readonly #costs: Int32Array

  constructor(sources: readonly TokenSource[]) {
    const allowed: boolean[] = []
    const add = (symbol: number, place: CopiedEnd, mayEnd: boolean): void => {
      this.#automaton.add(symbol)
      this.#places.push(place)
      allowed.push(mayEnd)
    }
    for (const [source, { ids, starts, ends }] of sources.entries()) {
      const begins = new Set(starts)
      const finishes = new Set(ends)
      for (const [token, id] of ids.entries()) {
        if (begins.has(token)) add(startMark, { source, token }, false)
        add(id, { source, token }, finishes.has(token))
      }
      // No copy runs from one source into the next.
      add(startMark - 1 - source, { source, token: ids.length }, false)
    }
    const order = statesByLength(this.#automaton)
    this.#ends = firstEnds(this.#automaton, allowed, order)
    this.#costs = fewestSteps(this.#automaton, this.#ends, order)
  }

  /** States before anything is copied; none where there is nothing to copy. */
  begin(): readonly number[] {
    const state = this.#automaton.next[0]?.get(startMark)
    return state === undefined ? [] : [state]
  }

  /** States after `id`; a place where a copy may begin is passed without a token. */
  step(states: readonly number[], id: number): readonly number[] {
    const found: number[] = []
    for (const state of states) {
      const next = this.#automaton.next[state]?.get(id)
      if (next === undefined || this.#costs[next] === unreachable) continue
      found.push(next)
      const marked = this.#automaton.next[next]?.get(startMark)
      if (marked !== undefined) found.push(marked)
    }
    return found
  }

  /** Ids that may follow. */
  *following(states: readonly number[]): Generator<number, undefined> {
    for (const state of states) {
      for (const [id, next] of this.#automaton.next[state] ?? []) if (id >= 0 && this.#costs[next] !== unreachable) yield id
    }
  }

  /** Whether anything may follow. */
  canGoOn(states: readonly number[]): boolean {
    return this.following(states).next().done !== true
  }

  /** The first place at which a copy that leads to `states` ends and may end. */
  endOf(states: readonly number[]): CopiedEnd | undefined {
    const ends = states.map((state) => this.#ends[state] ?? -1).filter((end) => end >= 0)
    return ends.length === 0 ? undefined : this.#places[Math.min(...ends)]
  }

  /** Fewest tokens to an end; Infinity where there is none. */
  cost(states: readonly number[]): number {
    const least = states.reduce((cost, state) => Math.min(cost, this.#costs[state] ?? unreachable), unreachable)
    return least === unreachable ? Infinity : least
  }
}

const unreachable = 0x7fffffff

/** States from the longest to the shortest. */
function statesByLength({ lengths }: SuffixAutomaton): Int32Array {
  const counts = new Int32Array(Math.max(...lengthsOf(lengths)) + 2)
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1
  for (let length = counts.length - 2; length >= 0; length--) counts[length] = (counts[length] ?? 0) + (counts[length + 1] ?? 0)
  const order = new Int32Array(lengths.length)
  for (const [state, length] of lengths.entries()) {
    const place = (counts[length] ?? 1) - 1
    order[place] = state
    counts[length] = place
  }
  return order
}

/** The last state added is the longest. */
function lengthsOf(lengths: readonly number[]): readonly [number] {
  return [lengths.reduce((most, length) => Math.max(most, length), 0)]
}

function firstEnds({ beginnings, links, lengths }: SuffixAutomaton, allowed: readonly boolean[], order: Int32Array): Int32Array {
  const ends = new Int32Array(lengths.length).fill(-1)
  for (const [place, state] of beginnings.entries()) if (allowed[place] === true) ends[state] = place
  for (const state of order) {
    const end = ends[state] ?? -1
    const link = links[state] ?? -1
    if (link >= 0 && end >= 0 && ((ends[link] ?? -1) < 0 || end < (ends[link] ?? -1))) ends[link] = end
  }
  return ends
}

/** Ways lead from shorter to longer parts, so that one pass is enough. */
function fewestSteps({ next, lengths }: SuffixAutomaton, ends: Int32Array, order: Int32Array): Int32Array {
  const costs = new Int32Array(lengths.length).fill(unreachable)
  for (const state of order) {
    if ((ends[state] ?? -1) >= 0) costs[state] = 0
    else {
      for (const [id, to] of next[state] ?? []) {
        const cost = costs[to] ?? unreachable
        if (cost !== unreachable && id >= startMark) costs[state] = Math.min(costs[state] ?? unreachable, cost + (id >= 0 ? 1 : 0))
      }
    }
  }
  return costs
}

/**
 * A verbatim copy as a constraint.
 *
 * @throws RangeError when the sources have nothing that may be copied
 */
export class VerbatimConstraint implements Constraint {
  readonly leastTokens: number
  readonly automaton: VerbatimAutomaton
  readonly vocabulary: number

  constructor(sources: readonly TokenSource[], vocabulary: number) {
    this.automaton = new VerbatimAutomaton(sources)
    this.vocabulary = vocabulary
    this.leastTokens = this.automaton.cost(this.automaton.begin())
    if (this.leastTokens === Infinity) throw new RangeError('Cannot constrain an output to copies as its sources have nothing to copy')
  }

  begin(): ConstraintRun {
    return new VerbatimRun(this)
  }
}

class VerbatimRun implements ConstraintRun {
  readonly #constraint: VerbatimConstraint
  #states: readonly number[]

  constructor(constraint: VerbatimConstraint) {
    this.#constraint = constraint
    this.#states = constraint.automaton.begin()
  }

  get mayEnd(): boolean {
    return this.#constraint.automaton.endOf(this.#states) !== undefined
  }

  get isComplete(): boolean {
    return !this.#constraint.automaton.canGoOn(this.#states)
  }

  allowed(): TokenMask {
    const mask = new TokenMask(this.#constraint.vocabulary)
    for (const id of this.#constraint.automaton.following(this.#states)) mask.add(id)
    return mask
  }

  fits(id: number, after: number): boolean {
    const { automaton } = this.#constraint
    return automaton.cost(automaton.step(this.#states, id)) <= after
  }

  completion(): readonly number[] {
    const { automaton } = this.#constraint
    const ids: number[] = []
    for (let states = this.#states; automaton.cost(states) > 0;) {
      const before = states
      const id = [...automaton.following(before)].find((next) => automaton.cost(automaton.step(before, next)) < automaton.cost(before))
      if (id === undefined) break
      ids.push(id)
      states = automaton.step(states, id)
    }
    return ids
  }

  advance(id: number): void {
    this.#states = this.#constraint.automaton.step(this.#states, id)
  }
}
