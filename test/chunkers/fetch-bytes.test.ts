import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readDocument, type ReadDocumentOptions } from '../../chunkers/index.ts'
import { isPublicAddress, lookupPublic } from '../../chunkers/public-address.ts'

let server: Server
let port = 0
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/notes.txt') response.end('Notes of the voyage.')
    else if (request.url === '/zipped.txt') response.setHeader('content-encoding', 'gzip').end(gzipSync('Notes in gzip.'))
    else if (request.url === '/moved') response.writeHead(302, { location: '/notes.txt' }).end()
    else if (request.url === '/nowhere') response.writeHead(302, { location: 'http://' }).end()
    else if (request.url === '/breaks') response.writeHead(200, { 'content-length': 100 }).write('half', () => request.socket.destroy())
    else if (request.url === '/hangs') response.write('half')
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const get = (path: string, options: ReadDocumentOptions = {}): Promise<{ text: string }> =>
  readDocument(`http://127.0.0.1:${port}${path}`, { allowUrls: true, allowPrivateUrls: true, ...options })

describe('a server', () => {
  it('is asked for a file, also where it leads to another or compresses unasked', async () => {
    expect((await get('/notes.txt')).text).toBe('Notes of the voyage.')
    expect((await get('/moved')).text).toBe('Notes of the voyage.')
    expect((await get('/zipped.txt')).text).toBe('Notes in gzip.')
  })

  it('that fails, breaks off or leads nowhere is named', async () => {
    for (const path of ['/breaks', '/nowhere'])
      await expect(get(path)).rejects.toMatchObject({ name: 'DocumentError', reason: 'unreadable' })
    await expect(get('/none')).rejects.toMatchObject({ reason: 'not-found' })
    await expect(readDocument('http://', { allowUrls: true })).rejects.toMatchObject({ reason: 'unreadable' })
  })

  it('that sends too much or takes too long is left', async () => {
    await expect(get('/notes.txt', { maxBytes: 3 })).rejects.toMatchObject({ reason: 'too-large' })
    await expect(get('/hangs', { timeout: 50 })).rejects.toMatchObject({ reason: 'too-slow' })
    const reason = new Error('enough')
    await expect(get('/hangs', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('a private address', () => {
  const neverAsked = (() => expect.unreachable('was fetched')) as unknown as typeof fetch

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://localhost:8080/a',
    'http://a.localhost/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[fe80::1]/',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://192.168.1.1/',
    'http://metadata.google.internal/',
  ])('is not fetched, whatever is allowed: %s', async (address) => {
    for (const allowUrls of [true, () => true]) {
      await expect(readDocument(address, { allowUrls, fetch: neverAsked })).rejects.toMatchObject({
        reason: 'unsupported',
        message: expect.stringContaining('leads to this machine or a private network'),
      })
    }
  })

  it('is not fetched when an address of the web leads to it', async () => {
    const fetch = (() =>
      Promise.resolve(new Response('', { status: 302, headers: { location: 'http://169.254.169.254/' } }))) as typeof globalThis.fetch
    await expect(readDocument('https://a.example/', { allowUrls: true, fetch })).rejects.toMatchObject({ reason: 'unsupported' })
  })

  it('is not connected to when a name stands for it', async () => {
    const outcome = await new Promise((resolve) => lookupPublic('localhost', {}, resolve))
    expect(outcome).toMatchObject({ name: 'InnerAddressError', message: expect.stringMatching(/^localhost is (?:127\.|::1)/) })
  })

  it('is told from a public one', () => {
    const inner = ['127.0.0.1', '10.1.2.3', '172.31.0.1', '100.64.0.1', '0.0.0.0', '255.255.255.255', '::', '::1', 'fd00::1', 'ff02::1']
    const mapped = ['::ffff:10.0.0.1', '::ffff:7f00:1', '64:ff9b::a00:1', '2002:7f00:1::']
    for (const address of [...inner, ...mapped, 'no address']) expect([address, isPublicAddress(address)]).toEqual([address, false])
    for (const address of ['1.1.1.1', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1'])
      expect([address, isPublicAddress(address)]).toEqual([address, true])
  })
})
