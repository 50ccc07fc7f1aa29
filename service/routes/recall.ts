import { createRoute } from '@hono/zod-openapi'
import type { Access } from '../http/access.ts'
import { bodyOf, jsonOf, ownerHeaders, problems } from '../schemas/common.ts'
import { foundListSchema, foundOf, recalledOf, recalledSchema, searchBody } from '../schemas/recall.ts'
import { threadParams } from '../schemas/threads.ts'
import { recallBody } from '../schemas/turns.ts'
import type { ServiceApp } from './route-table.ts'

export function addRecallRoutes(app: ServiceApp, access: Access): void {
  const recall = createRoute({
    method: 'post',
    path: '/v1/threads/{thread}/recall',
    summary: 'Say what of a thread comes back for a text within a budget of tokens, in which form and why',
    tags: ['recall'],
    middleware: access.thread('read'),
    request: { headers: ownerHeaders, params: threadParams, body: bodyOf(recallBody) },
    responses: { 200: jsonOf(recalledSchema, 'What comes back'), ...problems },
  })
  app.openapi(recall, async (c) => {
    const { text, budget } = c.req.valid('json')
    return c.json(recalledOf(await c.var.thread.recall(text, budget, c.req.raw.signal)), 200)
  })

  const search = createRoute({
    method: 'post',
    path: '/v1/search',
    summary: 'Search turns, passages and facts of a user by words and by meaning',
    tags: ['recall'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders, body: bodyOf(searchBody) },
    responses: { 200: jsonOf(foundListSchema, 'What was found, best first'), ...problems },
  })
  app.openapi(search, async (c) => {
    const { text, ...options } = c.req.valid('json')
    const hits = await c.var.user.search(text, { ...options, signal: c.req.raw.signal })
    return c.json({ items: hits.map(foundOf) }, 200)
  })
}
