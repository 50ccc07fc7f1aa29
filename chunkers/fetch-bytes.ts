import { DocumentError } from '../errors/index.ts'
import { collect, DEFAULT_MAX_BYTES } from './read-bytes.ts'

export interface UrlOptions {
  /** Which addresses of the web may be fetched; none by default. It is asked again for each redirection. */
  readonly allowUrls?: boolean | ((url: URL) => boolean)
  /** `globalThis.fetch` by default. */
  readonly fetch?: typeof fetch
  readonly maxBytes?: number
  readonly signal?: AbortSignal
}

const MOST_REDIRECTIONS = 5

/** Whether a source is an address of the web rather than a path. */
export function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source)
}

/**
 * Fetches a file.
 *
 * @throws DocumentError `unsupported` when the address is not allowed; `not-found`, `unreadable` by the server's answer; `too-large`
 */
export async function fetchBytes(address: string, options: UrlOptions = {}): Promise<Buffer> {
  const { maxBytes = DEFAULT_MAX_BYTES, signal } = options
  const response = await follow(address, options)
  if (!response.ok) {
    const reason = response.status === 404 || response.status === 410 ? 'not-found' : 'unreadable'
    throw refusal(address, reason, `the server answers ${response.status}`, 'check the address')
  }
  if (response.body === null) return Buffer.alloc(0)
  return collect(response.body, { source: address, maxBytes, signal })
}

/** Redirections are followed by hand, so that each address is allowed or not. */
async function follow(address: string, { allowUrls = false, fetch = globalThis.fetch, signal }: UrlOptions): Promise<Response> {
  let url = new URL(address)
  for (let hops = 0; hops <= MOST_REDIRECTIONS; hops++) {
    const allowed = isUrl(url.href) && (typeof allowUrls === 'function' ? allowUrls(url) : allowUrls)
    if (!allowed)
      throw refusal(address, 'unsupported', `addresses of the web are not fetched unless they are allowed: ${url.href}`, 'set allowUrls')
    const response = await fetch(url, { redirect: 'manual', ...(signal ? { signal } : {}) }).catch((cause: unknown) => {
      signal?.throwIfAborted()
      throw refusal(address, 'unreadable', 'the server cannot be reached', 'check the address', cause)
    })
    const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
    if (location === null) return response
    await response.body?.cancel()
    url = new URL(location, url)
  }
  throw refusal(address, 'unreadable', `it is redirected more than ${MOST_REDIRECTIONS} times`, 'give the address it leads to')
}

function refusal(
  source: string,
  reason: 'unsupported' | 'not-found' | 'unreadable',
  why: string,
  hint: string,
  cause?: unknown,
): DocumentError {
  return new DocumentError(`Cannot read ${source} as ${why}: ${hint}`, { reason, source, cause })
}
