/** JSON Schemas of moderate size that look random and are the same each time. */
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

export type Json = Record<string, unknown>

/** A function that gives whole numbers from `low` to `high`. */
export function seededInts(seed: number): (low: number, high: number) => number {
  const generator = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1))
  return (low, high) => uniformInt(generator, low, high)
}

const names = ['name', 'age', 'tags', 'is_open', 'größe', 'a"b', 'x', 'note', 'date', 'items', 'no. 1', 'kind']
const patterns = ['^[A-Z]{2}-\\d+$', 'ab', '^(?:yes|no)\\b', '^\\w+$', '\\d{3}', '^[^a-z]*$', 'é|ü', '^$|x$']
const formats = ['date', 'date-time', 'uuid', 'ipv4', 'email', 'time']
const words = ['red', 'green', '', 'a "quoted" one', 'ünïcode 😀', 'line\nbreak', 'tab\t']

/** With ASCII only where the vocabulary has nothing else. */
export function randomSchema(seed: number, ascii = false): Json {
  const int = seededInts(seed)
  const pick = <T>(list: readonly T[]): T => list[int(0, list.length - 1)]!
  const plain = (list: readonly string[]): readonly string[] => (ascii ? list.filter((text) => /^[!-~]*$/.test(text)) : list)
  const maybe = (share: number): boolean => int(1, 100) <= share

  const string = (): Json => {
    if (maybe(20)) return { type: 'string', pattern: pick(plain(patterns)), ...(maybe(30) && { minLength: 4, maxLength: 12 }) }
    if (maybe(15)) return { type: 'string', format: pick(formats) }
    const minLength = int(0, 4)
    return { type: 'string', ...(maybe(50) && { minLength }), ...(maybe(50) && { maxLength: minLength + int(0, 8) }) }
  }
  const number = (): Json => {
    const type = pick(['integer', 'number'])
    const low = type === 'integer' ? int(-200, 200) : int(-2000, 2000) / 100
    const bounds = [
      {},
      { minimum: low },
      { maximum: low },
      { minimum: low, maximum: low + int(0, 50) },
      { exclusiveMinimum: low, exclusiveMaximum: low + int(2, 1500) },
    ]
    return { type, ...pick(bounds), ...(maybe(15) && type === 'integer' && { multipleOf: int(1, 2) }) }
  }
  const object = (depth: number): Json => {
    const chosen = [...new Set(Array.from({ length: int(0, 5) }, () => pick(plain(names))))]
    const required = chosen.filter(() => maybe(60))
    const others = pick([undefined, undefined, false, true, { type: 'integer' }])
    return {
      type: 'object',
      properties: Object.fromEntries(chosen.map((name) => [name, any(depth - 1)])),
      ...(required.length > 0 && { required }),
      ...(others !== undefined && { additionalProperties: others }),
      ...(maybe(15) && { maxProperties: required.length + int(0, 2) }),
      ...(maybe(10) && chosen.length > 1 && { minProperties: 1 }),
      ...(maybe(10) && { patternProperties: { '^z_': { type: 'boolean' } } }),
    }
  }
  const array = (depth: number): Json => {
    const minItems = int(0, 2)
    return {
      type: 'array',
      items: any(depth - 1),
      ...(maybe(40) && { minItems }),
      ...(maybe(40) && { maxItems: minItems + int(0, 3) }),
      ...(maybe(15) && { prefixItems: [any(0), any(0)] }),
    }
  }
  const joined = (depth: number): Json => {
    if (maybe(50)) return { anyOf: [any(depth - 1), any(depth - 1)] }
    if (maybe(30)) return { oneOf: [{ type: 'string', maxLength: 3 }, { type: 'integer' }] }
    if (maybe(50)) return { allOf: [{ type: 'integer', minimum: int(-9, 9) }, { maximum: int(10, 99) }] }
    const left = { type: 'object', properties: { a: any(0), b: { type: 'integer' } }, required: ['a'] }
    return { allOf: [left, { properties: { b: { minimum: 7 }, c: { type: 'null' } }, required: ['c'] }] }
  }
  const any = (depth: number): Json => {
    const kind = int(0, depth > 0 ? 9 : 5)
    if (kind <= 1) return string()
    if (kind === 2) return number()
    if (kind === 3) return pick([{ type: 'boolean' }, { type: 'null' }, { type: ['string', 'null'] }, { type: ['integer', 'boolean'] }])
    if (kind === 4) return { enum: [pick(plain(words)), pick(plain(words)), int(0, 9), null, { a: [1] }].slice(0, int(1, 5)) }
    if (kind === 5) return { const: pick([...plain(words), 12.5, true]) }
    if (kind <= 7) return object(depth)
    return kind === 8 ? array(depth) : joined(depth)
  }
  const root = maybe(80) ? object(3) : any(3)
  if (!maybe(12)) return root
  const tree = {
    type: 'object',
    properties: { value: any(0), next: { $ref: '#/$defs/tree' }, all: { type: 'array', items: { $ref: '#/$defs/tree' } } },
    required: ['value'],
  }
  return { type: 'object', properties: { tree: { $ref: '#/$defs/tree' }, root }, required: ['tree'], $defs: { tree } }
}
