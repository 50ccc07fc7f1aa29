/** How a record lies in its row, and comes out of it. */
import type { MemoryRecord, RecordKind, TurnRole } from '../memory-record.ts'
import type { RankedTraits } from '../candidate.ts'
import type { RecordTraits } from '../record-filter.ts'
import { decodeText, encodeText } from './sqlite-values.ts'
import { decodeVector } from '../vector-bytes.ts'

type StoredText = string | Buffer

/** What filters look at, as its columns. */
export interface TraitsRow {
  readonly key: number
  readonly document: StoredText
  /** Number of the change that gave it its vector. */
  readonly vector: number | null
  readonly kind: RecordKind | null
  readonly role: TurnRole | null
  readonly created_at: number | null
  readonly pinned: number | null
  readonly expires_at: number | null
  readonly valid_from: number | null
  readonly valid_to: number | null
  readonly superseded_by: StoredText | null
  readonly metadata: string | null
}

/** A record as the table holds it, with its vector where one was asked for. */
export interface RecordRow extends TraitsRow {
  readonly scope: number
  readonly id: StoredText
  readonly place: number
  readonly span_start: number
  readonly span_end: number
  readonly importance: number | null
  readonly tokens: number | null
  readonly summary_tokens: number | null
  readonly sources: string | null
  readonly context: StoredText | null
  readonly summary: StoredText | null
  readonly text: StoredText
  readonly bytes: Buffer | null
}

/** What ranking looks at, as its columns. */
export interface CandidateRow {
  readonly key: number
  readonly id: StoredText
  readonly document: StoredText
  readonly place: number
  readonly created_at: number | null
  readonly importance: number | null
  /** Number of the change that gave it its vector. */
  readonly vector: number | null
}

export const candidateColumns = 'records.key, records.id, document, place, created_at, importance, records.vector'

export const traitsColumns =
  'key, document, vector, kind, role, created_at, pinned, expires_at, valid_from, valid_to, superseded_by, metadata'

/** Columns that hold the record's fields, in the order of `toColumns`. */
export const valueColumns: readonly string[] = [
  'document',
  'place',
  'span_start',
  'span_end',
  'kind',
  'role',
  'created_at',
  'pinned',
  'expires_at',
  'valid_from',
  'valid_to',
  'superseded_by',
  'importance',
  'tokens',
  'summary_tokens',
  'sources',
  'metadata',
  'context',
  'summary',
  'text',
]

export function toColumns(record: MemoryRecord): unknown[] {
  const { sources, metadata, pinned } = record
  return [
    encodeText(record.documentId),
    record.index,
    record.start,
    record.end,
    record.kind ?? null,
    record.role ?? null,
    record.createdAt ?? null,
    pinned === undefined ? null : Number(pinned),
    record.expiresAt ?? null,
    record.validFrom ?? null,
    record.validTo ?? null,
    encodeOptional(record.supersededBy),
    record.importance ?? null,
    record.tokens ?? null,
    record.summaryTokens ?? null,
    sources ? JSON.stringify(sources) : null,
    metadata ? JSON.stringify(metadata) : null,
    encodeOptional(record.context),
    encodeOptional(record.summary),
    encodeText(record.text),
  ]
}

export function toRecord(row: RecordRow, scope: string): MemoryRecord {
  return {
    id: decodeText(row.id),
    scope,
    start: row.span_start,
    end: row.span_end,
    index: row.place,
    text: decodeText(row.text),
    ...toTraits(row),
    ...(row.importance === null ? {} : { importance: row.importance }),
    ...(row.tokens === null ? {} : { tokens: row.tokens }),
    ...(row.summary_tokens === null ? {} : { summaryTokens: row.summary_tokens }),
    ...(row.sources === null ? {} : { sources: JSON.parse(row.sources) as string[] }),
    ...(row.context === null ? {} : { context: decodeText(row.context) }),
    ...(row.summary === null ? {} : { summary: decodeText(row.summary) }),
    ...(row.bytes === null ? {} : { vector: decodeVector(row.bytes) }),
  }
}

export function toRankedTraits(row: CandidateRow): RankedTraits {
  return {
    id: decodeText(row.id),
    documentId: decodeText(row.document),
    index: row.place,
    ...(row.created_at === null ? {} : { createdAt: row.created_at }),
    ...(row.importance === null ? {} : { importance: row.importance }),
  }
}

export function toTraits(row: TraitsRow): RecordTraits {
  return {
    documentId: decodeText(row.document),
    ...(row.kind === null ? {} : { kind: row.kind }),
    ...(row.role === null ? {} : { role: row.role }),
    ...(row.created_at === null ? {} : { createdAt: row.created_at }),
    ...(row.pinned === null ? {} : { pinned: row.pinned === 1 }),
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
    ...(row.valid_from === null ? {} : { validFrom: row.valid_from }),
    ...(row.valid_to === null ? {} : { validTo: row.valid_to }),
    ...(row.superseded_by === null ? {} : { supersededBy: decodeText(row.superseded_by) }),
    ...(row.metadata === null ? {} : { metadata: JSON.parse(row.metadata) as NonNullable<MemoryRecord['metadata']> }),
  }
}

function encodeOptional(text: string | undefined): StoredText | null {
  return text === undefined ? null : encodeText(text)
}
