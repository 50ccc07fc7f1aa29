import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openMemory } from '../../memory/index.ts'
import { sqliteJournal } from '../../workflows/index.ts'
import { type ServiceFixture, serviceFixture, userTurn } from './service-fixture.ts'

let fixture: ServiceFixture

beforeAll(async () => {
  fixture = await serviceFixture()
})

afterAll(async () => {
  await fixture[Symbol.asyncDispose]()
})

describe('facts', () => {
  it('are set by hand, take the place of what was known, and are taken away', async () => {
    const key = await fixture.key({ user: 'facts' })
    const first = await fixture.ask('POST', '/v1/facts', { key, body: { attribute: 'home', value: 'Graz' } })
    expect(first.status).toBe(201)
    expect(first.json).toMatchObject({ subject: 'user', attribute: 'home', value: 'Graz', pinned: true, sources: [] })
    const second = await fixture.ask('POST', '/v1/facts', { key, body: { attribute: 'home', value: 'Linz' } })
    const now = await fixture.ask('GET', '/v1/facts', { key })
    expect(now.json.items.map(({ value }) => value)).toEqual(['Linz'])
    const past = await fixture.ask('GET', '/v1/facts?past=true', { key })
    expect(past.json.items).toMatchObject([{ value: 'Graz', supersededBy: second.json['id'] }, { value: 'Linz' }])
    const path = `/v1/facts/${String(second.json['id'])}`
    expect((await fixture.ask('GET', path, { key })).json).toEqual(second.json)
    expect((await fixture.ask('DELETE', path, { key })).status).toBe(204)
    expect((await fixture.ask('DELETE', path, { key })).status).toBe(404)
    expect((await fixture.ask('GET', path, { key })).status).toBe(404)
  })

  it('are listed page by page', async () => {
    const key = await fixture.key({ user: 'many-facts' })
    for (const value of ['a', 'b', 'c']) await fixture.ask('POST', '/v1/facts', { key, body: { attribute: `pet ${value}`, value } })
    const first = await fixture.ask('GET', '/v1/facts?limit=2', { key })
    const second = await fixture.ask('GET', `/v1/facts?limit=2&cursor=${first.json.nextCursor}`, { key })
    expect([...first.json.items, ...second.json.items].map(({ value }) => value)).toEqual(['a', 'b', 'c'])
    expect(second.json.nextCursor).toBeUndefined()
  })

  it.each([{}, { attribute: 'home' }, { attribute: ' ', value: 'x' }, { attribute: 'home', value: 'x', scope: 'other' }])(
    'are refused as %j',
    async (body) => {
      const key = await fixture.key({ user: 'facts' })
      expect((await fixture.ask('POST', '/v1/facts', { key, body })).status).toBe(400)
    },
  )
})

function upload(content: string | Uint8Array, name: string, id?: string): FormData {
  const form = new FormData()
  form.set('file', new File([content], name))
  if (id !== undefined) form.set('id', id)
  return form
}

const story =
  '# The farm\n\nThe kiln stands in the barn behind the mill. It was built in 1911.\n\n# The river\n\nThe ferry sinks in spring every year.\n'

describe('documents', () => {
  it('are kept as passages that are found, with where they stand', async () => {
    const key = await fixture.key({ user: 'documents' })
    const { status, json } = await fixture.ask('POST', '/v1/documents', { key, body: upload(story, 'C:\\tmp\\farm.md', 'farm') })
    expect(status).toBe(201)
    expect(json).toMatchObject({ id: 'farm', name: 'farm.md', hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
    const { json: passages } = await fixture.ask('GET', '/v1/documents/farm/passages', { key })
    expect(passages.items.length).toBe(json['passages'])
    const ferry = passages.items.find(({ text }) => String(text).includes('ferry'))
    expect(ferry).toMatchObject({ sections: ['The river'], line: 7 })
    const found = await fixture.ask('POST', '/v1/search', { key, body: { text: 'Where does the kiln stand?', kinds: ['passage'] } })
    expect(found.json.items[0]).toMatchObject({ place: { type: 'passage', document: 'farm' }, where: expect.stringContaining('farm.md') })
  })

  it('get vectors behind the upload', async () => {
    const key = await fixture.key({ user: 'vectors' })
    await fixture.ask('POST', '/v1/documents', { key, body: upload(story, 'farm.md', 'farm') })
    await fixture.service.idle()
    expect((await fixture.ask('GET', '/v1/jobs', { key })).json.items).toMatchObject([
      { name: 'embed-document', document: 'farm', state: 'done' },
    ])
    const found = await fixture.ask('POST', '/v1/search', { key, body: { text: 'kiln', k: 1 } })
    expect(found.json.items[0]?.['similarity']).toEqual(expect.any(Number))
  })

  it('are kept once, and not replaced by another of the same id', async () => {
    const key = await fixture.key({ user: 'once' })
    const first = await fixture.ask('POST', '/v1/documents', { key, body: upload(story, 'farm.md') })
    const second = await fixture.ask('POST', '/v1/documents', { key, body: upload(story, 'farm.md') })
    expect([first.status, second.status]).toEqual([201, 200])
    expect(second.json).toEqual(first.json)
    const other = await fixture.ask('POST', '/v1/documents', { key, body: upload('Another text.', 'x.md', String(first.json['id'])) })
    expect(other.status).toBe(409)
    expect((await fixture.ask('GET', '/v1/documents', { key })).json.items).toEqual([first.json])
  })

  it.each([
    ['an empty file', upload('', 'x.txt'), 422],
    ['bytes that are no text', upload(Uint8Array.of(0, 1, 2, 0xff, 0xfe, 0), 'x.bin'), 415],
    ['no file', new FormData(), 400],
    ['an id that is no id', upload('x', 'x.txt', '../x'), 400],
  ])('are refused for %s', async (_name, body, status) => {
    const key = await fixture.key({ user: 'refused' })
    const answer = await fixture.ask('POST', '/v1/documents', { key, body })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
  })

  it('cannot be named by path or address', async () => {
    const key = await fixture.key({ user: 'refused' })
    const form = new FormData()
    form.set('file', '/etc/passwd')
    expect((await fixture.ask('POST', '/v1/documents', { key, body: form })).status).toBe(400)
    expect((await fixture.ask('POST', '/v1/documents', { key, body: { url: 'http://169.254.169.254/' } })).status).toBe(415)
  })

  it('that are not there are a 404', async () => {
    const key = await fixture.key({ user: 'refused' })
    for (const path of ['/v1/documents/none', '/v1/documents/none/passages'])
      expect((await fixture.ask('GET', path, { key })).status).toBe(404)
  })
})

describe('a memory that is taken along', () => {
  it('becomes another user’s, with its threads, facts and documents', async () => {
    const [from, to] = [await fixture.key({ user: 'leaver' }), await fixture.key({ tenant: 'other', user: 'comer' })]
    await fixture.ask('POST', '/v1/threads/t/turns', { key: from, body: { turns: [userTurn('The kiln is in the barn.', 'm')] } })
    await fixture.ask('POST', '/v1/facts', { key: from, body: { attribute: 'home', value: 'Graz' } })
    await fixture.ask('POST', '/v1/documents', { key: from, body: upload(story, 'farm.md', 'farm') })
    await fixture.service.idle()
    const exported = await fixture.ask('GET', '/v1/export', { key: from })
    expect(exported.headers.get('content-type')).toBe('application/x-ndjson')
    const lines = { 'content-type': 'application/x-ndjson' }
    const imported = await fixture.ask('POST', '/v1/import', { key: to, body: exported.text, headers: lines })
    expect(imported.json).toEqual({ records: exported.text.trim().split('\n').length - 1 })
    await fixture.service.idle()
    for (const path of ['/v1/threads/t/turns', '/v1/facts', '/v1/documents', '/v1/stats']) {
      expect((await fixture.ask('GET', path, { key: to })).text).toBe((await fixture.ask('GET', path, { key: from })).text)
    }
    const again = await fixture.ask('POST', '/v1/import', { key: to, body: exported.text, headers: lines })
    expect(again.json).toEqual(imported.json)
    expect((await fixture.ask('GET', '/v1/stats', { key: to })).json).toMatchObject({ threads: 1, turns: 1, documents: 1, facts: 1 })
  })

  const header = '{"format":"scriptorium-memory","version":1}\n'
  const record = { scope: 'x', start: 0, end: 1, index: 0, text: 'x', kind: 'turn' }
  it.each([
    ['no line', ''],
    ['another format', '{"format":"other"}\n'],
    ['a line that is no JSON', `${header}{\n`],
    ['a record of nowhere', `${header}${JSON.stringify({ ...record, id: 'a', documentId: 'thread:t' })}\n`],
    ['a record of another thread', `${header}${JSON.stringify({ ...record, id: 'thread:u/a', documentId: 'thread:t' })}\n`],
    ['a value that no record has', `${header}${JSON.stringify({ ...record, id: 'thread:t/a', documentId: 'thread:t', index: -1 })}\n`],
  ])('is refused with %s', async (_name, body) => {
    const key = await fixture.key({ user: 'bad-import' })
    const { status } = await fixture.ask('POST', '/v1/import', { key, body, headers: { 'content-type': 'application/x-ndjson' } })
    expect(status).toBe(400)
  })

  it('is refused as another media type', async () => {
    const key = await fixture.key({ user: 'bad-import' })
    expect((await fixture.ask('POST', '/v1/import', { key, body: header, headers: { 'content-type': 'text/plain' } })).status).toBe(415)
  })
})

describe('a tenant', () => {
  it('sees its own users, page by page, and no others', async () => {
    for (const [tenant, user] of [
      ['guild', 'c'],
      ['guild', 'a'],
      ['guild', 'b'],
      ['guild2', 'x'],
      ['guil', 'y'],
    ] as const) {
      await fixture.ask('POST', '/v1/threads/t/turns', { key: await fixture.key({ tenant, user }), body: { turns: [userTurn('x')] } })
    }
    const key = await fixture.key({ tenant: 'guild' })
    const first = await fixture.ask('GET', '/v1/users?limit=2', { key })
    const second = await fixture.ask('GET', `/v1/users?limit=2&cursor=${first.json.nextCursor}`, { key })
    expect([...first.json.items, ...second.json.items]).toEqual(['a', 'b', 'c'])
    expect(second.json.nextCursor).toBeUndefined()
  })
})

describe('an erasure', () => {
  const secret = 'The xylophone lies buried under the third oak.'
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'service-'))
  })

  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  /** A service whose memory and journal lie in files. */
  async function onDisk(): Promise<ServiceFixture> {
    const memory = await openMemory(join(folder, 'memory.db'), { embedderId: 'scripted-embedder-64' })
    return serviceFixture({ memory, journal: sqliteJournal(join(folder, 'runs.db')) })
  }

  it('is shown, confirmed and proved, and takes what was derived along', async () => {
    await using disk = await onDisk()
    const key = await disk.key({ user: 'ada' })
    await disk.ask('POST', '/v1/threads/keep/turns', { key, body: { turns: [userTurn('The kiln is in the barn.')] } })
    await disk.ask('POST', '/v1/threads/gone/turns', { key, body: { turns: [userTurn(`${secret} My name is Zoe.`)] } })
    await disk.ask('POST', '/v1/threads/gone/answer', { key, body: { text: 'Where is the xylophone?' } })
    await disk.service.idle()
    expect((await disk.ask('GET', '/v1/profile', { key })).json['text']).toContain('Zoe')
    const preview = await disk.ask('POST', '/v1/erasures/preview', { key, body: { threads: ['gone'] } })
    expect(preview.json['findings']).toMatchObject([
      { holder: 'memory', counts: { turns: 3 } },
      { holder: 'journal', counts: { runs: 1 } },
    ])
    expect(preview.text).not.toContain('xylophone')
    const receipt = await disk.ask('POST', '/v1/erasures', { key, body: { token: preview.json['token'] } })
    expect(receipt.status).toBe(201)
    expect(receipt.json).toMatchObject({ verified: true, scan: { found: 0 }, searches: { found: 0 } })
    expect(receipt.text).not.toContain(folder)
    for (const path of ['/v1/export', '/v1/profile', '/v1/jobs', '/v1/threads']) {
      const { text } = await disk.ask('GET', path, { key })
      expect(text).not.toMatch(/xylophone|Zoe|gone/)
    }
    expect((await disk.ask('GET', '/v1/threads/keep', { key })).status).toBe(200)
  })

  it('is refused when there is more to erase than was shown, with another user’s token, and without a preview', async () => {
    await using disk = await onDisk()
    const [ada, bob] = [await disk.key({ user: 'ada' }), await disk.key({ user: 'bob' })]
    await disk.ask('POST', '/v1/threads/t/turns', { key: ada, body: { turns: [userTurn(secret)] } })
    await disk.service.idle()
    const { json } = await disk.ask('POST', '/v1/erasures/preview', { key: ada, body: { everything: true } })
    const body = { token: json['token'] }
    expect((await disk.ask('POST', '/v1/erasures', { key: bob, body })).status).toBe(400)
    await disk.ask('POST', '/v1/threads/t/turns', { key: ada, body: { turns: [userTurn('One more.')] } })
    expect((await disk.ask('POST', '/v1/erasures', { key: ada, body })).json).toMatchObject({ status: 409 })
    expect((await disk.ask('POST', '/v1/erasures', { key: ada, body: { token: 'made-up' } })).status).toBe(400)
    expect((await disk.ask('GET', '/v1/threads/t', { key: ada })).json['turns']).toBe(2)
  })

  it('of everything leaves nothing of the user, and all of others', async () => {
    await using disk = await onDisk()
    const [ada, bob] = [await disk.key({ user: 'ada' }), await disk.key({ user: 'bob' })]
    for (const key of [ada, bob]) await disk.ask('POST', '/v1/threads/t/turns', { key, body: { turns: [userTurn(secret)] } })
    await disk.service.idle()
    const { json } = await disk.ask('POST', '/v1/erasures/preview', { key: ada, body: { everything: true } })
    const receipt = await disk.ask('POST', '/v1/erasures', { key: ada, body: { token: json['token'] } })
    expect(receipt.json).toMatchObject({ verified: true })
    expect((await disk.ask('GET', '/v1/stats', { key: ada })).json).toEqual({ threads: 0, turns: 0, documents: 0, passages: 0, facts: 0 })
    expect((await disk.ask('GET', '/v1/threads/t/turns', { key: bob })).text).toContain('xylophone')
  })

  it.each([{}, { threads: [] }, { everything: false }, { everything: true, threads: ['t'] }, { scope: 'x' }, { threads: ['a/b'] }])(
    'is refused for %j',
    async (body) => {
      const key = await fixture.key({ user: 'ada' })
      expect((await fixture.ask('POST', '/v1/erasures/preview', { key, body })).status).toBe(400)
    },
  )
})
