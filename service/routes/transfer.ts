import { createRoute, z } from '@hono/zod-openapi'
import type { Access } from '../http/access.ts'
import { linesOf } from '../http/lines-of.ts'
import { Problem } from '../http/problem.ts'
import { jsonOf, ownerHeaders, problems } from '../schemas/common.ts'
import type { ServiceApp } from './route-table.ts'

const LINES = 'application/x-ndjson'

const exportQuery = z.object({ vectors: z.enum(['true', 'false']).default('true') })
const importedSchema = z.object({ records: z.number().int() }).openapi('Imported')

/** Taking a memory along, as lines of JSON. */
export function addTransferRoutes(app: ServiceApp, access: Access): void {
  const exporting = createRoute({
    method: 'get',
    path: '/v1/export',
    summary: 'Give all that is kept of a user as lines of JSON',
    tags: ['transfer'],
    middleware: access.user('read'),
    request: { headers: ownerHeaders, query: exportQuery },
    responses: {
      200: { description: 'A first line that says the format, then a record a line', content: { [LINES]: { schema: z.string() } } },
      ...problems,
    },
  })
  app.openapi(exporting, (c) => {
    const lines = c.var.user.transfer.export({ withoutVectors: c.req.valid('query').vectors === 'false' })
    // The types of routes know responses of JSON and text only.
    return c.body(streamOf(lines), 200, { 'content-type': LINES, 'cache-control': 'no-store' }) as never
  })

  const importing = createRoute({
    method: 'post',
    path: '/v1/import',
    summary: 'Take in exported lines, which become the records of the user and replace those of the same id',
    tags: ['transfer'],
    middleware: access.user('write'),
    request: { headers: ownerHeaders, body: { required: true, content: { [LINES]: { schema: z.string() } } } },
    responses: { 200: jsonOf(importedSchema, 'How many records were taken in'), ...problems },
  })
  app.openapi(importing, async (c) => {
    if (c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() !== LINES)
      throw new Problem(415, 'unsupported-media-type', 'Unsupported media type', { detail: `Send lines of JSON as ${LINES}` })
    return c.json({ records: await c.var.user.transfer.import(linesOf(c.req.raw.body)) }, 200)
  })
}

/** Reads on only as fast as the lines are taken. */
function streamOf(lines: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const iterator = lines[Symbol.asyncIterator]()
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(`${value}\n`))
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}
