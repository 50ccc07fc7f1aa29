import { describe, expect, it } from 'vitest'
import { scriptedModel } from '../../testing/index.ts'
import { createMemoryStore } from '../../memory/index.ts'
import { createService, sqliteJobQueue } from '../../service/index.ts'
import { serviceFixture, userTurn } from './service-fixture.ts'

interface Event {
  readonly type: string
  readonly [field: string]: unknown
}

function eventsOf(text: string): Event[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as Event)
}

const stream = { accept: 'text/event-stream' }

describe('an answer', () => {
  it('comes with what was recalled for it, and becomes part of the thread', async () => {
    const model = scriptedModel({ rules: [{ when: 'in the barn', answer: 'It is in the barn.' }], fallback: 'I do not know.' })
    await using fixture = await serviceFixture({ model })
    const key = await fixture.key({ user: 'ada', thread: 't' })
    await fixture.ask('POST', '/v1/threads/t/turns', { key, body: { turns: [userTurn('The kiln is in the barn.', 'told')] } })
    const { status, json } = await fixture.ask('POST', '/v1/threads/t/answer', { key, body: { text: 'Where is the kiln?' } })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      status: 'answered',
      text: 'It is in the barn.',
      recalled: { items: [{ form: 'raw', turn: { id: 'told' } }] },
    })
    const list = await fixture.ask('GET', '/v1/threads/t/turns', { key })
    expect(list.json.items.map(({ role }) => role)).toEqual(['user', 'user', 'assistant'])
  })

  it('is told as events where the caller takes a stream, without vectors or records', async () => {
    await using fixture = await serviceFixture()
    const key = await fixture.key({ user: 'ada' })
    await fixture.ask('POST', '/v1/threads/t/turns', { key, body: { turns: [userTurn('The kiln is in the barn.')] } })
    await fixture.service.idle()
    const { headers, text } = await fixture.ask('POST', '/v1/threads/t/answer', { key, body: { text: 'Where?' }, headers: stream })
    expect(headers.get('content-type')).toMatch(/^text\/event-stream/)
    const events = eventsOf(text)
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['run.started', 'memory.selected', 'answer.delta', 'run.finished']),
    )
    expect(events.at(-1)).toMatchObject({ type: 'run.finished', answer: { text: 'The kiln is in the barn.' } })
    expect(text).not.toContain('"vector"')
    expect(text).not.toContain('"record"')
  })

  it('is given as it is when the message comes again', async () => {
    const model = scriptedModel({ fallback: ({ number }) => `Reply ${number}.` })
    await using fixture = await serviceFixture({ model })
    const key = await fixture.key({ user: 'ada' })
    const ask = () => fixture.ask('POST', '/v1/threads/t/answer', { key, body: { text: 'Hello?' }, headers: { 'idempotency-key': 'm1' } })
    const [first, second] = [await ask(), await ask()]
    expect([first.json['text'], second.json['text']]).toEqual(['Reply 1.', 'Reply 1.'])
    expect((await fixture.ask('GET', '/v1/threads/t', { key })).json['turns']).toBe(2)
  })

  it('stops at the limits that are asked for', async () => {
    await using fixture = await serviceFixture()
    const key = await fixture.key({ user: 'ada' })
    const { json } = await fixture.ask('POST', '/v1/threads/t/answer', { key, body: { text: 'Hello?', limits: { calls: 0 } } })
    expect(json).toMatchObject({ status: 'stopped', reason: expect.stringContaining('calls') })
  })

  it('that fails tells why, keeps the message, and derives what it says', async () => {
    const refuse = (): Promise<never> => Promise.reject(Object.assign(new Error('400 You must not'), { status: 400 }))
    const model = { ...scriptedModel(), invoke: refuse, stream: refuse }
    await using fixture = await serviceFixture({ model })
    const key = await fixture.key({ user: 'ada' })
    const { status, json } = await fixture.ask('POST', '/v1/threads/t/answer', { key, body: { text: 'My name is Zoe.' } })
    expect([status, json.type]).toEqual([502, 'urn:scriptorium:problem:model-bad-request'])
    const streamed = await fixture.ask('POST', '/v1/threads/t/answer', { key, body: { text: 'And again' }, headers: stream })
    expect(eventsOf(streamed.text).at(-1)).toMatchObject({ type: 'run.failed', error: { status: 502 } })
    await fixture.service.idle()
    expect((await fixture.ask('GET', '/v1/threads/t', { key })).json['turns']).toBe(2)
    expect((await fixture.ask('GET', '/v1/profile', { key })).json['text']).toContain('Zoe')
  })

  it('is refused without a model, and when too many are under way', async () => {
    const none = createService({ memory: createMemoryStore(), queue: await sqliteJobQueue(':memory:'), open: true })
    const body = JSON.stringify({ text: 'Hello?' })
    const headers = { 'content-type': 'application/json' }
    const { status } = await none.fetch(new Request('http://localhost/v1/threads/t/answer', { method: 'POST', body, headers }))
    expect(status).toBe(501)
    await none.close()
    await using fixture = await serviceFixture({ limits: { answers: 0 } })
    const key = await fixture.key({ user: 'ada' })
    expect((await fixture.ask('POST', '/v1/threads/t/answer', { key, body: { text: 'Hello?' } })).status).toBe(429)
  })

  it.each([{ text: '' }, { text: ' ' }, {}, { text: 'x', id: 'a b' }, { text: 'x', limits: { calls: -1 } }, { text: 'x', model: 'gpt' }])(
    'is refused for %j',
    async (body) => {
      await using fixture = await serviceFixture()
      const key = await fixture.key({ user: 'ada' })
      expect((await fixture.ask('POST', '/v1/threads/t/answer', { key, body })).status).toBe(400)
    },
  )
})

describe('recall', () => {
  it('keeps within its budget and says why', async () => {
    await using fixture = await serviceFixture()
    const key = await fixture.key({ user: 'ada' })
    const turns = Array.from({ length: 30 }, (_, at) => userTurn(`Line ${at} of the song about the kiln.`))
    await fixture.ask('POST', '/v1/threads/t/turns', { key, body: { turns } })
    const { json } = await fixture.ask('POST', '/v1/threads/t/recall', { key, body: { text: 'kiln', budget: 40 } })
    expect(json['tokens']).toBeLessThanOrEqual(40)
    const kept = json.items.filter(({ form }) => form !== 'dropped')
    expect(kept.length).toBeGreaterThan(0)
    for (const { why } of json.items) expect(why).not.toBe('')
  })

  it.each([{ budget: 10 }, { text: 'x', budget: -1 }, { text: 'x', budget: 1.5 }, { text: 'x', scope: 'y' }])(
    'is refused for %j',
    async (body) => {
      await using fixture = await serviceFixture()
      const key = await fixture.key({ user: 'ada' })
      expect((await fixture.ask('POST', '/v1/threads/t/recall', { key, body })).status).toBe(400)
    },
  )
})
