import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServiceFixture, serviceFixture, userTurn } from './service-fixture.ts'

let fixture: ServiceFixture
let key: string

beforeAll(async () => {
  fixture = await serviceFixture()
  key = await fixture.key({ user: 'ada' })
})

afterAll(async () => {
  await fixture[Symbol.asyncDispose]()
})

describe('turns', () => {
  it('are appended in order and given with their places', async () => {
    const { status, json } = await fixture.ask('POST', '/v1/threads/first/turns', {
      key,
      body: { turns: [userTurn('Where is the kiln?', 'q'), { role: 'assistant', text: 'In the barn.', metadata: { mood: ['calm'] } }] },
    })
    expect(status).toBe(201)
    expect(json.items).toMatchObject([
      { id: 'q', index: 0, role: 'user', text: 'Where is the kiln?' },
      { index: 1, role: 'assistant', text: 'In the barn.', metadata: { mood: ['calm'] } },
    ])
  })

  it('are appended once when the request is sent again with its key of idempotency', async () => {
    const send = () =>
      fixture.ask('POST', '/v1/threads/again/turns', {
        key,
        body: { turns: [userTurn('one'), userTurn('two')] },
        headers: { 'idempotency-key': 'batch-1' },
      })
    const [first, second] = [await send(), await send()]
    expect(second.json.items).toEqual(first.json.items)
    const { json } = await fixture.ask('GET', '/v1/threads/again/turns', { key })
    expect(json.items.map(({ text }) => text)).toEqual(['one', 'two'])
  })

  it('are refused when the id is there with another text, all of them', async () => {
    await fixture.ask('POST', '/v1/threads/taken/turns', { key, body: { turns: [userTurn('one', 'x')] } })
    const { status, json } = await fixture.ask('POST', '/v1/threads/taken/turns', {
      key,
      body: { turns: [userTurn('new', 'y'), userTurn('other', 'x')] },
    })
    expect(status).toBe(409)
    expect(json.type).toBe('urn:scriptorium:problem:conflict')
    expect((await fixture.ask('GET', '/v1/threads/taken/turns/y', { key })).status).toBe(404)
  })

  it('of one id stand beside each other in two threads', async () => {
    await fixture.ask('POST', '/v1/threads/left/turns', { key, body: { turns: [userTurn('left', 'same')] } })
    await fixture.ask('POST', '/v1/threads/right/turns', { key, body: { turns: [userTurn('right', 'same')] } })
    expect((await fixture.ask('GET', '/v1/threads/left/turns/same', { key })).json['text']).toBe('left')
    expect((await fixture.ask('GET', '/v1/threads/right/turns/same', { key })).json['text']).toBe('right')
  })

  it.each(['oldest', 'newest'])('are listed page by page, %s first', async (order) => {
    const texts = Array.from({ length: 7 }, (_, at) => `turn ${at}`)
    await fixture.ask('POST', `/v1/threads/paged-${order}/turns`, { key, body: { turns: texts.map((text) => userTurn(text)) } })
    const seen: unknown[] = []
    let cursor: string | undefined
    do {
      const next: string = cursor === undefined ? '' : `&cursor=${cursor}`
      const { json } = await fixture.ask('GET', `/v1/threads/paged-${order}/turns?limit=3&order=${order}${next}`, { key })
      expect(json.items.length).toBeLessThanOrEqual(3)
      seen.push(...json.items.map(({ text }) => text))
      cursor = json.nextCursor
    } while (cursor !== undefined)
    expect(seen).toEqual(order === 'oldest' ? texts : texts.toReversed())
  })

  it.each([
    ['no turn', { turns: [] }],
    ['an empty text', { turns: [userTurn('  ')] }],
    ['an unknown role', { turns: [{ role: 'robot', text: 'x' }] }],
    ['an unknown field', { turns: [{ ...userTurn('x'), scope: 'other' }] }],
    ['an id that is no id', { turns: [userTurn('x', '../other')] }],
    ['too many turns', { turns: Array.from({ length: 257 }, () => userTurn('x')) }],
    ['no object', []],
  ])('are refused with %s', async (_name, body) => {
    const { status, json, headers } = await fixture.ask('POST', '/v1/threads/bad/turns', { key, body })
    expect(status).toBe(400)
    expect(headers.get('content-type')).toBe('application/problem+json')
    expect(json['errors']).not.toHaveLength(0)
    expect((await fixture.ask('GET', '/v1/threads/bad', { key })).status).toBe(404)
  })
})

describe('threads', () => {
  it('are listed in order of id, with their turns', async () => {
    const own = await fixture.key({ user: 'lists' })
    for (const thread of ['b', 'a', 'c'])
      await fixture.ask('POST', `/v1/threads/${thread}/turns`, { key: own, body: { turns: [userTurn(thread)] } })
    await fixture.ask('POST', '/v1/facts', { key: own, body: { attribute: 'home', value: 'Graz' } })
    const first = await fixture.ask('GET', '/v1/threads?limit=2', { key: own })
    expect(first.json.items).toMatchObject([
      { id: 'a', turns: 1 },
      { id: 'b', turns: 1 },
    ])
    const second = await fixture.ask('GET', `/v1/threads?limit=2&cursor=${first.json.nextCursor}`, { key: own })
    expect(second.json.items).toMatchObject([{ id: 'c' }])
    expect(second.json.nextCursor).toBeUndefined()
  })

  it('answers 304 to whoever has what it would give', async () => {
    const first = await fixture.ask('GET', '/v1/threads/first/turns', { key })
    const etag = first.headers.get('etag') ?? ''
    const second = await fixture.ask('GET', '/v1/threads/first/turns', { key, headers: { 'if-none-match': etag } })
    expect([second.status, second.text, second.headers.get('etag')]).toEqual([304, '', etag])
    await fixture.ask('POST', '/v1/threads/first/turns', { key, body: { turns: [userTurn('more')] } })
    expect((await fixture.ask('GET', '/v1/threads/first/turns', { key, headers: { 'if-none-match': etag } })).status).toBe(200)
  })

  it.each(['?limit=0', '?limit=201', '?limit=x', '?cursor=nonsense', '?order=sideways'])('refuses the query %s', async (query) => {
    expect((await fixture.ask('GET', `/v1/threads/first/turns${query}`, { key })).status).toBe(400)
  })
})

describe('what is derived', () => {
  it('follows the write: vectors, and facts with the turn that says so', async () => {
    const own = await fixture.key({ user: 'derived' })
    await fixture.ask('POST', '/v1/threads/t/turns', { key: own, body: { turns: [userTurn('My name is Zoe and I live in Graz.', 'm')] } })
    await fixture.service.idle()
    const facts = await fixture.ask('GET', '/v1/facts', { key: own })
    expect(facts.json.items.length).toBeGreaterThan(0)
    expect(facts.json.items[0]).toMatchObject({ subject: 'user', sources: [{ type: 'turn', thread: 't', turn: 'm' }] })
    expect((await fixture.ask('GET', '/v1/profile', { key: own })).json['text']).toContain('Graz')
    const jobs = await fixture.ask('GET', '/v1/jobs', { key: own })
    expect(jobs.json.items).toMatchObject([{ name: 'derive-thread', thread: 't', state: 'done' }])
    const search = await fixture.ask('POST', '/v1/search', { key: own, body: { text: 'Where does Zoe live?', kinds: ['turn'] } })
    expect(search.json.items[0]).toMatchObject({ place: { type: 'turn', thread: 't', turn: 'm' } })
    expect(search.json.items[0]?.['similarity']).toBeGreaterThan(0)
  })
})
