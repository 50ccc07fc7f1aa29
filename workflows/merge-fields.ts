/** How the values that the chunks hold for a field become one: by rules, without a model, so that the result depends on the text alone. */
import type { Field, FieldSchema, FoundValue, Quote } from '../agents/index.ts'

/**
 * `first`, `last`: in the order of the text. `vote`: what most chunks say, of equals the first. `union`: all different values, in the order of the text.
 * `sum`: all values added, each quotation counted once.
 */
export type FieldRule = 'first' | 'last' | 'union' | 'vote' | 'sum'

/** A field with all values that were found for it. */
export interface MergedField {
  readonly value: unknown
  /** Every different value with its quotations, in the order of the text; also those that the rule passed over. */
  readonly evidence: readonly { readonly value: unknown; readonly quotes: readonly Quote[] }[]
}

export type FieldRules = Readonly<Record<string, FieldRule>>

/**
 * The rules of all fields: those given, else `union` for lists and `vote` for single values.
 *
 * @throws TypeError when a rule is of no field, or does not go with its field's type
 */
export function rulesOf({ fields }: FieldSchema, given: FieldRules): FieldRules {
  const names = new Set(fields.map(({ name }) => name))
  for (const name of Object.keys(given)) {
    if (!names.has(name)) throw new TypeError(`Cannot extract as there is a rule for a field that the schema does not have: ${name}`)
  }
  return Object.fromEntries(fields.map((field) => [field.name, checked(field, given[field.name] ?? (field.list ? 'union' : 'vote'))]))
}

function checked(field: Field, rule: FieldRule): FieldRule {
  const { name, list, schema } = field
  const fits = {
    first: true,
    last: true,
    union: list,
    vote: !list,
    sum: !list && (schema['type'] === 'number' || schema['type'] === 'integer'),
  }
  if (!Object.hasOwn(fits, rule)) throw new TypeError(`Cannot extract as there is no such rule: ${rule}`)
  if (fits[rule]) return rule
  const why = rule === 'sum' ? 'of a single number' : rule === 'union' ? 'a list' : 'a single value'
  throw new TypeError(`Cannot extract as the rule ${rule} is for fields that are ${why}: ${name}`)
}

/** Merges what was found, given in the order of the text. Fields without a value are left out. */
export function mergeFields({ fields }: FieldSchema, rules: FieldRules, found: readonly FoundValue[]): Record<string, MergedField> {
  const merged: Record<string, MergedField> = {}
  for (const field of fields) {
    const own = found.filter(({ field: name }) => name === field.name)
    const rule = rules[field.name]
    if (own.length > 0 && rule !== undefined) merged[field.name] = { value: valueBy(rule, field, own), evidence: evidenceOf(own) }
  }
  return merged
}

function valueBy(rule: FieldRule, { list }: Field, found: readonly FoundValue[]): unknown {
  const evidence = evidenceOf(found)
  if (rule === 'union') return evidence.map(({ value }) => value)
  if (rule === 'sum') return evidence.reduce((sum, { value, quotes }) => sum + Number(value) * quotes.length, 0)
  if (rule === 'vote') return evidence.reduce((best, one) => (one.quotes.length > best.quotes.length ? one : best)).value
  const end = rule === 'first' ? found[0] : found.at(-1)
  if (!list) return end?.value
  // A list is taken whole from the chunk where it stands first or last.
  const chunk = found.filter(({ quote }) => quote.documentId === end?.quote.documentId && quote.chunkIndex === end.quote.chunkIndex)
  return evidenceOf(chunk).map(({ value }) => value)
}

function evidenceOf(found: readonly FoundValue[]): { value: unknown; quotes: Quote[] }[] {
  const byValue = new Map<string, { value: unknown; quotes: Quote[] }>()
  for (const { value, quote } of found) {
    const key = JSON.stringify(normalised(value))
    const known = byValue.get(key)
    if (known === undefined) byValue.set(key, { value, quotes: [quote] })
    else if (!known.quotes.some((other) => isSame(other, quote))) known.quotes.push(quote)
  }
  return [...byValue.values()]
}

function isSame(a: Quote, b: Quote): boolean {
  return a.documentId === b.documentId && a.start === b.start && a.end === b.end
}

/** What two mentions of one value have in common: texts count without case and outer space, objects without the order of their keys. */
function normalised(value: unknown): unknown {
  if (typeof value === 'string') return value.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase()
  if (Array.isArray(value)) return value.map(normalised)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, part]) => [name, normalised(part)])
}
