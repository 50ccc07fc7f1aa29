import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorld, type World } from '../../bench/service-attempts.ts'
import { serviceFixture, userTurn } from './service-fixture.ts'

describe('attempts to reach another memory', () => {
  let world: World

  beforeAll(async () => {
    world = await createWorld()
  })

  afterAll(async () => {
    await world[Symbol.asyncDispose]()
  })

  it('over every route with every kind of key show nothing, change nothing and break nothing', async () => {
    const property = fc.asyncProperty(world.attempts, async (attempt) => {
      const { status, leaks } = await world.try(attempt)
      expect(leaks).toBe(false)
      expect(status).toBeLessThan(500)
    })
    await fc.assert(property, { numRuns: 400 })
    expect(await world.isUntouched()).toBe(true)
  })
})

describe('every route that is described', () => {
  it('tells nothing without a key, but whether the service lives', async () => {
    await using fixture = await serviceFixture()
    const { paths } = (await fixture.ask('GET', '/openapi.json')).json as unknown as { paths: Record<string, Record<string, object>> }
    const open: string[] = []
    for (const [path, methods] of Object.entries(paths)) {
      for (const method of Object.keys(methods)) {
        const { status } = await fixture.ask(method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x'))
        if (status !== 401) open.push(path)
      }
    }
    expect(Object.keys(paths).length).toBeGreaterThan(15)
    expect(open).toEqual(['/healthz', '/readyz'])
  })

  it.each([
    ['write', 'POST', '/v1/threads/t/turns', { turns: [userTurn('x')] }],
    ['read', 'GET', '/v1/threads/t/turns', undefined],
    ['erase', 'POST', '/v1/erasures/preview', { everything: true }],
    ['admin', 'GET', '/v1/audit', undefined],
  ] as const)('needs the right to %s where it does that', async (right, method, path, body) => {
    await using fixture = await serviceFixture()
    const without = (['read', 'write', 'erase', 'admin'] as const).filter((one) => one !== right)
    const bound = right === 'admin' ? {} : { user: 'ada' }
    expect((await fixture.ask(method, path, { key: await fixture.key({ ...bound, rights: without }), body })).status).toBe(403)
    const { status } = await fixture.ask(method, path, { key: await fixture.key({ ...bound, rights: [right] }), body })
    expect(status).toBeLessThan(300)
  })
})

describe('a key', () => {
  it('of a tenant must name the user it speaks for', async () => {
    await using fixture = await serviceFixture()
    const key = await fixture.key()
    expect((await fixture.ask('GET', '/v1/threads', { key })).status).toBe(400)
    expect((await fixture.ask('GET', '/v1/threads', { key, headers: { 'scriptorium-user': 'ada' } })).status).toBe(200)
  })

  it('of a user speaks for nobody else', async () => {
    await using fixture = await serviceFixture()
    const key = await fixture.key({ user: 'ada' })
    expect((await fixture.ask('GET', '/v1/threads', { key, headers: { 'scriptorium-user': 'bob' } })).status).toBe(403)
    expect((await fixture.ask('GET', '/v1/users', { key })).status).toBe(403)
  })

  it('of a thread reaches that thread alone', async () => {
    await using fixture = await serviceFixture()
    const all = await fixture.key({ user: 'ada' })
    for (const thread of ['mine', 'other'])
      await fixture.ask('POST', `/v1/threads/${thread}/turns`, { key: all, body: { turns: [userTurn('kiln')] } })
    const key = await fixture.key({ user: 'ada', thread: 'mine' })
    const body = { text: 'kiln', budget: 1_000 }
    expect((await fixture.ask('POST', '/v1/threads/mine/recall', { key, body })).status).toBe(200)
    expect((await fixture.ask('GET', '/v1/threads/mine', { key })).json).toMatchObject({ id: 'mine', turns: 1 })
    const refused = ['/v1/threads/other', '/v1/threads', '/v1/facts', '/v1/export', '/v1/documents', '/v1/jobs']
    for (const path of refused) expect((await fixture.ask('GET', path, { key })).status).toBe(403)
  })

  it('is refused when it has expired', async () => {
    await using fixture = await serviceFixture({ now: () => 1_000 })
    expect((await fixture.ask('GET', '/v1/threads', { key: await fixture.key({ user: 'ada', expiresAt: 1_001 }) })).status).toBe(200)
    expect((await fixture.ask('GET', '/v1/threads', { key: await fixture.key({ user: 'ada', expiresAt: 1_000 }) })).status).toBe(401)
  })

  it('leaves a trace where it changes what is the user’s or is refused, and none of texts', async () => {
    await using fixture = await serviceFixture()
    const key = await fixture.key({ user: 'ada' })
    await fixture.ask('POST', '/v1/facts', { key, body: { attribute: 'home', value: 'Graz' } })
    await fixture.ask('GET', '/v1/users', { key })
    await fixture.ask('GET', '/v1/threads', { key })
    const { json, text } = await fixture.ask('GET', '/v1/audit', { key: await fixture.key() })
    expect(json.items).toMatchObject([
      { action: 'GET /v1/users', status: 403, user: 'ada' },
      { action: 'POST /v1/facts', status: 201, user: 'ada' },
    ])
    expect(text).not.toContain('Graz')
  })
})
