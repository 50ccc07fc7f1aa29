import type { AddressInfo } from 'node:net'
import type { Server as HttpServer } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import type { Service } from './create-service.ts'
import { isLoopback } from './http/local-request.ts'

export interface ServeOptions {
  /** Address to listen on; 127.0.0.1 by default. Others need a key to be there. */
  readonly host?: string
  /** 0 takes any that is free; 8377 by default. */
  readonly port?: number
}

/** A server that listens. */
export interface Server {
  /** Such as `http://127.0.0.1:8377`. */
  readonly url: string
  /** Stops taking connections, lets requests and jobs under way finish, and closes the service. An abort of the signal cuts both off. */
  stop(options?: { readonly signal?: AbortSignal }): Promise<void>
}

/** Bytes of a request's headers at most, and milliseconds to send them, and all of the request, in. */
const MAX_HEADER_BYTES = 16 * 1024
const HEADERS_TIMEOUT = 10_000
const REQUEST_TIMEOUT = 120_000

/**
 * Lets a service be reached over HTTP.
 *
 * @throws TypeError when it is to listen beyond this machine and has no keys; what `listen` throws, such as `EADDRINUSE`
 */
export async function serve(service: Service, { host = '127.0.0.1', port = 8377 }: ServeOptions = {}): Promise<Server> {
  if (!isLoopback(host) && (await service.isOpen()))
    throw new TypeError(`Cannot listen on ${host} as there is no key, so that anybody could read and change all memories. Add a key first`)
  const server = createAdaptorServer({
    fetch: service.fetch,
    serverOptions: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT },
  }) as HttpServer
  await listen(server, host, port)
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  let stopping: Promise<void> | undefined
  return {
    url: `http://${name}:${address.port}`,
    stop(options) {
      options?.signal?.addEventListener('abort', () => server.closeAllConnections(), { once: true })
      stopping ??= stop(server, service, options)
      return stopping
    },
  }
}

function listen(server: HttpServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function stop(server: HttpServer, service: Service, options?: { readonly signal?: AbortSignal }): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  await service.close(options)
  server.closeIdleConnections()
  await closed
}
