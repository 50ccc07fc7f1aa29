import { z } from '@hono/zod-openapi'
import type { MemoryHit, MemoryRecord } from '../../memory/index.ts'
import type { Selection } from '../../workflows/index.ts'
import { placeOfRecord } from '../core/resource-ids.ts'
import { idSchema, textSchema, timeSchema } from './common.ts'
import { type Turn, turnOf, turnSchema } from './turns.ts'

/** One turn that was looked at. */
export interface RecalledItem {
  readonly form: 'raw' | 'summary' | 'dropped'
  /** Higher is nearer. */
  readonly score: number
  /** In words: why it came back, was shortened or left out. */
  readonly why: string
  /** Its text in this form; empty when it was dropped. */
  readonly text: string
  readonly tokens: number
  readonly turn: Turn
}

/** What comes back within a budget: kept items in order of time, dropped ones behind them. */
export interface Recalled {
  readonly items: RecalledItem[]
  readonly tokens: number
  /** Calls of a model that choosing took. */
  readonly calls: number
}

export const recalledSchema: z.ZodType<Recalled> = z
  .object({
    items: z.array(
      z.object({
        form: z.enum(['raw', 'summary', 'dropped']),
        score: z.number(),
        why: z.string(),
        text: z.string(),
        tokens: z.number().int(),
        turn: turnSchema,
      }),
    ),
    tokens: z.number().int(),
    calls: z.number().int(),
  })
  .openapi('Recalled')

export function recalledOf({ items, tokens, calls }: Selection): Recalled {
  const recalled = items.map(({ form, score, why, text, tokens: own, record }) => ({
    form,
    score,
    why,
    text,
    tokens: own,
    turn: turnOf(record),
  }))
  return { items: recalled, tokens, calls }
}

export interface SearchBody {
  readonly text: string
  readonly k: number
  readonly kinds?: readonly ('turn' | 'passage' | 'fact')[] | undefined
  readonly threads?: readonly string[] | undefined
  readonly documents?: readonly string[] | undefined
  readonly from?: number | undefined
  readonly until?: number | undefined
}

export const searchBody: z.ZodType<SearchBody> = z
  .strictObject({
    text: textSchema,
    k: z.number().int().min(1).max(100).default(10),
    kinds: z
      .array(z.enum(['turn', 'passage', 'fact']))
      .min(1)
      .max(3)
      .optional(),
    threads: z.array(idSchema).min(1).max(100).optional(),
    documents: z.array(idSchema).min(1).max(100).optional(),
    from: timeSchema.optional(),
    until: timeSchema.optional(),
  })
  .openapi('SearchQuery')

/** Where a record stands: in a thread, in a document, or among the facts. */
export interface RecordPlace {
  readonly type: 'turn' | 'passage' | 'fact'
  readonly thread?: string | undefined
  readonly turn?: string | undefined
  readonly document?: string | undefined
  readonly passage?: string | undefined
  readonly fact?: string | undefined
}

export const placeSchema: z.ZodType<RecordPlace> = z
  .object({
    type: z.enum(['turn', 'passage', 'fact']),
    thread: z.string().optional(),
    turn: z.string().optional(),
    document: z.string().optional(),
    passage: z.string().optional(),
    fact: z.string().optional(),
  })
  .openapi('Place')

export interface FoundRecord {
  readonly place: RecordPlace
  /** Where to look in the document, such as `p. 12`. */
  readonly where?: string | undefined
  readonly text: string
  /** From 0 to 1. */
  readonly score: number
  /** BM25; 0 when no word matched. */
  readonly words: number
  /** Cosine similarity; absent without vectors. */
  readonly similarity?: number | undefined
  readonly createdAt?: number | undefined
}

export interface FoundList {
  readonly items: FoundRecord[]
}

export const foundListSchema: z.ZodType<FoundList> = z
  .object({
    items: z.array(
      z.object({
        place: placeSchema,
        where: z.string().optional(),
        text: z.string(),
        score: z.number(),
        words: z.number(),
        similarity: z.number().optional(),
        createdAt: z.number().optional(),
      }),
    ),
  })
  .openapi('FoundList')

export function foundOf({ record, score, words, similarity }: MemoryHit): FoundRecord {
  const { id, text, createdAt } = record
  return { place: placeOfRecord(id), where: whereOf(record), text, score, words, similarity, createdAt }
}

function whereOf({ metadata = {} }: MemoryRecord): string | undefined {
  const { name, place, line } = metadata
  if (typeof name !== 'string') return undefined
  if (typeof place === 'string') return `${name} ${place}`
  return typeof line === 'number' ? `${name} line ${line}` : name
}
