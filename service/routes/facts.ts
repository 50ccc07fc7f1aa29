import { createRoute } from '@hono/zod-openapi'
import type { Access } from '../http/access.ts'
import { notFound } from '../http/problem.ts'
import { bodyOf, decodeCursor, encodeCursor, jsonOf, ownerHeaders, problems } from '../schemas/common.ts'
import { factListSchema, factParams, factQuery, factSchema, knownFact, profileSchema, setFactBody } from '../schemas/facts.ts'
import type { ServiceApp } from './route-table.ts'

export function addFactRoutes(app: ServiceApp, access: Access): void {
  addReading(app, access)

  const set = createRoute({
    method: 'post',
    path: '/v1/facts',
    summary: 'Set a fact: it takes the place of what was known, and what is said later does not change it',
    tags: ['facts'],
    middleware: access.user('write'),
    request: { headers: ownerHeaders, body: bodyOf(setFactBody) },
    responses: { 201: jsonOf(factSchema, 'The fact'), ...problems },
  })
  app.openapi(set, async (c) => {
    const { subject, attribute, value, topic, text, replaces } = c.req.valid('json')
    const record = await c.var.user.facts.set({ subject, attribute, value, ...(topic !== undefined && { topic }) }, { text, replaces })
    const fact = knownFact(record)
    if (fact === undefined) throw notFound('fact')
    return c.json(fact, 201)
  })

  const remove = createRoute({
    method: 'delete',
    path: '/v1/facts/{fact}',
    summary: 'Take a fact away; the turns that say so stay',
    tags: ['facts'],
    middleware: access.user('write'),
    request: { headers: ownerHeaders, params: factParams },
    responses: { 204: { description: 'It is gone' }, ...problems },
  })
  app.openapi(remove, async (c) => {
    if (!(await c.var.user.facts.remove(c.req.valid('param').fact))) throw notFound('fact')
    return c.body(null, 204)
  })
}

function addReading(app: ServiceApp, access: Access): void {
  const list = createRoute({
    method: 'get',
    path: '/v1/facts',
    summary: 'List what is known of a user, in order of arrival, with the turns that say so',
    tags: ['facts'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders, query: factQuery },
    responses: { 200: jsonOf(factListSchema, 'A page of facts'), ...problems },
  })
  app.openapi(list, async (c) => {
    const { limit, cursor, past } = c.req.valid('query')
    const records = await c.var.user.facts.list({ limit: limit + 1, after: decodeCursor(cursor, 'number'), past: past === 'true' })
    const page = records.slice(0, limit)
    const last = page.at(-1)
    const items = page.flatMap((record) => knownFact(record) ?? [])
    return c.json({ items, ...(records.length > limit && last && { nextCursor: encodeCursor(last.index) }) }, 200)
  })

  const read = createRoute({
    method: 'get',
    path: '/v1/facts/{fact}',
    summary: 'Show a fact',
    tags: ['facts'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders, params: factParams },
    responses: { 200: jsonOf(factSchema, 'The fact'), ...problems },
  })
  app.openapi(read, async (c) => {
    const record = await c.var.user.facts.get(c.req.valid('param').fact)
    const fact = record && knownFact(record)
    if (fact === undefined) throw notFound('fact')
    return c.json(fact, 200)
  })

  const profile = createRoute({
    method: 'get',
    path: '/v1/profile',
    summary: 'Say what is known of a user as plain text',
    tags: ['facts'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders },
    responses: { 200: jsonOf(profileSchema, 'The profile, empty where nothing is known'), ...problems },
  })
  app.openapi(profile, async (c) => c.json({ text: await c.var.user.facts.profile() }, 200))
}
