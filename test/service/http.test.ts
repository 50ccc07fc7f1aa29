import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { Logger } from '../../log/index.ts'
import { createMemoryStore } from '../../memory/index.ts'
import { serviceFixture, userTurn } from './service-fixture.ts'

const turns = { turns: [userTurn('x')] }

describe('a problem', () => {
  it.each([
    ['no JSON', '{', { 'content-type': 'application/json' }, 400],
    ['another media type', 'turns=x', { 'content-type': 'text/plain' }, 415],
    ['no media type', 'x', {}, 415],
    ['JSON that is nested too deep', `{"turns": ${'['.repeat(40)}${']'.repeat(40)}}`, { 'content-type': 'application/json' }, 400],
    ['a body that is too large', JSON.stringify({ turns: [userTurn('x'.repeat(5_000))] }), { 'content-type': 'application/json' }, 413],
  ])('of %s is told as RFC 9457 has it', async (_name, body, headers, status) => {
    await using fixture = await serviceFixture({ limits: { bodyBytes: 4_000 } })
    const key = await fixture.key({ user: 'ada' })
    const answer = await fixture.ask('POST', '/v1/threads/t/turns', { key, body, headers })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.json).toMatchObject({ status, type: expect.stringMatching(/^urn:scriptorium:problem:/), title: expect.any(String) })
    expect(answer.json['instance']).toBe(`urn:scriptorium:request:${answer.headers.get('x-request-id')}`)
  })

  it('names where the body is wrong', async () => {
    await using fixture = await serviceFixture()
    const key = await fixture.key({ user: 'ada' })
    const { json } = await fixture.ask('POST', '/v1/threads/t/turns', { key, body: { turns: [userTurn('x'), { role: 'user' }] } })
    expect(json['errors']).toEqual([{ pointer: '/turns/1/text', detail: expect.any(String) }])
  })

  it('of an unknown path is a 404', async () => {
    await using fixture = await serviceFixture()
    expect((await fixture.ask('GET', '/v1/nothing')).json).toMatchObject({ status: 404, type: 'urn:scriptorium:problem:not-found' })
  })

  it('that nobody foresaw tells nothing but that it happened, and is logged with the id of the request', async () => {
    const memory = createMemoryStore()
    const broken = Object.assign(memory, { documents: () => Promise.reject(new Error('secret detail')) })
    const logged: object[] = []
    const logger: Logger = { debug() {}, info() {}, warn() {}, error: (fields) => void logged.push(fields) }
    await using fixture = await serviceFixture({ memory: broken, logger })
    const answer = await fixture.ask('GET', '/v1/threads', {
      key: await fixture.key({ user: 'ada' }),
      headers: { 'x-request-id': 'request-7' },
    })
    expect(answer.json).toEqual({
      type: 'urn:scriptorium:problem:internal',
      title: 'Internal error',
      status: 500,
      instance: 'urn:scriptorium:request:request-7',
    })
    expect(logged).toContainEqual({ err: expect.objectContaining({ message: 'secret detail' }), requestId: 'request-7' })
  })
})

describe('a key that asks too often', () => {
  it('is told when to come again, and others are served', async () => {
    let time = 0
    await using fixture = await serviceFixture({ limits: { requestsPerSecond: 1, burst: 2 }, now: () => time })
    const [busy, other] = [await fixture.key({ user: 'ada' }), await fixture.key({ user: 'bob' })]
    const statuses = []
    for (let at = 0; at < 3; at++) statuses.push((await fixture.ask('GET', '/v1/threads', { key: busy })).status)
    expect(statuses).toEqual([200, 200, 429])
    const refused = await fixture.ask('GET', '/v1/threads', { key: busy })
    expect(refused.headers.get('retry-after')).toBe('1')
    expect((await fixture.ask('GET', '/v1/threads', { key: other })).status).toBe(200)
    time = 1_000
    expect((await fixture.ask('GET', '/v1/threads', { key: busy })).status).toBe(200)
  })
})

describe('writes', () => {
  it('are refused while too much waits to be derived, and nothing is written', async () => {
    await using fixture = await serviceFixture({ limits: { backlog: 0 } })
    const key = await fixture.key({ user: 'ada' })
    const refused = await fixture.ask('POST', '/v1/threads/t/turns', { key, body: turns })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5'])
    expect((await fixture.ask('GET', '/v1/threads/t', { key })).status).toBe(404)
  })
})

describe('responses', () => {
  it('are compressed where that is accepted', async () => {
    await using fixture = await serviceFixture()
    const key = await fixture.key({ user: 'ada' })
    await fixture.ask('POST', '/v1/threads/t/turns', { key, body: { turns: [userTurn('kiln '.repeat(1_000))] } })
    const request = new Request('http://localhost/v1/threads/t/turns', {
      headers: { authorization: `Bearer ${key}`, 'accept-encoding': 'gzip' },
    })
    const response = await fixture.service.fetch(request)
    expect(response.headers.get('content-encoding')).toBe('gzip')
    const text = gunzipSync(Buffer.from(await response.arrayBuffer())).toString()
    expect(JSON.parse(text)).toMatchObject({ items: [{ index: 0 }] })
  })

  it('carry headers that keep browsers from misreading them', async () => {
    await using fixture = await serviceFixture()
    const { headers } = await fixture.ask('GET', '/healthz')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  it('may be read by the pages of an origin that was named, and by no others', async () => {
    await using fixture = await serviceFixture({ corsOrigins: ['https://app.example'] })
    const allowed = async (origin: string): Promise<string | null> =>
      (await fixture.ask('GET', '/healthz', { headers: { origin } })).headers.get('access-control-allow-origin')
    expect(await allowed('https://app.example')).toBe('https://app.example')
    expect(await allowed('https://evil.example')).toBeNull()
  })
})

describe('a service that is open to its machine', () => {
  const ask = async (url: string, headers: Record<string, string> = {}, asked = {}): Promise<number> => {
    await using fixture = await serviceFixture({ open: true, ...asked })
    return (await fixture.service.fetch(new Request(url, { headers }))).status
  }

  it('serves what was meant for it, and not what a page in a browser sends', async () => {
    expect(await ask('http://127.0.0.1:8377/v1/threads')).toBe(200)
    expect(await ask('http://[::1]:8377/v1/threads', { authorization: 'Bearer none' })).toBe(200)
    expect(await ask('http://localhost:8377/v1/threads', { origin: 'http://localhost:8377' })).toBe(200)
    expect(await ask('http://rebound.example/v1/threads')).toBe(401)
    expect(await ask('http://localhost:8377/v1/threads', { origin: 'https://evil.example' })).toBe(401)
    expect(await ask('http://localhost:8377/v1/threads', { origin: 'null' })).toBe(401)
  })

  it('is closed by its first key, for good', async () => {
    await using fixture = await serviceFixture({ open: true })
    expect((await fixture.ask('GET', '/v1/threads')).status).toBe(200)
    await fixture.key({ user: 'ada', expiresAt: 1 })
    expect((await fixture.ask('GET', '/v1/threads')).status).toBe(401)
  })

  it('is not open unless it was said', async () => {
    expect(await ask('http://127.0.0.1:8377/v1/threads', {}, { open: false })).toBe(401)
  })
})

describe('health', () => {
  it('says that it serves, and that it is stopping', async () => {
    const fixture = await serviceFixture()
    expect((await fixture.ask('GET', '/healthz')).json).toEqual({ status: 'ok' })
    expect((await fixture.ask('GET', '/readyz')).json).toEqual({ status: 'ok' })
    const key = await fixture.key({ user: 'ada' })
    await fixture.service.close()
    expect((await fixture.ask('GET', '/readyz')).status).toBe(503)
    const refused = await fixture.ask('GET', '/v1/threads', { key })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
  })

  it('says that the store fails', async () => {
    const memory = createMemoryStore()
    const broken = Object.assign(memory, { scopes: () => Promise.reject(new Error('gone')) })
    await using fixture = await serviceFixture({ memory: broken })
    expect((await fixture.ask('GET', '/readyz')).json).toEqual({ status: 'failing' })
  })
})
