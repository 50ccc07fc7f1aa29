/** One thing remembered, and what a store knows of it besides. */

/** A value that survives JSON as it is. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** A passage of a document, a turn of a conversation, or a statement that was drawn from turns. */
export type RecordKind = 'passage' | 'turn' | 'fact'

export type TurnRole = 'system' | 'user' | 'assistant' | 'tool'

/**
 * One thing remembered. `text` is what was said or written and never changes; `summary`, `vector` and the numbers are derived from it and can be
 * made again.
 */
export interface MemoryRecord {
  /** Unique within its scope. */
  readonly id: string
  /** Who or what it belongs to: scopes never see each other. */
  readonly scope: string
  /** The document of a passage; the conversation (thread) of a turn. Facts drawn from turns lie in one of their own (`FACTS_DOCUMENT`). */
  readonly documentId: string
  /** Span in the document, UTF-16 code units; 0 to the length of the text for turns and facts. */
  readonly start: number
  readonly end: number
  /** Place in the document's or the conversation's order, from 0: neighbours differ by one. */
  readonly index: number
  readonly text: string
  /** Words for the full-text index besides the text, such as a title or the name of who speaks. */
  readonly context?: string
  /** Unit vector of the store's embedder; absent when only words are indexed, or not yet. */
  readonly vector?: Float32Array
  /** `passage` by default. */
  readonly kind?: RecordKind
  /** Who said it. */
  readonly role?: TurnRole
  /** When it was said or written, milliseconds since 1970. */
  readonly createdAt?: number
  /** Tokens of `text`, and of `summary`, as the reading model counts them. */
  readonly tokens?: number
  readonly summary?: string
  readonly summaryTokens?: number
  /** From 0 to 1; what forgetting by capacity spares longest. */
  readonly importance?: number
  /** Never forgotten by age or capacity. */
  readonly pinned?: boolean
  /** From then on it is not found and may be deleted; milliseconds since 1970. */
  readonly expiresAt?: number
  /** Of a fact: when what it says began and ceased to be true; milliseconds since 1970. */
  readonly validFrom?: number
  readonly validTo?: number
  /** Id of the fact that took its place. */
  readonly supersededBy?: string
  /** Ids of the records it was drawn from: when all of them go, it goes too. */
  readonly sources?: readonly string[]
  /** What the caller keeps with it; searches can ask for equal values of its fields. */
  readonly metadata?: Readonly<Record<string, JsonValue>>
}

/** What may change of a record: all that is derived. `null` takes a field away. */
export type RecordChange = {
  readonly [
    Field in
      | 'summary'
      | 'summaryTokens'
      | 'tokens'
      | 'vector'
      | 'importance'
      | 'pinned'
      | 'expiresAt'
      | 'validTo'
      | 'supersededBy'
      | 'metadata'
  ]?: MemoryRecord[Field] | null
}

/** How a record was used. */
export interface RecordUse {
  /** How often it was recalled. */
  readonly accesses: number
  /** When it was recalled last, milliseconds since 1970; undefined when never. */
  readonly accessedAt: number | undefined
}
