/** A fact as data, and how it lies in a record. */
import type { JsonValue, MemoryRecord } from './memory-record.ts'

/**
 * The document that the facts of a scope lie in, in order of arrival: facts are about a person and not about one conversation, and the
 * turns of a conversation keep an order of their own.
 */
export const FACTS_DOCUMENT = 'scriptorium:facts'

/**
 * One statement: of `subject`, `attribute` is `value`. For each subject, attribute and topic at most one value is true at a time; `topic`
 * parts what a subject can have several of, such as `opinion` of `coffee`.
 */
export interface Fact {
  /** `user`, or who or what of the user's it is about, such as `sister`. */
  readonly subject: string
  /** Such as `home`. */
  readonly attribute: string
  readonly topic?: string
  readonly value: string
  /** Whether it says that the value is not so, or no longer so. */
  readonly negated?: boolean
}

/** What facts with one key have in common: a new value takes the place of the old one. */
export function factKey({ subject, attribute, topic = '' }: Fact): string {
  return JSON.stringify([subject, attribute, topic].map(normaliseFactText))
}

/**
 * Text without case, marks, articles and pronouns of possession at its start, and other than single spaces: what two spellings of one value
 * share.
 */
export function normaliseFactText(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}@+#]+/gu, ' ')
    .trim()
    .replace(/^(?:(?:a|an|the|my|our|some|his|her|their) )+(?=\S)/, '')
}

/** Whether two facts say the same of the same. */
export function isSameStatement(one: Fact, other: Fact): boolean {
  return (
    factKey(one) === factKey(other) &&
    (one.negated ?? false) === (other.negated ?? false) &&
    normaliseFactText(one.value) === normaliseFactText(other.value)
  )
}

/** The fact in a record; undefined where the record is none, or holds only text. */
export function factOf({ kind, metadata }: MemoryRecord): Fact | undefined {
  if (kind !== 'fact') return undefined
  const { subject, attribute, topic, value, negated } = metadata ?? {}
  if (typeof subject !== 'string' || typeof attribute !== 'string' || typeof value !== 'string') return undefined
  return { subject, attribute, value, ...(typeof topic === 'string' && { topic }), ...(negated === true && { negated }) }
}

/** The fact as fields of a record's metadata. */
export function factMetadata({ subject, attribute, topic, value, negated }: Fact): Record<string, JsonValue> {
  return { subject, attribute, value, ...(topic !== undefined && { topic }), ...(negated === true && { negated }) }
}

/** Whether a fact is in force at a time: neither superseded nor outside its span. */
export function isCurrent({ validFrom, validTo, supersededBy, expiresAt }: MemoryRecord, now: number): boolean {
  if (supersededBy !== undefined) return false
  return (validFrom ?? now) <= now && (validTo ?? Infinity) > now && (expiresAt ?? Infinity) > now
}
