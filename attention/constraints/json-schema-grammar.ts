/** JSON Schema as grammar: what is written by it is valid by it. */
import { formats } from './formats.ts'
import { choice, type GrammarNode, literal, never, type Reference, sequence } from './grammar.ts'
import type { JsonGrammar } from './json-grammar.ts'
import {
  checkKeywords,
  countOf,
  isObject,
  isSchema,
  namedSchemasOf,
  numberOf,
  type Schema,
  type SchemaObject,
  schemaRefusal,
  schemasOf,
  type TypeName,
  typesOf,
  withoutAnnotations,
} from './json-schema.ts'
import { mergeSchemas } from './merge-schemas.ts'
import { arrayGrammar, objectGrammar } from './object-grammar.ts'
import { compilePattern } from './regex-program.ts'
import { listedValues, patternsOf } from './value-filter.ts'

const mostSchemas = 5000
const longestCounted = 256

/**
 * The grammar of the JSON texts that are valid by `schema` (draft 2020-12). It is narrower where nothing is lost by it: properties come in
 * the schema's order; others are written only where the schema asks for them or names none; numbers have at most 15 digits; space is bounded.
 * `oneOf` is read as `anyOf`.
 *
 * @throws TypeError for keywords that cannot be enforced, by name
 */
export function jsonSchemaGrammar(schema: Schema, json: JsonGrammar): GrammarNode {
  return new SchemaCompiler(schema, json).compile(schema, '#')
}

class SchemaCompiler {
  readonly #root: Schema
  readonly #json: JsonGrammar
  /** Rules by the text of their schema; one that is being made is called by what it holds. */
  readonly #rules: Map<string, Reference> = new Map()

  constructor(root: Schema, json: JsonGrammar) {
    this.#root = root
    this.#json = json
  }

  compile(schema: Schema, path: string): GrammarNode {
    if (schema === false) return never
    const key = JSON.stringify(schema)
    const known = this.#rules.get(key)
    if (known !== undefined) return known
    if (this.#rules.size >= mostSchemas) throw schemaRefusal(`it holds more than ${mostSchemas} schemas when written out`, path)
    const rule: Reference = { kind: 'reference', target: never }
    this.#rules.set(key, rule)
    rule.target = this.#anything(schema === true ? {} : schema, path)
    return rule
  }

  #anything(schema: SchemaObject, path: string): GrammarNode {
    checkKeywords(schema, path)
    const own = withoutAnnotations(schema)
    const { $ref: reference, allOf, ...rest } = own
    if (reference !== undefined) return this.#call(reference, { ...rest, ...(allOf !== undefined && { allOf }) }, path)
    if (allOf !== undefined) {
      const parts = schemasOf(own, 'allOf', path)
      return this.compile(
        parts.reduce((merged, part) => mergeSchemas(merged, this.#resolved(part, path), path), rest as Schema),
        path,
      )
    }
    for (const key of ['anyOf', 'oneOf'] as const) {
      if (own[key] === undefined) continue
      const { [key]: _, ...others } = own
      const branches = schemasOf(own, key, path)
      if (Object.keys(others).length === 0)
        return choice(...branches.map((branch, index) => this.compile(branch, `${path}/${key}/${index}`)))
      return choice(...branches.map((branch, index) => this.compile({ allOf: [others, branch] }, `${path}/${key}/${index}`)))
    }
    if ('enum' in own || 'const' in own) return choice(...listedValues(own, path).map((value) => literal(JSON.stringify(value))))
    return choice(...typesOf(own, path).map((type) => this.#ofType(type, own, path)))
  }

  #call(reference: unknown, rest: SchemaObject, path: string): GrammarNode {
    const target = this.#find(reference, path)
    return this.compile(Object.keys(rest).length === 0 ? target : { allOf: [target, rest] }, path)
  }

  /** A part of `allOf` without a reference at its top, so that it can be joined with others. */
  #resolved(schema: Schema, path: string): Schema {
    let found = schema
    for (let calls = 0; isObject(found) && found['$ref'] !== undefined; calls++) {
      if (calls > 100) throw schemaRefusal('a reference leads to itself', path)
      const { $ref: reference, ...rest } = found
      const target = this.#find(reference, path)
      if (isObject(target)) checkKeywords(target, path)
      found = Object.keys(withoutAnnotations(rest)).length === 0 ? target : { allOf: [target, rest] }
    }
    if (isObject(found)) checkKeywords(found, path)
    return found
  }

  #find(reference: unknown, path: string): Schema {
    if (typeof reference !== 'string' || !/^#(?:\/|$)/.test(reference)) {
      throw schemaRefusal(`a reference leads out of it (${String(reference)})`, `${path}/$ref`)
    }
    let found: unknown = this.#root
    for (const part of decodeURIComponent(reference).split('/').slice(1)) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~')
      found = typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? Reflect.get(found, name) : undefined
    }
    if (!isSchema(found)) throw schemaRefusal(`a reference leads nowhere (${reference})`, `${path}/$ref`)
    return found
  }

  #ofType(type: TypeName, schema: SchemaObject, path: string): GrammarNode {
    switch (type) {
      case 'null':
        return literal('null')
      case 'boolean':
        return choice(literal('true'), literal('false'))
      case 'string':
        return this.#string(schema, path)
      case 'integer':
      case 'number':
        return this.#number(type === 'integer', schema, path)
      case 'array':
        return this.#array(schema, path)
      case 'object':
        return this.#object(schema, path)
    }
  }

  #string(schema: SchemaObject, path: string): GrammarNode {
    const min = countOf(schema, 'minLength', path, 0)
    const max = countOf(schema, 'maxLength', path, Infinity)
    const patterns = patternsOf(schema).map((source) => compilePattern(source))
    const { format } = schema
    if (format !== undefined) {
      const known = typeof format === 'string' && Object.hasOwn(formats, format) ? formats[format] : undefined
      if (known === undefined) throw schemaRefusal(`its format ${JSON.stringify(format)} cannot be enforced`, `${path}/format`)
      patterns.push(compilePattern(known))
    }
    if (patterns.length === 0) return this.#json.string(min, max)
    if (min > longestCounted) throw schemaRefusal(`its pattern and a length above ${longestCounted} cannot be enforced together`, path)
    return this.#json.text({ patterns, minLength: min, maxLength: max })
  }

  #number(integer: boolean, schema: SchemaObject, path: string): GrammarNode {
    const rules: Record<string, number> = {}
    for (const key of ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']) {
      const value = numberOf(schema, key, path)
      if (value !== undefined) rules[key] = value
    }
    const { multipleOf } = rules
    if (multipleOf !== undefined && !(Number.isInteger(multipleOf) && multipleOf > 0)) {
      throw schemaRefusal('its keyword multipleOf is no whole number from 1 and cannot be enforced', `${path}/multipleOf`)
    }
    if (Object.keys(rules).length === 0) return integer ? this.#json.anyInteger : this.#json.anyNumber
    return this.#json.number({ integer, ...rules })
  }

  #array(schema: SchemaObject, path: string): GrammarNode {
    const { items, additionalItems } = schema
    const first = Array.isArray(items) ? schemasOf(schema, 'items', path) : schemasOf(schema, 'prefixItems', path)
    const rest = (Array.isArray(items) ? additionalItems : items) ?? true
    if (!isSchema(rest)) throw schemaRefusal('its keyword items is no schema', `${path}/items`)
    const min = countOf(schema, 'minItems', path, 0)
    const max = countOf(schema, 'maxItems', path, Infinity)
    if (schema['uniqueItems'] === true && max > 1) throw schemaRefusal('its keyword uniqueItems cannot be enforced', `${path}/uniqueItems`)
    return arrayGrammar(this.#json, {
      first: first.map((one, index) => this.compile(one, `${path}/prefixItems/${index}`)),
      rest: rest === false ? undefined : this.compile(rest, `${path}/items`),
      min,
      max,
    })
  }

  #object(schema: SchemaObject, path: string): GrammarNode {
    const named = namedSchemasOf(schema, 'properties', path)
    const { required = [], additionalProperties: rest, unevaluatedProperties: unevaluated } = schema
    if (!Array.isArray(required) || !required.every((name) => typeof name === 'string')) {
      throw schemaRefusal('its keyword required is no list of names', `${path}/required`)
    }
    if (rest !== undefined && !isSchema(rest))
      throw schemaRefusal('its keyword additionalProperties is no schema', `${path}/additionalProperties`)
    if (unevaluated !== undefined && unevaluated !== true) {
      throw schemaRefusal('its keyword unevaluatedProperties cannot be enforced', `${path}/unevaluatedProperties`)
    }
    const needed = new Set<string>(required)
    const patterns = Object.entries(namedSchemasOf(schema, 'patternProperties', path))
    const names = [...new Set([...Object.keys(named), ...needed])]
    const properties = names.map((name) => {
      const matching = patterns.filter(([pattern]) => new RegExp(pattern, 'u').test(name)).map(([, one]) => one)
      const own = Object.hasOwn(named, name) ? named[name] : undefined
      const parts = own === undefined ? (matching.length > 0 ? matching : [rest ?? true]) : [own, ...matching]
      const value = parts.length === 1 && parts[0] !== undefined ? parts[0] : { allOf: parts }
      return { name, value: this.compile(value, `${path}/properties/${name}`), required: needed.has(name) }
    })
    return objectGrammar(this.#json, {
      properties,
      others: this.#others(schema, names, patterns, path),
      min: countOf(schema, 'minProperties', path, 0),
      max: countOf(schema, 'maxProperties', path, Infinity),
    })
  }

  /** Pairs whose keys the schema does not name. A key may come twice: the last one counts. */
  #others(
    schema: SchemaObject,
    names: readonly string[],
    patterns: readonly (readonly [string, Schema])[],
    path: string,
  ): GrammarNode | undefined {
    const { additionalProperties, minProperties, required } = schema
    const sure = Array.isArray(required) ? required.length : 0
    const rest = additionalProperties ?? (names.length === 0 && patterns.length === 0)
    const programs = patterns.map(([source]) => compilePattern(source))
    const pair = (wanted: number | undefined, value: Schema): GrammarNode => {
      const pattern = wanted === undefined ? undefined : programs[wanted]
      const forbidden = programs.filter((_, index) => index !== wanted)
      const key = this.#json.text({ ...(pattern && { patterns: [pattern] }), forbidden, except: names })
      return sequence(key, this.#json.colon, this.compile(value, `${path}/additionalProperties`))
    }
    const pairs = patterns.flatMap(([, value], index) => (value === false ? [] : [pair(index, value)]))
    if (isSchema(rest) && rest !== false) pairs.push(pair(undefined, rest))
    if (pairs.length === 0) return undefined
    if (typeof minProperties === 'number' && minProperties - sure > 1) {
      throw schemaRefusal('its keyword minProperties cannot be enforced where keys are not named', `${path}/minProperties`)
    }
    return choice(...pairs)
  }
}
