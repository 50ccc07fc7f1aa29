/** Which of the values that a schema lists its other keywords let through. */
import { isObject, schemaRefusal, type SchemaObject, type TypeName, typesOf } from './json-schema.ts'
import { formats } from './formats.ts'

/** Keywords that are checked here; others beside a list of values are refused. */
const checked = new Set(
  'type nullable enum const minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern format'.split(' '),
)

/** The values of `enum` and `const` that are valid under `schema`. */
export function listedValues(schema: SchemaObject, path: string): readonly unknown[] {
  for (const key of Object.keys(schema)) {
    if (!checked.has(key)) throw schemaRefusal(`its keyword ${key} stands beside a list of values`, `${path}/${key}`)
  }
  const listed = schema['enum'] ?? [schema['const']]
  if (!Array.isArray(listed)) throw schemaRefusal('its keyword enum is no list', `${path}/enum`)
  const values: readonly unknown[] = listed
  const wanted = 'const' in schema ? JSON.stringify(schema['const']) : undefined
  const types = schema['type'] === undefined ? undefined : typesOf(schema, path)
  return values.filter(
    (value) =>
      (wanted === undefined || JSON.stringify(value) === wanted) &&
      (types === undefined || types.some((type) => isOfType(value, type))) &&
      keepsBounds(value, schema) &&
      keepsText(value, schema),
  )
}

function isOfType(value: unknown, type: TypeName): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

function keepsBounds(value: unknown, schema: SchemaObject): boolean {
  if (typeof value !== 'number') return true
  const holds = (key: string, test: (bound: number) => boolean): boolean => {
    const bound = schema[key]
    return typeof bound !== 'number' || test(bound)
  }
  return (
    holds('minimum', (bound) => value >= bound) &&
    holds('maximum', (bound) => value <= bound) &&
    holds('exclusiveMinimum', (bound) => value > bound) &&
    holds('exclusiveMaximum', (bound) => value < bound) &&
    holds('multipleOf', (bound) => Number.isInteger(value / bound))
  )
}

function keepsText(value: unknown, schema: SchemaObject): boolean {
  if (typeof value !== 'string') return true
  const { minLength, maxLength, format } = schema
  const length = Array.from(value).length
  if ((typeof minLength === 'number' && length < minLength) || (typeof maxLength === 'number' && length > maxLength)) return false
  return patternsOf(schema).every((pattern) => new RegExp(pattern, 'u').test(value)) && (format === undefined || isOfFormat(value, format))
}

function isOfFormat(value: string, format: unknown): boolean {
  return typeof format === 'string' && Object.hasOwn(formats, format) && new RegExp(formats[format] ?? '', 'u').test(value)
}

/** The patterns of a schema: one, or several where schemas were joined. */
export function patternsOf({ pattern }: SchemaObject): readonly string[] {
  const listed: readonly unknown[] = Array.isArray(pattern) ? pattern : pattern === undefined ? [] : [pattern]
  return listed.map(String)
}
