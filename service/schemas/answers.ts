import { z } from '@hono/zod-openapi'
import type { Answer, RunEvent } from '../../workflows/index.ts'
import { problemOf } from '../http/problem.ts'
import { type Recalled, recalledOf, recalledSchema } from './recall.ts'

/** A reply, and what it was made of. */
export interface Reply {
  readonly runId: string
  readonly status: 'answered' | 'not-found' | 'partial' | 'stopped'
  readonly text: string
  /** Why it stopped, where it did. */
  readonly reason?: string | undefined
  readonly usage: {
    readonly calls: number
    readonly inputTokens: number
    readonly outputTokens: number
    readonly usd?: number | undefined
    readonly milliseconds: number
  }
  readonly recalled?: Recalled | undefined
}

export const replySchema: z.ZodType<Reply> = z
  .object({
    runId: z.string(),
    status: z.enum(['answered', 'not-found', 'partial', 'stopped']),
    text: z.string(),
    reason: z.string().optional(),
    usage: z.object({
      calls: z.number(),
      inputTokens: z.number(),
      outputTokens: z.number(),
      usd: z.number().optional(),
      milliseconds: z.number(),
    }),
    recalled: recalledSchema.optional(),
  })
  .openapi('Reply')

export function replyOf({ runId, status, text, reason, usage }: Answer, recalled?: Recalled): Reply {
  const { calls, inputTokens, outputTokens, usd, milliseconds } = usage
  return { runId, status, text, reason, usage: { calls, inputTokens, outputTokens, usd, milliseconds }, recalled }
}

/** What of an event of a run goes over the wire: no records with their vectors, and of errors what a problem tells. */
export function wireEvent(event: RunEvent): object {
  if (event.type === 'memory.selected') {
    const { type, controller, budget } = event
    return { type, controller, budget, ...recalledOf(event) }
  }
  if (event.type === 'run.finished') return { type: event.type, answer: replyOf(event.answer) }
  if ('error' in event) return { ...event, error: wireError(event.error) }
  return event
}

function wireError(error: unknown): object {
  const { type, title, status, detail } = problemOf(error)
  return { type: `urn:scriptorium:problem:${type}`, title, status, ...(detail !== undefined && { detail }) }
}
