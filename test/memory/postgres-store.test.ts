import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  createMemoryStore,
  type MemoryQuery,
  type MemoryRecord,
  type MemoryStore,
  openPostgresMemory,
  type PostgresMemoryOptions,
} from '../../memory/index.ts'
import { openPostgresStore } from '../../memory/postgres/open-postgres.ts'
import { connectPostgres, type SqlDatabase } from '../../memory/postgres/postgres-client.ts'
import { quoteName } from '../../memory/postgres/postgres-schema.ts'
import { memoryStoreSuite } from '../../testing/memory-store-suite.ts'
import { erasure } from '../../workflows/index.ts'
import { type SharedDatabase, startPglite } from './pglite.ts'
import { contents, createOperations, outcome } from './store-operations.ts'
import { turnVector } from './turn-vector.ts'

/** Address of a server that may be written to. */
const url = process.env['SCRIPTORIUM_POSTGRES']
const runner = { describe, it, expect }
let schemas = 0
const nextSchema = (): string => `test_${process.pid}_${++schemas}`

function record(id: string, parts: Partial<MemoryRecord> = {}): MemoryRecord {
  const { text = `whale ${id}` } = parts
  return { id, scope: 'one', documentId: 'book', start: 0, end: text.length, index: 0, text, ...parts }
}

function numbered(count: number, prefix: string, partsOf: (index: number) => Partial<MemoryRecord> = () => ({})): MemoryRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `${prefix}${index}`
    return record(id, { index, vector: turnVector(id), ...partsOf(index) })
  })
}

async function nearest(store: MemoryStore, name: string, k = 1): Promise<string[]> {
  const hits = await store.search({ scope: 'one', text: '', vector: turnVector(name), k, fusion: 'vectors' })
  return hits.map((hit) => hit.record.id)
}

describe.skipIf(url === undefined)('a PostgreSQL server (needs SCRIPTORIUM_POSTGRES)', { timeout: 60_000 }, () => {
  const openNew = (options: PostgresMemoryOptions = {}): Promise<MemoryStore> =>
    openPostgresMemory(url as string, { schema: nextSchema(), connections: 2, ...options })
  memoryStoreSuite('PostgreSQL store', () => openNew(), runner)

  let admin: SqlDatabase
  let stores: MemoryStore[] = []
  beforeAll(async () => {
    admin = await connectPostgres(url as string, '', { connections: 1, connectTimeout: 10 })
  })
  afterEach(async () => {
    for (const store of stores) await store.close()
    stores = []
  })
  afterAll(async () => {
    for (let n = 1; n <= schemas; n++) await admin.query(`DROP SCHEMA IF EXISTS test_${process.pid}_${n} CASCADE`)
    await admin.close()
  }, 300_000)

  async function open(schema: string, options: PostgresMemoryOptions = {}): Promise<MemoryStore> {
    const store = await openNew({ schema, ...options })
    stores.push(store)
    return store
  }

  it.each([
    ['with exact search', 20_000],
    ['with the approximate index', 0],
  ])(
    'does as the in-process store does, whatever is asked of both, %s',
    async (_, exactBelow) => {
      const actual = await open(nextSchema(), { exactBelow })
      await fc.assert(
        fc.asyncProperty(fc.array(createOperations(exactly), { minLength: 1, maxLength: 25 }), async (calls) => {
          await using expected = createMemoryStore()
          for (const scope of ['one', 'two']) for (const document of ['x', 'y']) await actual.deleteDocument(scope, document)
          for (const call of calls) expect(await outcome(call, actual)).toEqual(await outcome(call, expected))
          expect(await contents(actual)).toEqual(await contents(expected))
        }),
        { numRuns: 40 },
      )
    },
    240_000,
  )

  it('shows one process what another wrote, changed and deleted', async () => {
    const schema = nextSchema()
    const [first, second] = [await open(schema, { exactBelow: 0 }), await open(schema)]
    await first.put(numbered(30, 'a'))
    for (const store of [first, second]) expect(await nearest(store, 'a7')).toEqual(['a7'])
    await second.put(numbered(5, 'b'))
    for (const store of [first, second]) expect(await nearest(store, 'b3')).toEqual(['b3'])
    await first.update('one', 'a7', { vector: turnVector('moved') })
    for (const store of [first, second]) expect(await nearest(store, 'moved')).toEqual(['a7'])
    await second.delete('one', ['a7'])
    await second.update('one', 'b3', { vector: null })
    for (const store of [first, second]) {
      expect(await nearest(store, 'moved')).not.toEqual(['a7'])
      expect((await nearest(store, 'b3', 99)).includes('b3')).toBe(false)
      expect(await nearest(store, 'x', 99)).toHaveLength(33)
    }
  })

  it('misses no record that others write at once, in whatever order they are done', async () => {
    const schema = nextSchema()
    const writers = await Promise.all(['a', 'b', 'c'].map(() => open(schema, { exactBelow: 0, connections: 1 })))
    const reader = await open(schema, { exactBelow: 0 })
    const prefixes = ['a', 'b', 'c']
    await Promise.all([
      ...writers.map(async (writer, index) => {
        const all = numbered(24, prefixes[index] as string)
        // Batches of all lengths, so that a later one is often done first.
        for (let start = 0, size = index + 1; start < all.length; start += size, size = (size % 5) + 1) {
          await writer.put(all.slice(start, start + size))
        }
      }),
      (async () => {
        for (let n = 0; n < 12; n++) await nearest(reader, `a${n}`)
      })(),
    ])
    for (const one of prefixes.flatMap((prefix) => numbered(24, prefix))) expect(await nearest(reader, one.id)).toEqual([one.id])
    expect(await reader.count('one')).toBe(72)
  })

  it('gives turns that come at once places of their own', async () => {
    const schema = nextSchema()
    const [first, second] = [await open(schema), await open(schema)]
    const writers = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? first : second))
    await Promise.all(writers.map((store, n) => store.append('one', 'chat', [{ id: `t${n}`, text: `turn ${n}` }])))
    const turns = await first.list('one', 'chat')
    expect(turns.map(({ index }) => index)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  it('counts recalls while records are deleted', async () => {
    const schema = nextSchema()
    const [first, second] = [await open(schema), await open(schema)]
    await first.put(numbered(20, 'a'))
    const ids = numbered(20, 'a').map(({ id }) => id)
    await Promise.all([
      ...Array.from({ length: 10 }, (_, n) => first.touch('one', ids.toReversed(), n)),
      ...ids.slice(0, 10).map((id) => second.delete('one', [id])),
    ])
    expect(await first.count('one')).toBe(10)
    expect(await first.use('one', 'a15')).toEqual({ accesses: 10, accessedAt: 9 })
    expect((await first.coRecalled('one', 'a15', 99)).length).toBe(9)
  })

  it('makes its tables once when several open it at once', async () => {
    const schema = nextSchema()
    const opened = await Promise.all([open(schema), open(schema), open(schema)])
    await opened[0]?.put([record('a')])
    expect(await opened[2]?.count('one')).toBe(1)
  })

  it('refuses the tables of another program and those of a later version', async () => {
    const [theirs, later] = [nextSchema(), nextSchema()]
    await admin.query(`CREATE SCHEMA ${theirs}`)
    await admin.query(`CREATE TABLE ${theirs}.migrations (version integer)`)
    await expect(open(theirs)).rejects.toMatchObject({
      name: 'StoreError',
      reason: 'mismatch',
      store: expect.stringMatching(`#${theirs}$`) as string,
    })
    await open(later)
    await admin.query(`INSERT INTO ${later}.migrations VALUES (99, now())`)
    await expect(open(later)).rejects.toThrow(/its version 99 is later than this library knows/)
  })

  it('makes the word index anew when it is of another version', async () => {
    const schema = nextSchema()
    await (await open(schema)).put([record('a', { text: 'whales and whales', context: 'Knots' }), record('b', { text: 'rope' })])
    const query: MemoryQuery = { scope: 'one', text: 'whale knot', k: 9 }
    const before = await exactly(await open(schema), query)
    await admin.query(`DELETE FROM ${schema}.terms`)
    await admin.query(`UPDATE ${schema}.scopes SET terms = 0`)
    expect(await exactly(await open(schema), query)).toEqual([])
    await admin.query(`UPDATE ${schema}.meta SET value = '0' WHERE key = 'words'`)
    expect(await exactly(await open(schema), query)).toEqual(before)
    expect(before).toHaveLength(1)
  })

  it('refuses another embedder by both names', async () => {
    const schema = nextSchema()
    await (await open(schema, { embedderId: 'mini' })).put(numbered(1, 'a'))
    expect((await open(schema)).embedderId).toBe('mini')
    await expect(open(schema, { embedderId: 'large' })).rejects.toThrow(/large.*mini/)
    await expect(open(schema, { dimensions: 99 })).rejects.toMatchObject({ name: 'StoreError', reason: 'mismatch' })
  })

  it('keeps its index in a file, and catches up with what was written since', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postgres-'))
    try {
      const schema = nextSchema()
      const options = { exactBelow: 0, indexPath: join(folder, 'index') }
      const first = await open(schema, options)
      await first.put(numbered(50, 'a'))
      await nearest(first, 'a1')
      await first.close()
      const [file = ''] = readdirSync(folder)
      expect(JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8'))).toMatchObject({ last: 50 })
      await (await open(schema)).put(numbered(2, 'b'))
      const second = await open(schema, options)
      expect(await nearest(second, 'b1')).toEqual(['b1'])
      expect(second.erasableFiles()).toEqual([join(folder, file), join(folder, `${file}.json`)])
      await second.erase({ scope: 'one', ids: ['a1'] })
      expect(existsSync(join(folder, file))).toBe(false)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('finds words and ids that are longer than an index of the server holds, or says so', async () => {
    const store = await open(nextSchema())
    const long = 'x'.repeat(10_000)
    await store.put([record('a', { text: `whale ${long}` }), record('b')])
    expect((await store.search({ scope: 'one', text: long, k: 5 })).map((hit) => hit.record.id)).toEqual(['a'])
    const random = Array.from({ length: 9_000 }, (_, n) => Math.abs(Math.sin(n)).toString(36).slice(5)).join('')
    await expect(store.put([record(random)])).rejects.toMatchObject({ name: 'StoreError', reason: 'unknown' })
    expect(await store.count('one')).toBe(2)
  })

  it('takes back a write that the server broke off', async () => {
    const store = await open(nextSchema(), { dimensions: 16 })
    await expect(store.put([record('a'), record('b', { vector: new Float32Array(3).fill(1) })])).rejects.toMatchObject({
      reason: 'mismatch',
    })
    expect(await store.count('one')).toBe(0)
  })

  it('leaves nothing of what was erased in the files of its tables', async ({ skip }) => {
    const schema = nextSchema()
    const store = await open(schema)
    const secret = 'The xylophone lies buried under the third oak.'
    const vector = turnVector('secret')
    await store.put([...numbered(40, 'a'), record('s', { documentId: 'secret', text: secret, summary: 'A buried xylophone.', vector })])
    const files = async (): Promise<string[]> => tableFiles(admin, schema)
    await admin.query('CHECKPOINT')
    const held = async (bytes: string | Uint8Array): Promise<boolean> =>
      (await files()).some((file) => readFileSync(file).includes(Buffer.from(bytes)))
    if (!(await files()).every((file) => existsSync(file))) skip('the files of the server cannot be read here')
    expect([await held('xylophone lies'), await held('xylophon'), await held(new Uint8Array(vector.buffer))]).toEqual([true, true, true])
    const { preview, confirm } = erasure([store])
    const receipt = await confirm((await preview({ scope: 'one', documentIds: ['secret'] })).token)
    expect(receipt).toMatchObject({ verified: true, searches: { found: 0 } })
    await admin.query('CHECKPOINT')
    expect([await held('xylophon'), await held(new Uint8Array(vector.buffer))]).toEqual([false, false])
    expect(await held('whale a3')).toBe(true)
  })

  it('says which server does not answer and which database is missing, and no password', async () => {
    const address = new URL(url as string)
    address.pathname = '/none_such'
    await expect(openPostgresMemory(address.href)).rejects.toMatchObject({ name: 'StoreError', reason: 'missing' })
    const refused = openPostgresMemory('postgres://ada:secret@127.0.0.1:1/none', { connectTimeout: 2_000 })
    await expect(refused).rejects.toMatchObject({ name: 'StoreError', reason: 'missing', store: 'postgres://127.0.0.1:1/none#scriptorium' })
    await expect(refused).rejects.not.toThrow(/secret/)
  })
})

describe('what openPostgresMemory refuses', () => {
  it.each(['memory.db', '', 'https://example.com/'])('the address %j', async (address) => {
    await expect(openPostgresMemory(address)).rejects.toThrow(/its address is none/)
  })

  it('a schema that is no plain name', async () => {
    await expect(openPostgresMemory('postgres://127.0.0.1/none', { schema: 'a"; DROP' })).rejects.toThrow(
      /not of letters, digits and _: a"; DROP/,
    )
  })
})

describe('PostgreSQL in this process', { timeout: 60_000 }, () => {
  let shared: SharedDatabase
  beforeAll(async () => {
    shared = await startPglite()
  }, 300_000)
  afterAll(() => shared.close())

  const open = (options: PostgresMemoryOptions = {}): Promise<MemoryStore> => {
    const schema = nextSchema()
    return openPostgresStore(shared.connect(schema), schema, `pglite#${schema}`, options)
  }

  // One of the two is enough: the same statements, run by a server or within this process.
  describe.skipIf(url !== undefined)('as there is no SCRIPTORIUM_POSTGRES', () => {
    memoryStoreSuite('PostgreSQL store in the process', () => open(), runner)
  })

  describe('with pgvector', () => {
    it('finds by vector what the in-process store finds, inside any filter, after any change', async () => {
      await using expected = createMemoryStore()
      await using actual = await open({ vectors: 'pgvector' })
      const records = numbered(150, 'a', (n) => ({ kind: n % 3 === 0 ? 'turn' : 'passage', createdAt: n }))
      const compare = async (): Promise<void> => {
        for (const filter of [{}, { kinds: ['turn' as const] }, { from: 140 }, { documentIds: ['none'] }]) {
          const query = { scope: 'one', text: '', vector: turnVector('query'), k: 12, ...filter }
          expect(await exactly(actual, query)).toEqual(await exactly(expected, query))
        }
      }
      const changes: readonly ((store: MemoryStore) => Promise<unknown>)[] = [
        (store) => store.put(records),
        (store) => store.put([record('other', { scope: 'two', vector: turnVector('query') })]),
        (store) => store.update('one', 'a3', { vector: turnVector('query') }),
        (store) => store.update('one', 'a4', { vector: null }),
        (store) => store.delete('one', ['a3', 'a9', 'a149']),
        (store) => store.put([record('a9', { vector: turnVector('query, nearly') })]),
        (store) => store.erase({ scope: 'one', ids: ['a9'] }),
      ]
      for (const change of changes) {
        await Promise.all([change(expected), change(actual)])
        await compare()
      }
    })
  })
})

describe.skipIf(url === undefined)('a server without pgvector (needs SCRIPTORIUM_POSTGRES)', () => {
  it('is told apart by what to do', async ({ skip }) => {
    const opened = await openPostgresMemory(url as string, { schema: nextSchema(), vectors: 'pgvector' }).catch((error: unknown) => error)
    if (!(opened instanceof Error)) return skip('this server has pgvector')
    expect(opened).toMatchObject({ name: 'StoreError', reason: 'missing' })
    expect(opened.message).toMatch(/Install the extension on the server, or leave vectors to local/)
  })
})

/** Hits whole, with their scores to nine places. */
async function exactly(store: MemoryStore, query: MemoryQuery): Promise<unknown> {
  const hits = await store.search(query)
  return hits.map(({ record: found, score, words, similarity }) => [found, score.toFixed(9), words.toFixed(9), similarity?.toFixed(6)])
}

/** Files of the tables and indexes of a schema, with what lies beside them for long values. */
async function tableFiles(admin: SqlDatabase, schema: string): Promise<string[]> {
  const rows = await admin.query<{ path: string }>(
    `SELECT current_setting('data_directory') || '/' || pg_relation_filepath(c.oid) AS path
      FROM pg_class c WHERE c.relkind IN ('r', 'i', 't') AND (c.relnamespace = $1::text::regnamespace
        OR c.oid IN (SELECT reltoastrelid FROM pg_class WHERE relnamespace = $1::text::regnamespace))`,
    [quoteName(schema)],
  )
  return rows.map(({ path }) => path)
}
