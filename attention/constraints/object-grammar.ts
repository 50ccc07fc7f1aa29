/** Objects and arrays as grammar. */
import { choice, empty, type GrammarNode, literal, never, repeat, sequence } from './grammar.ts'
import type { JsonGrammar } from './json-grammar.ts'

export interface Property {
  readonly name: string
  readonly value: GrammarNode
  readonly required: boolean
}

export interface ObjectParts {
  /** In the order in which they are written. */
  readonly properties: readonly Property[]
  /** What else may be in it: `key : value` pairs. Undefined: nothing. */
  readonly others: GrammarNode | undefined
  readonly min: number
  readonly max: number
}

export interface ArrayParts {
  readonly first: readonly GrammarNode[]
  /** What follows `first`; undefined: nothing. */
  readonly rest: GrammarNode | undefined
  readonly min: number
  readonly max: number
}

/** Optional properties are written or left out, in the given order. */
export function objectGrammar(json: JsonGrammar, { properties, others, min, max }: ObjectParts): GrammarNode {
  const known = new Map<string, GrammarNode>()
  const counts = min > 0 || max < Infinity
  const pair = ({ name, value }: Property): GrammarNode => sequence(literal(JSON.stringify(name)), json.colon, value)

  /** What follows when `index` properties were decided and `count` of them written. */
  function after(index: number, count: number): GrammarNode {
    const key = `${index} ${counts ? count : Math.min(count, 1)}`
    const seen = known.get(key)
    if (seen !== undefined) return seen
    const node = index < properties.length ? decide(properties[index]!, index, count) : remaining(count)
    known.set(key, node)
    return node
  }

  function decide(property: Property, index: number, count: number): GrammarNode {
    const skipped = property.required ? never : after(index + 1, count)
    if (count >= max) return skipped
    const lead = count > 0 ? json.comma : empty
    const written = sequence(lead, pair(property), after(index + 1, count + 1))
    return property.required ? written : choice(written, skipped)
  }

  function remaining(count: number): GrammarNode {
    if (count > max || (others === undefined && count < min)) return never
    if (others === undefined) return empty
    return list(json, others, count === 0, Math.max(0, min - count), max - count)
  }

  return sequence(literal('{'), json.space, after(0, 0), json.space, literal('}'))
}

export function arrayGrammar(json: JsonGrammar, { first, rest, min, max }: ArrayParts): GrammarNode {
  const last = rest === undefined ? Math.min(max, first.length) : max
  if (min > last) return never
  let node: GrammarNode =
    rest === undefined ? empty : list(json, rest, first.length === 0, Math.max(0, min - first.length), Math.max(0, last - first.length))
  for (let index = Math.min(first.length, last) - 1; index >= 0; index--) {
    const written = sequence(index > 0 ? json.comma : empty, first[index] ?? never, index + 1 < last ? node : empty)
    node = index < min ? written : choice(written, empty)
  }
  return sequence(literal('['), json.space, node, json.space, literal(']'))
}

/** From `min` to `max` items with commas between them, and before the first one unless it `begins`. */
function list(json: JsonGrammar, item: GrammarNode, begins: boolean, min: number, max: number): GrammarNode {
  if (max < min) return never
  const next = sequence(json.comma, item)
  if (!begins) return repeat(next, min, max)
  if (max === 0) return empty
  const some = sequence(item, repeat(next, Math.max(0, min - 1), max - 1))
  return min > 0 ? some : choice(some, empty)
}
