import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Access } from '../http/access.ts'

/** What all routes know of a request; a memory is given to those that ask for access. */
export type ServiceEnv = { Variables: { readonly requestId: string } }

export type ServiceApp = OpenAPIHono<ServiceEnv>

/** Adds the routes of one resource. */
export type AddRoutes = (app: ServiceApp, access: Access) => void
