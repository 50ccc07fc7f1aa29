/** The facts of one scope, and what a new one changes about them. Nothing is written here: what comes out are changes. */
import { createHash } from 'node:crypto'
import type { FoundFact } from '../agents/index.ts'
import {
  type Fact,
  factKey,
  factMetadata,
  factOf,
  FactIndex,
  FACTS_DOCUMENT,
  isSameStatement,
  type JsonValue,
  type MemoryRecord,
  type NewTurn,
  normaliseFactText,
} from '../memory/index.ts'

/** A fact as it was said in a turn. */
export interface SaidFact {
  readonly fact: FoundFact
  /** Id of the user's turn. */
  readonly turnId: string
  readonly threadId: string
  /** When it was said, milliseconds since 1970. */
  readonly saidAt: number
  /** Who found it, such as `rules`. */
  readonly by: string
  /** When the turn is forgotten: a fact outlives none of its turns but the last. */
  readonly expiresAt?: number | undefined
  readonly vector?: Float32Array
}

/** One thing that changes. */
export type FactChange =
  /** A new fact; where `supersededBy` is set, it was said earlier than what is known, and is history at once. */
  | { readonly type: 'add'; readonly record: NewTurn }
  /** What was known was said again. */
  | { readonly type: 'confirm'; readonly id: string; readonly text: string; readonly sources: readonly string[] }
  /** What was known is so no longer. */
  | { readonly type: 'supersede'; readonly id: string; readonly text: string; readonly validTo: number; readonly supersededBy: string }
  /** Nothing changes, as the user has set another value (`pinned`), or what is denied is not known to be so (`other-value`). */
  | { readonly type: 'skip'; readonly text: string; readonly reason: 'pinned' | 'other-value' }

export class FactBook {
  readonly #facts: FactIndex

  /**
   * @param records the facts of the scope, past ones too
   * @param threshold cosine similarity from which two say the same; see `isSameFact`
   */
  constructor(records: readonly MemoryRecord[], threshold?: number) {
    this.#facts = new FactIndex(threshold)
    for (const record of records) this.hold(record)
  }

  get(id: string): MemoryRecord | undefined {
    return this.#facts.get(id)
  }

  /** Takes in a record as the store has it. */
  hold(record: MemoryRecord): void {
    this.#facts.set(record)
  }

  /** What a fact changes, in the order in which it must be written. Taking it once more changes nothing. */
  take(said: SaidFact): FactChange[] {
    const { fact, turnId, saidAt } = said
    const record = recordOf(said)
    const rivals = this.#facts.about(fact)
    if (this.get(record.id) || rivals.some((known) => known.sources?.includes(turnId) && isStated(known, fact))) return []
    const inForce = rivals.filter((known) => isInForce(known, saidAt))
    const same = this.#facts.findSame(record, (known) => isInForce(known, saidAt))
    if (same) return same.sources?.includes(turnId) || isSet(same) ? [] : [this.#confirm(same, said)]
    const { text } = record
    if (inForce.some(({ pinned }) => pinned)) return [{ type: 'skip', text, reason: 'pinned' }]
    if (fact.negated && inForce.length > 0 && !inForce.some((known) => isDenied(known, fact)))
      return [{ type: 'skip', text, reason: 'other-value' }]
    return this.#replace(record, inForce, saidAt)
  }

  #confirm(known: MemoryRecord, { turnId, fact, expiresAt }: SaidFact): FactChange {
    const sources = [...(known.sources ?? []), turnId]
    const { expiresAt: until, ...rest } = known
    const later = until !== undefined && expiresAt !== undefined ? { expiresAt: Math.max(until, expiresAt) } : {}
    this.hold({ ...rest, ...later, sources, metadata: withSpan(known.metadata, turnId, fact) })
    return { type: 'confirm', id: known.id, text: known.text, sources }
  }

  /** What was said last counts, whenever it began to be true. */
  #replace(record: MemoryRecord, rivals: readonly MemoryRecord[], saidAt: number): FactChange[] {
    const newer = rivals.find(({ createdAt = 0 }) => createdAt > saidAt)
    const { validFrom = saidAt } = record
    const added = newer ? { ...record, validTo: Math.max(validFrom, newer.validFrom ?? saidAt), supersededBy: newer.id } : record
    const ended = newer ? [] : rivals.map((known) => this.#end(known, added.id, validFrom, saidAt))
    this.hold(added)
    return [...ended, { type: 'add', record: withoutPlace(added) }]
  }

  /** It ended when the new began, or, where the new is older than that, when it was taken back. */
  #end(known: MemoryRecord, supersededBy: string, validFrom: number, saidAt: number): FactChange {
    const { validFrom: began = saidAt } = known
    const validTo = Math.min(validFrom > began ? validFrom : Math.max(saidAt, began), known.validTo ?? Infinity)
    this.hold({ ...known, validTo, supersededBy })
    return { type: 'supersede', id: known.id, text: known.text, validTo, supersededBy }
  }
}

/** The record without what the store gives it. */
export function withoutPlace({
  scope: _scope,
  documentId: _documentId,
  index: _index,
  start: _start,
  end: _end,
  ...fields
}: MemoryRecord): NewTurn {
  return fields
}

/** Plans end by themselves; a fact that is to begin later is in force already as far as others may contradict it. */
function isInForce({ kind, supersededBy, validTo = Infinity }: MemoryRecord, at: number): boolean {
  return kind === 'fact' && supersededBy === undefined && validTo > at
}

/** What the user set rests on no turn, and must not begin to: it would go with the turn. */
function isSet({ pinned = false, sources = [] }: MemoryRecord): boolean {
  return pinned && sources.length === 0
}

function isStated(known: MemoryRecord, fact: Fact): boolean {
  const held = factOf(known)
  return held !== undefined && isSameStatement(held, fact)
}

/** Whether a denial is of what is known: of its value, or of its topic as a whole ("no car" ends "a blue Volvo"). */
function isDenied(known: MemoryRecord, { value, topic }: Fact): boolean {
  const held = factOf(known)
  if (held === undefined) return false
  if (held.negated || (topic !== undefined && normaliseFactText(value) === normaliseFactText(topic))) return true
  const [one, other] = [normaliseFactText(held.value), normaliseFactText(value)]
  return ` ${one} `.includes(` ${other} `) || ` ${other} `.includes(` ${one} `)
}

/** The id follows from what was said and where, so that writing it again is harmless. */
function recordOf({ fact, turnId, threadId, saidAt, by, vector, expiresAt }: SaidFact): MemoryRecord {
  const id = `fact-${createHash('sha256')
    .update(JSON.stringify([turnId, factKey(fact), normaliseFactText(fact.value), fact.negated ?? false]))
    .digest('hex')
    .slice(0, 32)}`
  return {
    id,
    scope: '',
    documentId: FACTS_DOCUMENT,
    start: 0,
    end: fact.text.length,
    index: 0,
    text: fact.text,
    kind: 'fact',
    createdAt: saidAt,
    validFrom: fact.validFrom ?? saidAt,
    ...(fact.validTo !== undefined && { validTo: fact.validTo }),
    ...(expiresAt !== undefined && { expiresAt }),
    sources: [turnId],
    metadata: withSpan({ ...factMetadata(fact), threadId, by }, turnId, fact),
    ...(vector && { vector }),
  }
}

/** Where the turn says it, and not its words: a fact may outlive one of its turns, whose words must not live on in it. */
function withSpan(metadata: MemoryRecord['metadata'], turnId: string, { span }: FoundFact): Record<string, JsonValue> {
  const { spans } = metadata ?? {}
  const known = typeof spans === 'object' && spans !== null && !Array.isArray(spans) ? (spans as Readonly<Record<string, JsonValue>>) : {}
  return { ...metadata, ...(span && { spans: { ...known, [turnId]: [span.start, span.end] } }) }
}
