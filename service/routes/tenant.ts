import { createRoute, z } from '@hono/zod-openapi'
import type { Access } from '../http/access.ts'
import { decodeCursor, encodeCursor, jsonOf, pageOf, pageQuery, problems } from '../schemas/common.ts'
import type { ServiceApp } from './route-table.ts'

const userListSchema = z.object({ items: z.array(z.string()), nextCursor: z.string().optional() }).openapi('UserList')

const auditListSchema = z
  .object({
    items: z.array(
      z.object({
        at: z.number(),
        requestId: z.string(),
        keyId: z.string().optional(),
        user: z.string().optional(),
        action: z.string(),
        status: z.number().int(),
      }),
    ),
    nextCursor: z.string().optional(),
  })
  .openapi('AuditList')

/** For keys of a whole tenant with the right `admin`. */
export function addTenantRoutes(app: ServiceApp, access: Access): void {
  const users = createRoute({
    method: 'get',
    path: '/v1/users',
    summary: 'List the users of the tenant that have memories',
    tags: ['tenant'],
    middleware: access.tenant(),
    request: { query: pageQuery },
    responses: { 200: jsonOf(userListSchema, 'A page of names'), ...problems },
  })
  app.openapi(users, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const found = await c.var.tenant.users(limit + 1, decodeCursor(cursor, 'string'))
    return c.json(
      pageOf(found, limit, (user) => user),
      200,
    )
  })

  const audit = createRoute({
    method: 'get',
    path: '/v1/audit',
    summary: 'List what was done and refused in the tenant, newest first',
    tags: ['tenant'],
    middleware: access.tenant(),
    request: { query: pageQuery },
    responses: { 200: jsonOf(auditListSchema, 'A page of entries'), ...problems },
  })
  app.openapi(audit, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const before = decodeCursor(cursor, 'number')
    const entries = await c.var.tenant.audit({ limit: limit + 1, ...(before !== undefined && { before }) })
    const page = entries.slice(0, limit)
    const last = page.at(-1)
    const items = page.map(({ at, requestId, keyId, user, action, status }) => ({ at, requestId, keyId, user, action, status }))
    return c.json({ items, ...(entries.length > limit && last && { nextCursor: encodeCursor(last.number) }) }, 200)
  })
}
