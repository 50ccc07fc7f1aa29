import { createRoute } from '@hono/zod-openapi'
import type { Access } from '../http/access.ts'
import { notFound } from '../http/problem.ts'
import { bodyOf, decodeCursor, idempotentHeaders, jsonOf, ownerHeaders, pageOf, problems } from '../schemas/common.ts'
import { threadParams, turnParams } from '../schemas/threads.ts'
import { appendBody, givenTurns, turnListSchema, turnOf, turnQuery, turnSchema } from '../schemas/turns.ts'
import type { ServiceApp } from './route-table.ts'

export function addTurnRoutes(app: ServiceApp, access: Access): void {
  const append = createRoute({
    method: 'post',
    path: '/v1/threads/{thread}/turns',
    summary: 'Append turns, all or none; what is answered is on the disk, and what is derived of it follows',
    tags: ['turns'],
    middleware: access.thread('write'),
    request: { headers: idempotentHeaders, params: threadParams, body: bodyOf(appendBody) },
    responses: { 201: jsonOf(turnListSchema, 'The turns with their places'), ...problems },
  })
  app.openapi(append, async (c) => {
    const turns = givenTurns(c.req.valid('json'), c.req.valid('header')['idempotency-key'])
    const records = await c.var.thread.append(turns)
    return c.json({ items: records.map(turnOf) }, 201)
  })

  const list = createRoute({
    method: 'get',
    path: '/v1/threads/{thread}/turns',
    summary: 'List the turns of a thread',
    tags: ['turns'],
    middleware: access.thread('read'),
    request: { headers: ownerHeaders, params: threadParams, query: turnQuery },
    responses: { 200: jsonOf(turnListSchema, 'A page of turns'), ...problems },
  })
  app.openapi(list, async (c) => {
    const { limit, cursor, order } = c.req.valid('query')
    const place = decodeCursor(cursor, 'number')
    const newest = order === 'newest'
    const behind = place === undefined ? {} : newest ? { until: place } : { from: place + 1 }
    const records = await c.var.thread.list({ limit: limit + 1, newest, ...behind })
    const turns = records.map(turnOf)
    return c.json(
      pageOf(newest ? turns.reverse() : turns, limit, ({ index }) => index),
      200,
    )
  })

  const read = createRoute({
    method: 'get',
    path: '/v1/threads/{thread}/turns/{turn}',
    summary: 'Show a turn',
    tags: ['turns'],
    middleware: access.thread('read'),
    request: { headers: ownerHeaders, params: turnParams },
    responses: { 200: jsonOf(turnSchema, 'The turn'), ...problems },
  })
  app.openapi(read, async (c) => {
    const record = await c.var.thread.get(c.req.valid('param').turn)
    if (record === undefined) throw notFound('turn')
    return c.json(turnOf(record), 200)
  })
}
