/** JSON Schemas (draft 2020-12) as plain data: what is read of them, and which keywords can be enforced while an output is written. */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }
export type SchemaObject = Readonly<Record<string, unknown>>
export type Schema = SchemaObject | boolean

/** Keywords that say nothing about what is valid. */
const annotations = new Set(
  '$schema $comment $defs definitions title description default examples example deprecated readOnly writeOnly contentEncoding contentMediaType discriminator'.split(
    ' ',
  ),
)

/** Keywords that are enforced, by the type that they say something about. */
const typeKeywords = {
  object: 'properties required additionalProperties patternProperties minProperties maxProperties'.split(' '),
  array: 'items prefixItems additionalItems minItems maxItems uniqueItems'.split(' '),
  string: 'minLength maxLength pattern format'.split(' '),
  number: 'minimum maximum exclusiveMinimum exclusiveMaximum multipleOf'.split(' '),
} as const

const generalKeywords = new Set(['type', 'enum', 'const', 'anyOf', 'oneOf', 'allOf', '$ref', 'nullable', 'unevaluatedProperties'])
const enforced = new Set([...generalKeywords, ...Object.values(typeKeywords).flat()])

export const typeNames = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const
export type TypeName = (typeof typeNames)[number]

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'boolean' || isObject(value)
}

export function schemaRefusal(why: string, path: string): TypeError {
  return new TypeError(`Cannot constrain to the JSON Schema as ${why}: ${path}`)
}

/** @throws TypeError for a keyword that cannot be enforced, or is unknown; names beginning with `x-` are nobody's keywords */
export function checkKeywords(schema: SchemaObject, path: string): void {
  for (const [name, value] of Object.entries(schema)) {
    if (value === undefined || enforced.has(name) || annotations.has(name) || name.startsWith('x-')) continue
    if (name === '$id' && path === '#') continue
    throw schemaRefusal(`its keyword ${name} cannot be enforced`, `${path}/${name}`)
  }
}

/** Without what says nothing about validity. */
export function withoutAnnotations(schema: SchemaObject): SchemaObject {
  return Object.fromEntries(
    Object.entries(schema).filter(
      ([name, value]) => value !== undefined && name !== '$id' && !annotations.has(name) && !name.startsWith('x-'),
    ),
  )
}

/**
 * The types that a schema allows. Where it names none but has keywords of some types, only values of these are written: they are valid, and
 * the keywords say that they are meant.
 */
export function typesOf(schema: SchemaObject, path: string): readonly TypeName[] {
  const { type, nullable } = schema
  if (type === undefined) {
    const implied = (['object', 'array', 'string', 'number'] as const).filter((name) => typeKeywords[name].some((key) => key in schema))
    return implied.length > 0 ? implied : ['object', 'array', 'string', 'number', 'boolean', 'null']
  }
  const listed: readonly unknown[] = Array.isArray(type) ? type : [type]
  const types = listed.map((name) => {
    const known = typeNames.find((candidate) => candidate === name)
    if (known === undefined) throw schemaRefusal(`it names a type that there is not (${String(name)})`, `${path}/type`)
    return known
  })
  const all = nullable === true ? [...types, 'null' as const] : types
  return [...new Set(all)].filter((name) => name !== 'integer' || !all.includes('number'))
}

/** A keyword that has to be a number. */
export function numberOf(schema: SchemaObject, key: string, path: string): number | undefined {
  const value = schema[key]
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value)) throw schemaRefusal(`its keyword ${key} is no number`, `${path}/${key}`)
  return value
}

/** A keyword that has to be a whole number from 0. */
export function countOf(schema: SchemaObject, key: string, path: string, otherwise: number): number {
  const value = numberOf(schema, key, path) ?? otherwise
  if (value !== Infinity && (!Number.isInteger(value) || value < 0)) throw schemaRefusal(`its keyword ${key} is no count`, `${path}/${key}`)
  return value
}

/** A keyword that has to be a list of schemas. */
export function schemasOf(schema: SchemaObject, key: string, path: string): readonly Schema[] {
  const value = schema[key]
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every(isSchema)) throw schemaRefusal(`its keyword ${key} is no list of schemas`, `${path}/${key}`)
  return value
}

/** A keyword that has to be schemas by name. */
export function namedSchemasOf(schema: SchemaObject, key: string, path: string): Readonly<Record<string, Schema>> {
  const value = schema[key]
  if (value === undefined) return {}
  if (!isObject(value) || !Object.values(value).every(isSchema))
    throw schemaRefusal(`its keyword ${key} holds no schemas`, `${path}/${key}`)
  return value as Readonly<Record<string, Schema>>
}
