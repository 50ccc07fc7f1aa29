/** A service in memory for tests, with keys and a scripted model. */
import { createMemoryStore, type MemoryStore } from '../../memory/index.ts'
import {
  createService,
  issueKey,
  type KeyGrant,
  openServiceFile,
  type Service,
  type ServiceFile,
  type ServiceOptions,
  sqliteJobQueue,
} from '../../service/index.ts'
import { scriptedEmbedder, scriptedModel } from '../../testing/index.ts'
import type { JobQueue } from '../../workflows/index.ts'

export interface ServiceFixture extends AsyncDisposable {
  readonly service: Service
  readonly memory: MemoryStore
  readonly queue: JobQueue
  readonly file: ServiceFile
  /** Tokens of keys. */
  key(grant?: Partial<KeyGrant> & { readonly expiresAt?: number }): Promise<string>
  /** Sends a request with the key; a body that is an object goes as JSON. */
  ask(method: string, path: string, options?: AskOptions): Promise<Answered>
}

export interface AskOptions {
  readonly key?: string | undefined
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON, where it is. */
  readonly json: Body
}

/** What tests look at of bodies. */
export interface Body {
  readonly [field: string]: unknown
  readonly items: readonly { readonly [field: string]: unknown }[]
  readonly type: string
  readonly nextCursor?: string
}

export async function serviceFixture(options: Partial<ServiceOptions> = {}): Promise<ServiceFixture> {
  const embedder = scriptedEmbedder()
  const memory = options.memory ?? createMemoryStore({ embedderId: embedder.id })
  const queue = options.queue ?? (await sqliteJobQueue(':memory:'))
  const file = await openServiceFile(':memory:')
  const model = scriptedModel({ fallback: 'The kiln is in the barn.' })
  const service = createService({ memory, queue, keys: file.keys, audit: file.audit, embedder, model, ...options })
  let made = 0
  return {
    service,
    memory,
    queue,
    file,
    async key({ expiresAt, ...grant } = {}) {
      const { tenant = 'acme', rights = ['read', 'write', 'erase', 'admin'], ...bound } = grant
      const name = `key ${++made}`
      const issued = await issueKey(
        file.keys,
        { name, tenant, rights, ...bound, ...(expiresAt !== undefined && { expiresAt }) },
        Date.now(),
      )
      return issued.token
    },
    ask: (method, path, asked) => ask(service, method, path, asked),
    async [Symbol.asyncDispose]() {
      await service.close()
      await file[Symbol.asyncDispose]()
      await memory.close()
    },
  }
}

async function ask(service: Service, method: string, path: string, { key, body, headers = {} }: AskOptions = {}): Promise<Answered> {
  const isPlain = typeof body === 'string' || body instanceof FormData || body === undefined
  const response = await service.fetch(
    new Request(`http://localhost${path}`, {
      method,
      headers: {
        ...(isPlain ? {} : { 'content-type': 'application/json' }),
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isPlain ? body : JSON.stringify(body) }),
    }),
  )
  const text = await response.text()
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '') && !/ndjson/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, text, json: (isJson ? JSON.parse(text) : {}) as Body }
}

/** A turn of a user. */
export function userTurn(text: string, id?: string): { readonly role: 'user'; readonly text: string; readonly id?: string } {
  return { role: 'user', text, ...(id !== undefined && { id }) }
}
