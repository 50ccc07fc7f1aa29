/** The fields that are extracted from a text: the properties of a JSON Schema object. */
import { createRequire } from 'node:module'
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js'

/** JSON Schema, 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A schema of a validation library that says its JSON Schema (standardschema.dev), as zod's do from version 4.2. */
export interface StandardSchema {
  readonly '~standard': {
    readonly vendor: string
    readonly jsonSchema: { input(options: { readonly target: 'draft-2020-12' }): Record<string, unknown> }
  }
}

const require = createRequire(import.meta.url)

export interface Field {
  readonly name: string
  /** Schema of one value: that of the items where the field is a list. */
  readonly schema: JsonSchema
  /** Whether the field holds a list of values. */
  readonly list: boolean
  /** The value as the schema has it, with numbers and booleans read from words; undefined where it does not fit. */
  accept(value: unknown): { readonly value: unknown } | undefined
}

export interface FieldSchema {
  readonly fields: readonly Field[]
  readonly json: JsonSchema
  /** What is wrong with a whole object; undefined when nothing is. */
  check(data: object): string | undefined
}

/**
 * @throws TypeError when the schema is not one of an object with properties, or not a JSON Schema
 */
export function fieldSchema(schema: JsonSchema | StandardSchema): FieldSchema {
  const json = jsonOf(schema)
  const properties = json['properties']
  if (json['type'] !== 'object' || !isObject(properties) || Object.keys(properties).length === 0) {
    throw new TypeError(`Cannot extract as the schema is not of an object with properties: ${JSON.stringify(json).slice(0, 200)}`)
  }
  // Loaded when first used: it takes longer to load than all of this folder.
  const { Ajv2020: Validator } = require('ajv/dist/2020.js') as { Ajv2020: typeof Ajv2020 }
  const ajv = new Validator({ strict: false, coerceTypes: true, allErrors: true, logger: false })
  const whole = compile(ajv, json)
  const fields = Object.entries(properties).map(([name, property]) => fieldOf(ajv, name, property as JsonSchema, json))
  return { fields, json, check: (data) => (whole(data) ? undefined : ajv.errorsText(whole.errors, { dataVar: 'data' })) }
}

function jsonOf(schema: JsonSchema | StandardSchema): JsonSchema {
  if (!isObject(schema)) throw new TypeError(`Cannot extract as the schema is not an object: ${String(schema)}`)
  const standard = (schema as Partial<StandardSchema>)['~standard']
  if (standard === undefined) return schema as JsonSchema
  // Some libraries carry the description of a schema on a function.
  if (typeof (standard as Partial<StandardSchema['~standard']>).jsonSchema?.input === 'function') {
    return standard.jsonSchema.input({ target: 'draft-2020-12' })
  }
  throw new TypeError(`Cannot extract as the schema of ${standard.vendor} does not say its JSON Schema. Give the JSON Schema itself`)
}

function fieldOf(ajv: Ajv2020, name: string, property: JsonSchema, { $defs }: JsonSchema): Field {
  const list = property['type'] === 'array'
  const schema = list ? ((property['items'] ?? {}) as JsonSchema) : property
  const fits = compile(ajv, $defs === undefined ? schema : { ...schema, $defs })
  return {
    name,
    schema,
    list,
    accept(value) {
      // The check may change what it is given, in place.
      const box = { value: structuredClone(value) }
      const wrapped = fits(box.value, { parentData: box, parentDataProperty: 'value', instancePath: '', rootData: box, dynamicAnchors: {} })
      return wrapped ? box : undefined
    },
  }
}

function compile(ajv: Ajv2020, schema: JsonSchema): ValidateFunction {
  try {
    return ajv.compile(schema)
  } catch (cause) {
    throw new TypeError(`Cannot extract as the schema is not valid: ${(cause as Error).message}`, { cause })
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && !Array.isArray(value)
}
