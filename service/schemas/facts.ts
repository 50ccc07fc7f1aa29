import { z } from '@hono/zod-openapi'
import { factOf, type MemoryRecord } from '../../memory/index.ts'
import { placeOfRecord } from '../core/resource-ids.ts'
import type { PageQuery, Parameters } from './common.ts'
import { placeSchema, type RecordPlace } from './recall.ts'

/** What is known of the user, or was. */
export interface KnownFact {
  readonly id: string
  readonly text: string
  /** `user`, or who or what of the user's it is about. */
  readonly subject: string
  readonly attribute: string
  readonly topic?: string | undefined
  readonly value: string
  /** Says that the value is not so. */
  readonly negated?: boolean | undefined
  /** When it began and ceased to be so, and when it was recorded; milliseconds since 1970. */
  readonly validFrom?: number | undefined
  readonly validTo?: number | undefined
  readonly createdAt?: number | undefined
  /** Id of the fact that took its place. */
  readonly supersededBy?: string | undefined
  /** Set by the user: what is said later does not change it. */
  readonly pinned: boolean
  /** Turns that say so. */
  readonly sources: RecordPlace[]
}

export const factSchema: z.ZodType<KnownFact> = z
  .object({
    id: z.string(),
    text: z.string(),
    subject: z.string(),
    attribute: z.string(),
    topic: z.string().optional(),
    value: z.string(),
    negated: z.boolean().optional(),
    validFrom: z.number().optional(),
    validTo: z.number().optional(),
    createdAt: z.number().optional(),
    supersededBy: z.string().optional(),
    pinned: z.boolean(),
    sources: z.array(placeSchema),
  })
  .openapi('Fact')

/** Undefined for a record that is no fact. */
export function knownFact(record: MemoryRecord): KnownFact | undefined {
  const fact = factOf(record)
  if (fact === undefined) return undefined
  const { id, text, validFrom, validTo, createdAt, supersededBy, pinned = false, sources = [] } = record
  return { id, text, ...fact, validFrom, validTo, createdAt, supersededBy, pinned, sources: sources.map(placeOfRecord) }
}

export interface FactList {
  readonly items: KnownFact[]
  readonly nextCursor?: string | undefined
}

export const factListSchema: z.ZodType<FactList> = z
  .object({ items: z.array(factSchema), nextCursor: z.string().optional() })
  .openapi('FactList')

export interface FactQuery extends PageQuery {
  readonly past: 'true' | 'false'
}

export const factQuery: Parameters<FactQuery> = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1_000).optional(),
  past: z.enum(['true', 'false']).default('false').openapi({ description: 'Whether facts that are so no longer are listed too' }),
})

const FACT_ID = z.string().regex(/^[\w.:-]{1,128}$/)

export const factParams: Parameters<{ fact: string }> = z.object({ fact: FACT_ID })

export interface SetFactBody {
  readonly subject: string
  readonly attribute: string
  readonly topic?: string | undefined
  readonly value: string
  readonly text?: string | undefined
  readonly replaces?: string | undefined
}

const partSchema = z
  .string()
  .max(1_000)
  .refine((text) => text.trim() !== '', { error: 'must not be empty' })

export const setFactBody: z.ZodType<SetFactBody> = z
  .strictObject({
    subject: partSchema.default('user'),
    attribute: partSchema,
    topic: partSchema.optional(),
    value: partSchema,
    text: partSchema.optional(),
    replaces: FACT_ID.optional(),
  })
  .openapi('SetFact')

export interface Profile {
  readonly text: string
}

export const profileSchema: z.ZodType<Profile> = z.object({ text: z.string() }).openapi('Profile')
