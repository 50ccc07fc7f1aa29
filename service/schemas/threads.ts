import { z } from '@hono/zod-openapi'
import type { DocumentSummary } from '../../memory/index.ts'
import { idSchema, type Parameters } from './common.ts'

export interface Thread {
  readonly id: string
  readonly turns: number
  /** When its last turn was said, milliseconds since 1970. */
  readonly lastAt?: number | undefined
}

export const threadSchema: z.ZodType<Thread> = z
  .object({ id: z.string(), turns: z.number().int(), lastAt: z.number().optional() })
  .openapi('Thread')

export function threadOf({ documentId, records, lastAt }: DocumentSummary): Thread {
  return { id: documentId, turns: records, lastAt }
}

export interface ThreadList {
  readonly items: Thread[]
  readonly nextCursor?: string | undefined
}

export const threadListSchema: z.ZodType<ThreadList> = z
  .object({ items: z.array(threadSchema), nextCursor: z.string().optional() })
  .openapi('ThreadList')

export const threadParams: Parameters<{ thread: string }> = z.object({
  thread: idSchema,
})

export const turnParams: Parameters<{ thread: string; turn: string }> = z.object({
  thread: idSchema,
  turn: z.string().regex(/^[\w.~:@+=/-]{1,256}$/),
})
