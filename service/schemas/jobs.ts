import { z } from '@hono/zod-openapi'
import type { Job } from '../../workflows/index.ts'
import { placeOfKey } from '../core/resource-ids.ts'
import type { PageQuery, Parameters } from './common.ts'

/** Something that is derived behind a write. */
export interface DerivingJob {
  /** What it derives: `derive-thread` or `embed-document`. */
  readonly name: string
  readonly thread?: string | undefined
  readonly document?: string | undefined
  readonly state: 'waiting' | 'running' | 'done' | 'failed'
  /** Attempts that failed. */
  readonly attempts: number
  /** Name of the last failure. */
  readonly error?: string | undefined
  readonly createdAt: number
  readonly updatedAt: number
}

const stateSchema = z.enum(['waiting', 'running', 'done', 'failed'])

const jobSchema: z.ZodType<DerivingJob> = z
  .object({
    name: z.string(),
    thread: z.string().optional(),
    document: z.string().optional(),
    state: stateSchema,
    attempts: z.number().int(),
    error: z.string().optional(),
    createdAt: z.number(),
    updatedAt: z.number(),
  })
  .openapi('Job')

export function jobOf({ key, name, state, attempts, error, createdAt, updatedAt }: Job): DerivingJob {
  return { name, ...placeOfKey(key), state, attempts, error, createdAt, updatedAt }
}

export interface JobList {
  readonly items: DerivingJob[]
  readonly nextCursor?: string | undefined
}

export const jobListSchema: z.ZodType<JobList> = z
  .object({ items: z.array(jobSchema), nextCursor: z.string().optional() })
  .openapi('JobList')

export interface JobQuery extends PageQuery {
  readonly state: DerivingJob['state'] | undefined
}

export const jobQuery: Parameters<JobQuery> = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1_000).optional(),
  state: stateSchema.optional(),
})
