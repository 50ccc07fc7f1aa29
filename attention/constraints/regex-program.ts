/** Regular expressions as graphs (Thompson, "Regular expression search algorithm", 1968), with assertions about the neighbours of a place. */
import { type AST, RegExpParser } from '@eslint-community/regexpp'
import { type CharSet, JS } from 'refa'

export type Assertion = 'start' | 'end' | 'word' | 'no word'

export type ProgramNode =
  | { readonly kind: 'character'; readonly set: CharSet; readonly to: number }
  | { readonly kind: 'split'; readonly to: readonly number[] }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly to: number }
  | { readonly kind: 'match' }

export interface PatternProgram {
  readonly nodes: readonly ProgramNode[]
  readonly start: number
}

const mostNodes = 20_000
const parser: RegExpParser = new RegExpParser({ ecmaVersion: 2025 })

/**
 * The graph of a JavaScript regular expression, read as with the flag `u`.
 *
 * @throws TypeError when it is none, or holds what no automaton can tell: references to groups, looking ahead or behind
 */
export function compilePattern(source: string, flags = ''): PatternProgram {
  for (const flag of flags) {
    if (!'isu'.includes(flag))
      throw new TypeError(`Cannot constrain to the regular expression as its flag is none of i, s and u: /${source}/${flags}`)
  }
  return new Compiler(source, flags).compile()
}

class Compiler {
  readonly #source: string
  readonly #flags: { readonly unicode: true; readonly ignoreCase: boolean; readonly dotAll: boolean }
  readonly #nodes: ProgramNode[] = [{ kind: 'match' }]

  constructor(source: string, flags: string) {
    this.#source = source
    this.#flags = { unicode: true, ignoreCase: flags.includes('i'), dotAll: flags.includes('s') }
  }

  compile(): PatternProgram {
    const start = this.#alternatives(this.#parse().alternatives, 0)
    return { nodes: this.#nodes, start }
  }

  #parse(): AST.Pattern {
    try {
      return parser.parsePattern(this.#source, 0, this.#source.length, { unicode: true })
    } catch (cause) {
      throw new TypeError(`Cannot constrain to the regular expression as it is none: /${this.#source}/`, { cause })
    }
  }

  /** Each of these gives the node at which a part begins that goes on at `next`. */
  #alternatives(alternatives: readonly AST.Alternative[], next: number): number {
    const starts = alternatives.map(({ elements }) => elements.reduceRight((to, element) => this.#element(element, to), next))
    return starts.length === 1 && starts[0] !== undefined ? starts[0] : this.#add({ kind: 'split', to: starts })
  }

  #element(element: AST.Element, next: number): number {
    switch (element.type) {
      case 'Character':
      case 'CharacterSet':
      case 'CharacterClass':
        return this.#add({ kind: 'character', set: JS.parseUnicodeSet(element, this.#flags).chars, to: next })
      case 'Group':
        if (element.modifiers !== null) throw this.#refusal('changes flags within', element.raw)
        return this.#alternatives(element.alternatives, next)
      case 'CapturingGroup':
        return this.#alternatives(element.alternatives, next)
      case 'Quantifier':
        return this.#quantifier(element, next)
      case 'Assertion':
        return this.#assertion(element, next)
      default:
        throw this.#refusal('holds a part that no automaton can tell', element.raw)
    }
  }

  #assertion(element: AST.Assertion, next: number): number {
    switch (element.kind) {
      case 'start':
      case 'end':
        return this.#add({ kind: 'assertion', assertion: element.kind, to: next })
      case 'word':
        return this.#add({ kind: 'assertion', assertion: element.negate ? 'no word' : 'word', to: next })
      default:
        throw this.#refusal('looks ahead or behind', element.raw)
    }
  }

  #quantifier({ element, min, max }: AST.Quantifier, next: number): number {
    let start = next
    if (max === Infinity) {
      const loop = this.#nodes.push({ kind: 'match' }) - 1
      this.#nodes[loop] = { kind: 'split', to: [this.#element(element, loop), next] }
      start = loop
    } else {
      for (let count = min; count < max; count++) start = this.#add({ kind: 'split', to: [this.#element(element, start), next] })
    }
    for (let count = 0; count < min; count++) start = this.#element(element, start)
    return start
  }

  #add(node: ProgramNode): number {
    if (this.#nodes.length >= mostNodes) throw this.#refusal(`has more than ${mostNodes} places`, `/${this.#source}/`)
    return this.#nodes.push(node) - 1
  }

  #refusal(why: string, part: string): TypeError {
    return new TypeError(`Cannot constrain to the regular expression /${this.#source}/ as it ${why}: ${part}`)
  }
}
