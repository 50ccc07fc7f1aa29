/** What a text has to be, as one deterministic automaton over characters: the product of the automata of each rule. */
import { CharBase, CharSet } from 'refa'
import type { CharacterState } from './character-automaton.ts'
import type { Assertion, PatternProgram } from './regex-program.ts'

export interface TextRules {
  /** Expressions that match somewhere in the text. */
  readonly patterns?: readonly PatternProgram[]
  /** Expressions that match nowhere in it. */
  readonly forbidden?: readonly PatternProgram[]
  /** Fewest and most characters, in code points. */
  readonly minLength?: number
  readonly maxLength?: number
  /** Texts that it must not be. */
  readonly except?: readonly string[]
}

/** What is before or after a place: an edge of the text, a character of a word, another character. */
type Neighbour = 'edge' | 'word' | 'other'

/** How far one expression is: the nodes reached before the next character, or that it has matched. */
type Progress = readonly number[] | 'matched'

interface ProductState {
  readonly progress: readonly Progress[]
  readonly before: Neighbour
  readonly length: number
  /** What was written, while it may still become an excepted text. */
  readonly word: string | undefined
}

const mostStates = 6000
const lastCharacter = 0x10ffff
const wordSet: CharSet = CharSet.empty(lastCharacter).union([
  { min: 0x30, max: 0x39 },
  { min: 0x41, max: 0x5a },
  { min: 0x5f, max: 0x5f },
  { min: 0x61, max: 0x7a },
])

/** @throws TypeError when the automaton would be too large */
export function textStates(rules: TextRules): CharacterState[] {
  const product = new Product(rules)
  const states: CharacterState[] = []
  const known = new Map<string, number>()
  const open: ProductState[] = []
  const numberOf = (state: ProductState): number => {
    const key = keyOf(state)
    const seen = known.get(key)
    if (seen !== undefined) return seen
    if (known.size >= mostStates) throw new TypeError(`Cannot constrain a text as its automaton has more than ${mostStates} states`)
    known.set(key, known.size)
    open.push(state)
    return known.size - 1
  }
  numberOf(product.start)
  for (let index = 0; index < open.length; index++) {
    const state = open[index]!
    const byTarget = new Map<number, CharSet>()
    for (const set of product.classes) {
      const next = product.step(state, set)
      if (next === undefined) continue
      const to = numberOf(next)
      byTarget.set(to, byTarget.get(to)?.union(set) ?? set)
    }
    states.push({ accepts: product.accepts(state), edges: [...byTarget].map(([to, { ranges }]) => ({ to, ranges })) })
  }
  return states
}

function keyOf({ progress, before, length, word }: ProductState): string {
  return `${progress.map(String).join(';')}/${before}/${length}/${word === undefined ? '' : `=${word}`}`
}

class Product {
  readonly start: ProductState
  /** Characters that are alike to all rules. */
  readonly classes: readonly CharSet[]
  readonly #programs: readonly PatternProgram[]
  readonly #wanted: number
  readonly #min: number
  readonly #max: number
  readonly #except: ReadonlySet<string>
  readonly #beginnings: ReadonlySet<string>
  /** Whether what is before a place matters. */
  readonly #looks: boolean

  constructor({ patterns = [], forbidden = [], minLength = 0, maxLength = Infinity, except = [] }: TextRules) {
    this.#programs = [...patterns, ...forbidden]
    this.#wanted = patterns.length
    this.#min = minLength
    this.#max = maxLength
    this.#except = new Set(except)
    this.#beginnings = new Set(except.flatMap((text) => Array.from(text).map((_, index, all) => all.slice(0, index + 1).join(''))))
    this.#looks = this.#programs.some(({ nodes }) => nodes.some(({ kind }) => kind === 'assertion'))
    this.classes = characterClasses(this.#programs, except)
    const word = except.length > 0 ? '' : undefined
    this.start = { progress: this.#programs.map(() => []), before: 'edge', length: 0, word }
  }

  step(state: ProductState, set: CharSet): ProductState | undefined {
    if (state.length >= this.#max) return undefined
    const character = set.ranges[0]?.min ?? 0
    const neighbour = wordSet.has(character) ? 'word' : 'other'
    const progress = this.#programs.map((program, index) =>
      advance(program, state.progress[index] ?? [], state.before, neighbour, character),
    )
    if (progress.slice(this.#wanted).includes('matched')) return undefined
    const word = state.word === undefined ? undefined : state.word + String.fromCodePoint(character)
    return {
      progress,
      before: this.#looks ? neighbour : 'other',
      length: this.#max < Infinity ? state.length + 1 : Math.min(state.length + 1, this.#min),
      word: word !== undefined && this.#beginnings.has(word) ? word : undefined,
    }
  }

  accepts({ progress, before, length, word }: ProductState): boolean {
    if (length < this.#min || (word !== undefined && this.#except.has(word))) return false
    const matches = this.#programs.map((program, index) => matchesAt(program, progress[index] ?? [], before, 'edge'))
    return matches.every((matched, index) => matched === index < this.#wanted)
  }
}

/** Disjoint sets of characters that no rule tells apart; together they are all characters. */
function characterClasses(programs: readonly PatternProgram[], except: readonly string[]): CharSet[] {
  const sets = programs.flatMap(({ nodes }) => nodes.flatMap((node) => (node.kind === 'character' ? [node.set] : [])))
  const single = new Set(except.flatMap((text) => Array.from(text, (character) => character.codePointAt(0) ?? 0)))
  const singles = [...single].map((code) => CharSet.fromCharacter(lastCharacter, code))
  const base = new CharBase([...sets, ...singles, wordSet]).sets
  const rest = base.reduce((left, set) => left.without(set), CharSet.all(lastCharacter))
  return rest.isEmpty ? [...base] : [...base, rest]
}

function advance(program: PatternProgram, progress: Progress, before: Neighbour, after: Neighbour, character: number): Progress {
  if (progress === 'matched') return progress
  const closed = closure(program, progress, before, after)
  const next = new Set<number>()
  for (const index of closed) {
    const node = program.nodes[index]
    if (node?.kind === 'match') return 'matched'
    if (node?.kind === 'character' && node.set.has(character)) next.add(node.to)
  }
  return [...next].sort((a, b) => a - b)
}

function matchesAt(program: PatternProgram, progress: Progress, before: Neighbour, after: Neighbour): boolean {
  if (progress === 'matched') return true
  for (const index of closure(program, progress, before, after)) if (program.nodes[index]?.kind === 'match') return true
  return false
}

/** The nodes reached without a character, between two neighbours; a match may begin at any place. */
function closure({ nodes, start }: PatternProgram, progress: readonly number[], before: Neighbour, after: Neighbour): Set<number> {
  const found = new Set<number>()
  const open = [...progress, start]
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (found.has(index)) continue
    found.add(index)
    const node = nodes[index]
    if (node?.kind === 'split') open.push(...node.to)
    else if (node?.kind === 'assertion' && holds(node.assertion, before, after)) open.push(node.to)
  }
  return found
}

function holds(assertion: Assertion, before: Neighbour, after: Neighbour): boolean {
  switch (assertion) {
    case 'start':
      return before === 'edge'
    case 'end':
      return after === 'edge'
    case 'word':
      return (before === 'word') !== (after === 'word')
    case 'no word':
      return (before === 'word') === (after === 'word')
  }
}
