import { createRoute, z } from '@hono/zod-openapi'
import type { MemoryStore } from '../../memory/index.ts'
import type { JobQueue } from '../../workflows/index.ts'
import { jsonOf } from '../schemas/common.ts'
import type { ServiceApp } from './route-table.ts'

export interface HealthParts {
  readonly memory: MemoryStore
  readonly queue: JobQueue
  readonly admission: { readonly isDraining: boolean }
}

const healthSchema = z.object({ status: z.enum(['ok', 'stopping', 'failing']) }).openapi('Health')

/** Whether the process lives, and whether it can serve: asked without a key, and told nothing more. */
export function addHealthRoutes(app: ServiceApp, { memory, queue, admission }: HealthParts): void {
  const alive = createRoute({
    method: 'get',
    path: '/healthz',
    summary: 'Say that the process runs',
    tags: ['health'],
    security: [],
    responses: { 200: jsonOf(healthSchema, 'It runs') },
  })
  app.openapi(alive, (c) => c.json({ status: 'ok' as const }, 200))

  const ready = createRoute({
    method: 'get',
    path: '/readyz',
    summary: 'Say whether requests can be served',
    tags: ['health'],
    security: [],
    responses: { 200: jsonOf(healthSchema, 'They can'), 503: jsonOf(healthSchema, 'They cannot: it is stopping, or its store fails') },
  })
  app.openapi(ready, async (c) => {
    if (admission.isDraining) return c.json({ status: 'stopping' as const }, 503)
    const isReadable = await Promise.all([memory.scopes(1), queue.backlog()]).then(
      () => true,
      () => false,
    )
    return isReadable ? c.json({ status: 'ok' as const }, 200) : c.json({ status: 'failing' as const }, 503)
  })
}
