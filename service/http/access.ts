/**
 * Who may reach what: the one place where a request is given a memory. A route has no other way to one, and the type of what it is given says
 * how far it reaches.
 */
import { createMiddleware } from 'hono/factory'
import type { Context, MiddlewareHandler } from 'hono'
import type { AuditLog } from '../audit-log.ts'
import type { Owner } from '../core/owner.ts'
import type { ServiceCore } from '../core/service-core.ts'
import { openTenant, type TenantMemory } from '../core/tenant-memory.ts'
import { openThread, type ThreadMemory } from '../core/thread-memory.ts'
import { openUser, type UserMemory } from '../core/user-memory.ts'
import type { KeyStore } from '../keys/key-store.ts'
import { verifyToken } from '../keys/manage-keys.ts'
import { type KeyGrant, type Right, RIGHTS } from '../keys/service-key.ts'
import { isLocalRequest } from './local-request.ts'
import { badRequest, forbidden, Problem, problemOf, tooBusy } from './problem.ts'
import type { RateLimit } from './rate-limit.ts'

/** Names the user whom a tenant's key speaks for. */
export const USER_HEADER = 'scriptorium-user'

/** Longest name of a user, in UTF-16 code units. */
export const MAX_USER = 256

interface Granted<Name extends string, Memory> {
  readonly Variables: { readonly [N in Name]: Memory } & { readonly requestId: string }
}

/** Middleware for routes, by how far they reach; in a route's handler, `c.var` has the memory. */
export interface Access {
  /** The thread of the path, as `c.var.thread`. */
  thread(right: Right): MiddlewareHandler<Granted<'thread', ThreadMemory>>
  /** All of a user's, as `c.var.user`; refused to keys of a thread. */
  user(right: Right): MiddlewareHandler<Granted<'user', UserMemory>>
  /** What is the tenant's, as `c.var.tenant`; refused to keys of a user. */
  tenant(): MiddlewareHandler<Granted<'tenant', TenantMemory>>
}

export interface AccessOptions {
  readonly core: ServiceCore
  readonly audit: AuditLog
  /** Keys that are accepted; none when undefined. */
  readonly keys: KeyStore | undefined
  /** Whether requests from this machine need no key while there is none. */
  readonly open: boolean
  readonly rate: RateLimit
}

interface Caller {
  readonly keyId: string | undefined
  readonly grant: KeyGrant
}

/** Whoever asks from this machine while there are no keys. */
const LOCAL: KeyGrant = { tenant: 'local', rights: RIGHTS }
const LOCAL_USER = 'default'

export function createAccess(options: AccessOptions): Access {
  const { core } = options
  return {
    thread: (right) =>
      guard(options, 'thread', right, (c, { grant }) => {
        const threadId = c.req.param('thread')
        if (threadId === undefined || (grant.thread !== undefined && grant.thread !== threadId)) throw outside()
        return openThread(core, ownerOf(c, grant), threadId)
      }),
    user: (right) =>
      guard(options, 'user', right, (c, { grant }) => {
        if (grant.thread !== undefined) throw outside()
        return openUser(core, ownerOf(c, grant))
      }),
    tenant: () =>
      guard(options, 'tenant', 'admin', (_c, { grant }) => {
        if (grant.user !== undefined) throw outside()
        return openTenant(core, options.audit, grant.tenant)
      }),
  }
}

/** Lets a request pass whose key has the right and reaches what it asks for; notes what was changed or refused. */
function guard<Name extends string, Memory>(
  options: AccessOptions,
  name: Name,
  right: Right,
  open: (c: Context, caller: Caller) => Memory,
): MiddlewareHandler<Granted<Name, Memory>> {
  return createMiddleware<Granted<Name, Memory>>(async (c, next) => {
    const caller = await authenticate(options, c)
    const wait = options.rate.take(caller.keyId ?? '')
    if (wait > 0) throw tooBusy('The key asks more often than it may', wait)
    try {
      if (!caller.grant.rights.includes(right)) throw forbidden(`The key has not the right to ${right}`)
      const memory: unknown = open(c, caller)
      ;(c as Context).set(name, memory)
    } catch (error) {
      await note(options, c, caller, problemOf(error).status)
      throw error
    }
    await next()
    if (isAudited(c, name, right)) await note(options, c, caller, c.res.status)
  })
}

async function authenticate({ keys, open, core }: AccessOptions, c: Context): Promise<Caller> {
  const [, token] = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '') ?? []
  if (token !== undefined && keys !== undefined) {
    const key = await verifyToken(keys, token, core.now())
    if (key !== undefined) return { keyId: key.id, grant: key }
  }
  // An OpenAI client always sends some key.
  const isOpen = open && (keys === undefined || (await keys.isEmpty()))
  if (isOpen && isLocalRequest(c.req.raw)) return { keyId: undefined, grant: LOCAL }
  throw new Problem(401, 'unauthorised', 'A valid key is needed', { detail: 'Send it as: Authorization: Bearer KEY' })
}

/** A key of a user speaks for nobody else; another says for whom, always. */
function ownerOf(c: Context, grant: KeyGrant): Owner {
  const named = c.req.header(USER_HEADER)
  const { tenant, user = grant === LOCAL ? (named ?? LOCAL_USER) : named } = grant
  if (user === undefined) throw badRequest(`The key is a tenant's: name the user in the header ${USER_HEADER}`)
  if (named !== undefined && named !== user) throw outside()
  if (user === '' || user.length > MAX_USER) throw badRequest(`The user in the header ${USER_HEADER} must have 1 to ${MAX_USER} characters`)
  return { tenant, user }
}

function outside(): Problem {
  return forbidden('What was asked for is outside of the scope of the key')
}

/** Turns are their own record, and reading a thread changes nothing. */
function isAudited(c: Context, name: string, right: Right): boolean {
  return right === 'admin' || right === 'erase' || (name === 'user' && (right === 'write' || c.req.path === '/v1/export'))
}

async function note({ audit, core }: AccessOptions, c: Context, { keyId, grant }: Caller, status: number): Promise<void> {
  const { tenant, user = c.req.header(USER_HEADER) } = grant
  await audit.write({
    at: core.now(),
    requestId: c.get('requestId'),
    keyId,
    tenant,
    user,
    action: `${c.req.method} ${c.req.path}`.slice(0, 512),
    status,
  })
}
