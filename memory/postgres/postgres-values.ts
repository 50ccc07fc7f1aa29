/** How values lie in PostgreSQL, whose texts hold neither NUL nor lone surrogates. */
import type { JsonValue } from '../memory-record.ts'

/** A control character for just this, DLE: what follows is to be taken otherwise. */
const escape = '\u0010'
const unstorable = new RegExp(`[\\0${escape}]|\\p{Surrogate}`, 'gu')
const escaped = new RegExp(`${escape}([0-9a-f]{4})`, 'g')

/** Text as it is, but for code units that cannot stand there: those become DLE and four hexadecimal digits, and so does DLE. */
export function encodeSqlText(text: string): string {
  return text.replace(unstorable, (unit) => `${escape}${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export function decodeSqlText(text: string): string {
  return text.replace(escaped, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

export function encodeSqlJson(value: JsonValue): string {
  return JSON.stringify(mapTexts(value, encodeSqlText))
}

export function decodeSqlJson(json: string): JsonValue {
  return mapTexts(JSON.parse(json) as JsonValue, decodeSqlText)
}

function mapTexts(value: JsonValue, change: (text: string) => string): JsonValue {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return value.map((item) => mapTexts(item, change))
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [change(name), mapTexts(item, change)]))
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
