import { createRoute } from '@hono/zod-openapi'
import type { Access } from '../http/access.ts'
import { notFound } from '../http/problem.ts'
import { decodeCursor, jsonOf, ownerHeaders, pageOf, pageQuery, problems } from '../schemas/common.ts'
import { threadListSchema, threadOf, threadParams, threadSchema } from '../schemas/threads.ts'
import type { ServiceApp } from './route-table.ts'

/** Threads: each comes to be with its first turn, and goes by erasure. */
export function addThreadRoutes(app: ServiceApp, access: Access): void {
  const list = createRoute({
    method: 'get',
    path: '/v1/threads',
    summary: 'List threads in order of id',
    tags: ['threads'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders, query: pageQuery },
    responses: { 200: jsonOf(threadListSchema, 'A page of threads'), ...problems },
  })
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const found = await c.var.user.threads(limit + 1, decodeCursor(cursor, 'string'))
    return c.json(
      pageOf(found.map(threadOf), limit, ({ id }) => id),
      200,
    )
  })

  const read = createRoute({
    method: 'get',
    path: '/v1/threads/{thread}',
    summary: 'Show a thread',
    tags: ['threads'],
    middleware: access.thread('read'),
    request: { headers: ownerHeaders, params: threadParams },
    responses: { 200: jsonOf(threadSchema, 'The thread'), ...problems },
  })
  app.openapi(read, async (c) => {
    const [last] = await c.var.thread.list({ limit: 1, newest: true })
    if (last === undefined) throw notFound('thread')
    return c.json({ id: c.var.thread.threadId, turns: last.index + 1, lastAt: last.createdAt }, 200)
  })
}
