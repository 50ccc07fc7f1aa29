/** Pieces of JSON as grammar: spaces, strings, keys, numbers. */
import { byteTable, type ByteTable, type TableState } from './byte-table.ts'
import { type CharacterState, spelledTable } from './character-automaton.ts'
import { choice, type GrammarNode, literal, repeat, sequence, tableNode } from './grammar.ts'
import { type NumberRules, numberTable } from './number-automaton.ts'
import { textStates, type TextRules } from './text-automaton.ts'

/** Deepest indentation in spaces. Space is bounded, as small models may go on writing it for ever. */
const deepest = 16

/** Automata of strings that are kept for later schemas. */
const mostTexts = 100

/** Pieces for one vocabulary, shared by all schemas. */
export class JsonGrammar {
  /** What may stand around values: nothing, a space, or a line's end and the next one's indentation. */
  readonly space: GrammarNode
  readonly comma: GrammarNode
  readonly colon: GrammarNode
  readonly anyNumber: GrammarNode
  readonly anyInteger: GrammarNode
  readonly #usable: Uint8Array
  readonly #quote: GrammarNode = literal('"')
  readonly #character: GrammarNode
  readonly #texts: Map<string, GrammarNode> = new Map()

  constructor(usable: Uint8Array) {
    this.#usable = usable
    this.space = tableNode(byteTable(spaceStates(), usable))
    this.comma = sequence(this.space, literal(','), this.space)
    this.colon = sequence(literal(':'), choice(literal(''), literal(' ')))
    this.#character = tableNode(characterTable(usable))
    this.anyInteger = tableNode(digitTable(usable, false))
    this.anyNumber = tableNode(digitTable(usable, true))
  }

  /** A string by its number of characters. */
  string(min: number, max: number): GrammarNode {
    return sequence(this.#quote, repeat(this.#character, min, max), this.#quote)
  }

  /** A string by rules; characters are escaped only where they have to be. */
  text(rules: TextRules): GrammarNode {
    const key = JSON.stringify(rules, (_, value: unknown) => (value === Infinity ? 'Infinity' : value))
    const known = this.#texts.get(key)
    if (known !== undefined) return known
    const node = sequence(this.#quote, tableNode(spelledTable(textStates(rules), 'json', this.#usable)), this.#quote)
    if (this.#texts.size >= mostTexts) this.#texts.clear()
    this.#texts.set(key, node)
    return node
  }

  number(rules: NumberRules): GrammarNode {
    return tableNode(numberTable(rules, this.#usable))
  }
}

function spaceStates(): TableState[] {
  const states: TableState[] = [
    {
      accepts: true,
      edges: new Map([
        [0x20, 1],
        [0x0a, 2],
      ]),
    },
    { accepts: true, edges: new Map() },
  ]
  for (let spaces = 0; spaces <= deepest; spaces++) {
    states.push({ accepts: true, edges: spaces < deepest ? new Map([[0x20, spaces + 3]]) : new Map() })
  }
  return states
}

/** One character of a string: as it is, by its short escape, or by a number that is no half of a surrogate pair (RFC 8259, section 7). */
function characterTable(usable: Uint8Array): ByteTable {
  const plain: CharacterState[] = [
    {
      accepts: false,
      edges: [
        {
          ranges: [
            { min: 0x20, max: 0x21 },
            { min: 0x23, max: 0x5b },
            { min: 0x5d, max: 0x10ffff },
          ],
          to: 1,
        },
        { ranges: [{ min: 0x5c, max: 0x5c }], to: 2 },
      ],
    },
    { accepts: true, edges: [] },
    {
      accepts: false,
      edges: [
        { ranges: ranges('"\\/bfnrt'), to: 1 },
        { ranges: ranges('u'), to: 3 },
      ],
    },
    {
      accepts: false,
      edges: [
        { ranges: ranges('0123456789abcefABCEF'), to: 5 },
        { ranges: ranges('dD'), to: 4 },
      ],
    },
    { accepts: false, edges: [{ ranges: ranges('01234567'), to: 6 }] },
    { accepts: false, edges: [{ ranges: ranges('0123456789abcdefABCDEF'), to: 6 }] },
    { accepts: false, edges: [{ ranges: ranges('0123456789abcdefABCDEF'), to: 7 }] },
    { accepts: false, edges: [{ ranges: ranges('0123456789abcdefABCDEF'), to: 1 }] },
  ]
  return spelledTable(plain, 'plain', usable)
}

/** A number of at most 15 digits, with at most 12 after the point and an exponent of at most two where it need not be whole. */
function digitTable(usable: Uint8Array, isReal: boolean): ByteTable {
  const states: CharacterState[] = []
  const add = (accepts: boolean, edges: Readonly<Record<string, number>>): void => {
    states.push({ accepts, edges: Object.entries(edges).map(([characters, to]) => ({ ranges: ranges(characters), to })) })
  }
  const digits = '0123456789'
  // States: 0 sign, 1 first digit, 2 zero, 3–17 whole digits, 18 point, 19–30 fraction, 31 e, 32 sign of it, 33 and 34 its digits.
  const after = isReal ? { '.': 18, eE: 31 } : {}
  add(false, { '-': 1, 0: 2, 123456789: 3 })
  add(false, { 0: 2, 123456789: 3 })
  add(true, after)
  for (let count = 1; count <= 15; count++) add(true, { ...(count < 15 && { [digits]: count + 3 }), ...after })
  add(false, { [digits]: 19 })
  for (let count = 1; count <= 12; count++) add(true, { ...(count < 12 && { [digits]: count + 19 }), eE: 31 })
  add(false, { '+-': 32, [digits]: 33 })
  add(false, { [digits]: 33 })
  add(true, { [digits]: 34 })
  add(true, {})
  return spelledTable(states, 'plain', usable)
}

function ranges(characters: string): { min: number; max: number }[] {
  return Array.from(characters, (character) => {
    const code = character.codePointAt(0) ?? 0
    return { min: code, max: code }
  })
}
