import { z } from '@hono/zod-openapi'
import type { MemoryRecord, TurnRole } from '../../memory/index.ts'
import type { GivenTurn } from '../core/thread-memory.ts'
import { localId } from '../core/resource-ids.ts'
import { idSchema, metadataSchema, type PageQuery, type Parameters, textSchema, timeSchema } from './common.ts'

/** A turn as it is kept. */
export interface Turn {
  /** Unique within the thread. */
  readonly id: string
  /** Place in the thread, from 0. */
  readonly index: number
  readonly role: TurnRole
  readonly text: string
  /** Milliseconds since 1970. */
  readonly createdAt?: number | undefined
  readonly tokens?: number | undefined
  /** Derived behind the write, where the turn is long. */
  readonly summary?: string | undefined
  readonly metadata?: Record<string, unknown> | undefined
}

const roleSchema = z.enum(['system', 'user', 'assistant', 'tool'])

export const turnSchema: z.ZodType<Turn> = z
  .object({
    id: z.string(),
    index: z.number().int(),
    role: roleSchema,
    text: z.string(),
    createdAt: z.number().optional(),
    tokens: z.number().optional(),
    summary: z.string().optional(),
    metadata: z.record(z.string(), z.unknown()).optional(),
  })
  .openapi('Turn')

export function turnOf({ id, index, role = 'user', text, createdAt, tokens, summary, metadata }: MemoryRecord): Turn {
  return { id: localId(id), index, role, text, createdAt, tokens, summary, metadata: metadata && { ...metadata } }
}

/** A turn to append. */
export interface NewTurnBody {
  readonly id?: string | undefined
  readonly role: TurnRole
  readonly text: string
  readonly createdAt?: number | undefined
  readonly importance?: number | undefined
  readonly pinned?: boolean | undefined
  readonly expiresAt?: number | undefined
  readonly metadata?: Record<string, unknown> | undefined
}

/** Turns that are appended together, all or none. */
export interface AppendBody {
  readonly turns: readonly NewTurnBody[]
}

/** Turns in one request at most. */
const MOST_TURNS = 256

export const appendBody: z.ZodType<AppendBody> = z
  .object({
    turns: z
      .array(
        z.strictObject({
          id: idSchema.optional(),
          role: roleSchema,
          text: textSchema,
          createdAt: timeSchema.optional(),
          importance: z.number().min(0).max(1).optional(),
          pinned: z.boolean().optional(),
          expiresAt: timeSchema.optional(),
          metadata: metadataSchema.optional(),
        }),
      )
      .min(1)
      .max(MOST_TURNS),
  })
  .openapi('AppendTurns')

/**
 * Turns as the memory takes them. One without an id gets it from the idempotency key, so that the same request writes the same turns.
 */
export function givenTurns({ turns }: AppendBody, idempotencyKey: string | undefined): GivenTurn[] {
  return turns.map(({ id, ...turn }, at) => {
    const own = id ?? (idempotencyKey === undefined ? undefined : `${idempotencyKey}.${at}`)
    const given = Object.fromEntries(Object.entries(turn).filter(([, value]) => value !== undefined))
    return { ...given, ...(own !== undefined && { id: own }) } as unknown as GivenTurn
  })
}

export interface TurnList {
  readonly items: Turn[]
  readonly nextCursor?: string | undefined
}

export const turnListSchema: z.ZodType<TurnList> = z
  .object({ items: z.array(turnSchema), nextCursor: z.string().optional() })
  .openapi('TurnList')

export interface TurnQuery extends PageQuery {
  /** Newest first. */
  readonly order: 'oldest' | 'newest'
}

export const turnQuery: Parameters<TurnQuery> = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1_000).optional(),
  order: z.enum(['oldest', 'newest']).default('oldest'),
})

/** What is recalled for a text. */
export interface RecallBody {
  readonly text: string
  /** Most tokens of what comes back. */
  readonly budget: number
}

export const recallBody: z.ZodType<RecallBody> = z
  .strictObject({ text: textSchema, budget: z.number().int().min(0).max(1_000_000).default(2_000) })
  .openapi('RecallQuery')

export interface AnswerBody {
  readonly text: string
  /** Id of the message's turn: sent again, it gives the reply that is there. */
  readonly id?: string | undefined
  readonly limits?:
    | { tokens?: number | undefined; seconds?: number | undefined; calls?: number | undefined; usd?: number | undefined }
    | undefined
}

const limitSchema = z.number().min(0).max(1e9).optional()

export const answerBody: z.ZodType<AnswerBody> = z
  .strictObject({
    text: textSchema,
    id: idSchema.optional(),
    limits: z.strictObject({ tokens: limitSchema, seconds: limitSchema, calls: limitSchema, usd: limitSchema }).optional(),
  })
  .openapi('AnswerRequest')
