import type { IncomingMessage } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { lookupPublic } from './public-address.ts'

export interface HttpGetOptions {
  /** Whether names of this machine and of private networks are connected to. */
  readonly allowPrivate: boolean
  readonly signal: AbortSignal
}

/**
 * Asks for an address, without following where it leads. Not `fetch`, as that gives no say in which address a name is connected to: a name that
 * was looked up and found public could be another one a moment later.
 */
export async function httpGet(url: URL, { allowPrivate, signal }: HttpGetOptions): Promise<Response> {
  const { get } = url.protocol === 'https:' ? await import('node:https') : await import('node:http')
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    // No agent: a connection that was kept open would not be looked up again.
    const options = { agent: false, signal, headers: { 'accept-encoding': 'identity' }, ...(allowPrivate ? {} : { lookup: lookupPublic }) }
    get(url, options, resolve).on('error', reject)
  })
  const { statusCode: status = 0, headers } = message
  const body = await inflated(message)
  const { location } = headers
  return new Response(NO_BODY.has(status) ? null : (Readable.toWeb(body) as ReadableStream<Uint8Array<ArrayBuffer>>), {
    status,
    ...(location === undefined ? {} : { headers: { location } }),
  })
}

/** Answers that have none. */
const NO_BODY = new Set([204, 205, 304])

/** Some servers compress unasked. */
async function inflated(message: IncomingMessage): Promise<Readable> {
  const encoding = message.headers['content-encoding'] ?? 'identity'
  if (encoding === 'identity') return message
  const { createBrotliDecompress, createUnzip } = await import('node:zlib')
  const stream = encoding === 'br' ? createBrotliDecompress() : createUnzip()
  // A failure reaches the reader through the last stream.
  return pipeline(message, stream, () => {})
}
