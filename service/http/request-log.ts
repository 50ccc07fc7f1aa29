import type { MiddlewareHandler } from 'hono'
import type { Logger } from '../../log/index.ts'

/** A line a request: what was asked and how it ended; no headers, queries or bodies, which may hold keys and texts. */
export function requestLog(logger: Logger, now: () => number): MiddlewareHandler {
  return async (c, next) => {
    const started = now()
    await next()
    const { method, path } = c.req
    const fields = { requestId: c.get('requestId'), method, path, status: c.res.status, milliseconds: now() - started }
    logger.info(fields, 'request')
  }
}
