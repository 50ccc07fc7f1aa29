/** Two schemas that both hold, as one. */
import { isObject, isSchema, type Schema, schemaRefusal, type SchemaObject, withoutAnnotations } from './json-schema.ts'

const highest = (a: number, b: number): number => Math.max(a, b)
const lowest = (a: number, b: number): number => Math.min(a, b)

const tighter: Readonly<Record<string, (a: number, b: number) => number>> = {
  minimum: highest,
  exclusiveMinimum: highest,
  minLength: highest,
  minItems: highest,
  minProperties: highest,
  maximum: lowest,
  exclusiveMaximum: lowest,
  maxLength: lowest,
  maxItems: lowest,
  maxProperties: lowest,
}

/**
 * Keywords are joined where one can say both: bounds are tightened, properties and items joined, choices multiplied. What remains to be
 * joined below is left as `allOf`.
 *
 * @throws TypeError when a keyword cannot be joined
 */
export function mergeSchemas(left: Schema, right: Schema, path: string): Schema {
  if (left === false || right === false) return false
  if (left === true) return right
  if (right === true) return left
  const a = narrowed(withoutAnnotations(left), right, path)
  const b = narrowed(withoutAnnotations(right), left, path)
  const merged: Record<string, unknown> = { ...a }
  for (const [key, value] of Object.entries(b)) merged[key] = key in merged ? joined(key, merged[key], value, path) : value
  return merged
}

function joined(key: string, a: unknown, b: unknown, path: string): unknown {
  const tighten = tighter[key]
  if (tighten !== undefined && typeof a === 'number' && typeof b === 'number') return tighten(a, b)
  if (JSON.stringify(a) === JSON.stringify(b)) return a
  switch (key) {
    case 'type':
      return commonTypes(listOf(a), listOf(b))
    case 'enum':
      return listOf(a).filter((value) => listOf(b).some((other) => isEqual(value, other)))
    case 'required':
      return [...new Set([...listOf(a), ...listOf(b)])]
    case 'properties':
    case 'patternProperties':
      if (isObject(a) && isObject(b)) return joinedByName(a, b)
      break
    case 'items':
    case 'additionalProperties':
      if (isSchema(a) && isSchema(b)) return both(a, b)
      break
    case 'allOf':
      return [...listOf(a), ...listOf(b)]
    case 'anyOf':
    case 'oneOf':
      return listOf(a).flatMap((one) => listOf(b).map((other) => ({ allOf: [one, other] })))
    case 'pattern':
      return [...listOf(a), ...listOf(b)]
    case 'uniqueItems':
      return a === true || b === true
    case 'multipleOf':
      if (typeof a === 'number' && typeof b === 'number' && Number.isInteger(a) && Number.isInteger(b)) return (a * b) / divisor(a, b)
      break
  }
  throw schemaRefusal(`it says ${key} twice, and the two cannot be joined`, path)
}

/** `schema`, whose properties that the other does not name are also what the other says of all that it does not name. */
function narrowed(schema: SchemaObject, other: SchemaObject, path: string): SchemaObject {
  const { properties, patternProperties } = schema
  const { properties: named, additionalProperties: rest, patternProperties: patterns } = other
  if (!isSchema(rest) || rest === true) return schema
  if (patterns !== undefined || patternProperties !== undefined) {
    throw schemaRefusal('patternProperties and additionalProperties of several schemas cannot be joined', path)
  }
  if (!isObject(properties)) return schema
  const theirs = isObject(named) ? named : {}
  const entries = Object.entries(properties).map(
    ([name, one]) => [name, Object.hasOwn(theirs, name) ? one : both(one as Schema, rest)] as const,
  )
  return { ...schema, properties: Object.fromEntries(entries) }
}

function joinedByName(a: SchemaObject, b: SchemaObject): SchemaObject {
  const merged: Record<string, unknown> = { ...a }
  for (const [name, schema] of Object.entries(b)) merged[name] = name in a ? both(a[name] as Schema, schema as Schema) : schema
  return merged
}

function both(a: Schema, b: Schema): Schema {
  if (a === false || b === false) return false
  if (a === true) return b
  return b === true ? a : { allOf: [a, b] }
}

function commonTypes(a: readonly unknown[], b: readonly unknown[]): unknown[] {
  const isIn = (name: unknown, list: readonly unknown[]): boolean => list.includes(name) || (name === 'integer' && list.includes('number'))
  return [...new Set([...a.filter((name) => isIn(name, b)), ...b.filter((name) => isIn(name, a))])]
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b)
}
