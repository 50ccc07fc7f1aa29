import { createHash } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'

/** Gives JSON that was read a strong ETag of its bytes, and answers 304 where the caller has it. Streams pass as they are. */
export function jsonEtag(): MiddlewareHandler {
  return async (c, next) => {
    await next()
    const { res } = c
    if (c.req.method !== 'GET' || res.status !== 200 || res.headers.get('content-type') !== 'application/json') return
    const body = Buffer.from(await res.arrayBuffer())
    const tag = `"${createHash('sha256').update(body).digest('base64url')}"`
    const headers = new Headers(res.headers)
    headers.set('etag', tag)
    // Answers are of one key and one user.
    headers.set('cache-control', 'private, no-cache')
    headers.append('vary', 'authorization, scriptorium-user')
    const isKnown = matches(c.req.header('if-none-match'), tag)
    if (isKnown) headers.delete('content-type')
    c.res = undefined
    c.res = isKnown ? new Response(null, { status: 304, headers }) : new Response(body, { status: 200, headers })
  }
}

/** Compression makes a tag weak on its way out. */
function matches(header: string | undefined, tag: string): boolean {
  return header !== undefined && (header === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === tag))
}
