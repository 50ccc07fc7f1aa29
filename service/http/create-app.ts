/** The routes of the service with what stands before them. */
import { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { cors } from 'hono/cors'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import type { ServiceCore } from '../core/service-core.ts'
import { addAnswerRoutes } from '../routes/answers.ts'
import { addDocumentRoutes } from '../routes/documents.ts'
import { addErasureRoutes } from '../routes/erasures.ts'
import { addFactRoutes } from '../routes/facts.ts'
import { addHealthRoutes } from '../routes/health.ts'
import { addJobRoutes } from '../routes/jobs.ts'
import { addRecallRoutes } from '../routes/recall.ts'
import type { AddRoutes, ServiceApp, ServiceEnv } from '../routes/route-table.ts'
import { addTenantRoutes } from '../routes/tenant.ts'
import { addThreadRoutes } from '../routes/threads.ts'
import { addTransferRoutes } from '../routes/transfer.ts'
import { addTurnRoutes } from '../routes/turns.ts'
import { type Access, USER_HEADER } from './access.ts'
import type { Admission } from './admission.ts'
import { jsonDepth } from './json-depth.ts'
import { jsonEtag } from './json-etag.ts'
import { badRequest, notFound, Problem, problemOf, problemResponse } from './problem.ts'
import { requestLog } from './request-log.ts'

export interface AppOptions {
  readonly core: ServiceCore
  readonly access: Access
  readonly admission: Admission
  readonly corsOrigins: readonly string[]
  readonly bodyBytes: number
  readonly uploadBytes: number
  readonly jsonDepth: number
}

/** Each adds the routes of one resource: to add a resource is to add a file and a line here. */
const RESOURCES: readonly AddRoutes[] = [
  addThreadRoutes,
  addTurnRoutes,
  addRecallRoutes,
  addAnswerRoutes,
  addFactRoutes,
  addDocumentRoutes,
  addJobRoutes,
  addTransferRoutes,
  addErasureRoutes,
  addTenantRoutes,
]

/** Paths whose bodies are files. */
const UPLOADS = new Set(['/v1/documents', '/v1/import'])

export function createApp(options: AppOptions): ServiceApp {
  const { core, access, admission } = options
  const app = new OpenAPIHono<ServiceEnv>({
    defaultHook(result) {
      if (result.success) return
      const errors = result.error.issues.map(({ path, message }) => ({ pointer: `/${path.map(escapePointer).join('/')}`, detail: message }))
      throw badRequest(`The ${PARTS[result.target] ?? result.target} of the request is not as it must be`, errors)
    },
  })
  app.onError((error, c) => {
    const problem = problemOf(error)
    if (problem.status >= 500) core.logger.error({ err: problem.cause ?? error, requestId: c.get('requestId') }, problem.title)
    return problemResponse(c, problem)
  })
  app.notFound((c) => problemResponse(c, notFound('path')))
  addGates(app, options)
  addHealthRoutes(app, { ...core, admission })
  for (const addRoutes of RESOURCES) addRoutes(app, access)
  addDescription(app)
  return app
}

const PARTS: Readonly<Record<string, string>> = { json: 'body', form: 'body', param: 'path', header: 'headers' }

/** RFC 6901. */
function escapePointer(part: PropertyKey): string {
  return String(part).replaceAll('~', '~0').replaceAll('/', '~1')
}

/** What every request passes, outermost first. */
function addGates(app: ServiceApp, { core, admission, corsOrigins, bodyBytes, uploadBytes, jsonDepth: depth }: AppOptions): void {
  app.use(requestId())
  app.use(requestLog(core.logger, core.now))
  app.use(secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] }, xFrameOptions: 'DENY' }))
  if (corsOrigins.length > 0)
    app.use(cors({ origin: [...corsOrigins], allowHeaders: ['authorization', 'content-type', 'idempotency-key', USER_HEADER] }))
  app.use('/v1/*', admission.middleware)
  app.use(compress({ encoding: 'gzip' }))
  app.use('/v1/*', jsonEtag())
  const tooLarge = (most: number) => () => {
    throw new Problem(413, 'too-large', 'Too large', { detail: `The body has more than ${most} bytes` })
  }
  const small = bodyLimit({ maxSize: bodyBytes, onError: tooLarge(bodyBytes) })
  const large = bodyLimit({ maxSize: uploadBytes, onError: tooLarge(uploadBytes) })
  app.use((c, next) => (UPLOADS.has(c.req.path) ? large : small)(c, next))
  app.use(jsonDepth(depth))
}

function addDescription(app: ServiceApp): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', { type: 'http', scheme: 'bearer' })
  const description = app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Scriptorium memory service', version: '1' },
    security: [{ key: [] }],
  })
  app.get('/openapi.json', (c) => c.json(description))
}
