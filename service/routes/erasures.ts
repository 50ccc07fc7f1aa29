import { createRoute } from '@hono/zod-openapi'
import type { Access } from '../http/access.ts'
import { badRequest } from '../http/problem.ts'
import { bodyOf, jsonOf, ownerHeaders, problems } from '../schemas/common.ts'
import { confirmBody, erasureWish, findingOf, previewSchema, receiptOf, receiptSchema } from '../schemas/erasures.ts'
import type { ServiceApp } from './route-table.ts'

/** Forgetting: shown first, then confirmed, then proved. */
export function addErasureRoutes(app: ServiceApp, access: Access): void {
  const preview = createRoute({
    method: 'post',
    path: '/v1/erasures/preview',
    summary: 'Show what would be erased, and erase nothing',
    tags: ['erasures'],
    middleware: access.user('erase'),
    request: { headers: ownerHeaders, body: bodyOf(erasureWish) },
    responses: { 200: jsonOf(previewSchema, 'What would go, with the token that confirms it'), ...problems },
  })
  app.openapi(preview, async (c) => {
    const { findings, token } = await c.var.user.erasure.preview(c.req.valid('json'))
    return c.json({ findings: findings.map(findingOf), token }, 200)
  })

  const confirm = createRoute({
    method: 'post',
    path: '/v1/erasures',
    summary: 'Erase what a preview showed, for good, and look for it afterwards',
    tags: ['erasures'],
    middleware: access.user('erase'),
    request: { headers: ownerHeaders, body: bodyOf(confirmBody) },
    responses: { 201: jsonOf(receiptSchema, 'The receipt'), ...problems },
  })
  app.openapi(confirm, async (c) => {
    const { token } = c.req.valid('json')
    const receipt = await c.var.user.erasure.confirm(token).catch((cause: unknown) => {
      throw cause instanceof TypeError ? badRequest('The token is not one that a preview of this user gave') : cause
    })
    return c.json(receiptOf(receipt), 201)
  })
}
