import { basename } from 'node:path'
import { DocumentError, type DocumentErrorReason } from '../errors/index.ts'
import { httpGet } from './http-get.ts'
import { InnerAddressError, isPublicAddress } from './public-address.ts'
import { collect, DEFAULT_MAX_BYTES } from './read-bytes.ts'

export interface UrlOptions {
  /** Which addresses of the web may be fetched; none by default. It is asked again for each redirection. */
  readonly allowUrls?: boolean | ((url: URL) => boolean)
  /** Whether those of this machine and of private networks may be fetched too; false by default, whatever `allowUrls` says. */
  readonly allowPrivateUrls?: boolean
  /** Fetches instead of the built-in client. It is never asked for a private address, but has to look after names that lead to one. */
  readonly fetch?: typeof fetch
  readonly maxBytes?: number
  /** Milliseconds that fetching may take; two minutes by default. */
  readonly timeout?: number
  readonly signal?: AbortSignal
}

const MOST_REDIRECTIONS = 5
const DEFAULT_TIMEOUT = 120_000

/** Whether a source is an address of the web rather than a path. */
export function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source)
}

/** The last part of the path of an address; empty where there is none. */
export function urlName(address: string): string {
  return URL.canParse(address) ? basename(new URL(address).pathname) : ''
}

/**
 * Fetches a file.
 *
 * @throws DocumentError `unsupported` when the address is not allowed; `not-found`, `unreadable` by the server's answer; `too-large`; `too-slow`;
 * the signal's reason
 */
export async function fetchBytes(address: string, options: UrlOptions = {}): Promise<Buffer> {
  const { maxBytes = DEFAULT_MAX_BYTES, timeout = DEFAULT_TIMEOUT, signal } = options
  const late = AbortSignal.timeout(timeout)
  const either = signal ? AbortSignal.any([signal, late]) : late
  try {
    const response = await follow(address, options, either)
    if (!response.ok) throw refusedBy(response, address)
    return response.body === null ? Buffer.alloc(0) : await collect(response.body, { source: address, maxBytes, signal: either })
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof DocumentError) throw cause
    if (late.aborted)
      throw refusal(address, 'too-slow', `fetching it takes longer than the limit of ${timeout / 1000} s`, 'raise timeout', cause)
    throw refusal(address, 'unreadable', 'the server cannot be reached, or breaks off', 'check the address', cause)
  }
}

function refusedBy({ status, body }: Response, address: string): DocumentError {
  void body?.cancel().catch(() => {})
  return refusal(
    address,
    status === 404 || status === 410 ? 'not-found' : 'unreadable',
    `the server answers ${status}`,
    'check the address',
  )
}

/** Redirections are followed by hand, so that each address is allowed or not. */
async function follow(address: string, options: UrlOptions, signal: AbortSignal): Promise<Response> {
  let url = parse(address, address)
  for (let hops = 0; hops <= MOST_REDIRECTIONS; hops++) {
    checkAllowed(url, address, options)
    const response = await ask(url, address, options, signal)
    const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
    if (location === null) return response
    await response.body?.cancel()
    url = parse(location, address, url)
  }
  throw refusal(address, 'unreadable', `it is redirected more than ${MOST_REDIRECTIONS} times`, 'give the address it leads to')
}

function ask(url: URL, address: string, { allowPrivateUrls = false, fetch }: UrlOptions, signal: AbortSignal): Promise<Response> {
  if (fetch) return fetch(url, { redirect: 'manual', signal })
  return httpGet(url, { allowPrivate: allowPrivateUrls, signal }).catch((cause: unknown) => {
    throw cause instanceof InnerAddressError ? refusedAsPrivate(url, address, cause) : cause
  })
}

function parse(location: string, address: string, base?: URL): URL {
  if (URL.canParse(location, base?.href)) return new URL(location, base)
  throw refusal(address, 'unreadable', `it is no valid address: ${location}`, 'check the address')
}

function checkAllowed(url: URL, address: string, { allowUrls = false, allowPrivateUrls = false }: UrlOptions): void {
  if (!isUrl(url.href) || !(typeof allowUrls === 'function' ? allowUrls(url) : allowUrls)) {
    throw refusal(address, 'unsupported', `addresses of the web are not fetched unless they are allowed: ${url.href}`, 'set allowUrls')
  }
  if (!allowPrivateUrls && isPrivate(url)) throw refusedAsPrivate(url, address)
}

/** As far as the name alone tells. */
function isPrivate({ hostname }: URL): boolean {
  if (/(?:^|\.)(?:localhost|local|internal)\.?$/.test(hostname)) return true
  return /^\[|^[\d.]+$/.test(hostname) && !isPublicAddress(hostname.replace(/^\[|\]$/g, ''))
}

function refusedAsPrivate(url: URL, address: string, cause?: unknown): DocumentError {
  return refusal(
    address,
    'unsupported',
    `it leads to this machine or a private network: ${url.href}`,
    'set allowPrivateUrls if that is meant',
    cause,
  )
}

function refusal(source: string, reason: DocumentErrorReason, why: string, hint: string, cause?: unknown): DocumentError {
  return new DocumentError(`Cannot read ${source} as ${why}: ${hint}`, { reason, source, cause })
}
