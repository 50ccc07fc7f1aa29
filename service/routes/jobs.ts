import { createRoute, z } from '@hono/zod-openapi'
import type { Access } from '../http/access.ts'
import { decodeCursor, encodeCursor, jsonOf, ownerHeaders, problems } from '../schemas/common.ts'
import { jobListSchema, jobOf, jobQuery } from '../schemas/jobs.ts'
import type { ServiceApp } from './route-table.ts'

const statisticsSchema = z
  .object({ threads: z.number(), turns: z.number(), documents: z.number(), passages: z.number(), facts: z.number() })
  .openapi('Statistics')

/** What goes on behind the writes, and how much there is. */
export function addJobRoutes(app: ServiceApp, access: Access): void {
  const list = createRoute({
    method: 'get',
    path: '/v1/jobs',
    summary: 'List what is derived behind the writes, one entry a thread or document, with how far it is',
    tags: ['jobs'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders, query: jobQuery },
    responses: { 200: jsonOf(jobListSchema, 'A page of jobs'), ...problems },
  })
  app.openapi(list, async (c) => {
    const { limit, cursor, state } = c.req.valid('query')
    const after = decodeCursor(cursor, 'string')
    const jobs = await c.var.user.jobs({ limit: limit + 1, ...(after !== undefined && { after }), ...(state && { states: [state] }) })
    const page = jobs.slice(0, limit)
    const last = page.at(-1)
    return c.json({ items: page.map(jobOf), ...(jobs.length > limit && last && { nextCursor: encodeCursor(last.key) }) }, 200)
  })

  const statistics = createRoute({
    method: 'get',
    path: '/v1/stats',
    summary: 'Count what is kept of a user',
    tags: ['jobs'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders },
    responses: { 200: jsonOf(statisticsSchema, 'Counts'), ...problems },
  })
  app.openapi(statistics, async (c) => c.json(await c.var.user.statistics(), 200))
}
