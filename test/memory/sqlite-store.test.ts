import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createMemoryStore,
  loadSqlite,
  type MemoryRecord,
  type MemoryStore,
  openMemory,
  type OpenMemoryOptions,
} from '../../memory/index.ts'
import { toStoreError } from '../../memory/sqlite/sqlite-error.ts'

const Database = await loadSqlite('open a database for a test')

const dimensions = 16
let folder: string
let path: string
let stores: MemoryStore[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'memory-'))
  path = join(folder, 'memory.db')
  stores = []
})

afterEach(async () => {
  for (const store of stores) await store.close()
  rmSync(folder, { recursive: true })
})

async function open(options: OpenMemoryOptions = {}): Promise<MemoryStore> {
  const store = await openMemory(path, options)
  stores.push(store)
  return store
}

/** Always the approximate index. */
const approximate: OpenMemoryOptions = { exactBelow: 0 }

function vector(seed: number): Float32Array {
  return Float32Array.from({ length: dimensions }, (_, index) => Math.sin(seed * 12.9898 + index * 78.233))
}

function records(count: number, from = 0, parts: Partial<MemoryRecord> = {}): MemoryRecord[] {
  return Array.from({ length: count }, (_, offset) => {
    const n = from + offset
    return {
      id: `r${n}`,
      scope: 'one',
      documentId: 'book',
      start: n,
      end: n + 1,
      index: n,
      text: `whale ${n}`,
      vector: vector(n),
      ...parts,
    }
  })
}

async function nearest(store: MemoryStore, seed: number, k = 5): Promise<string[]> {
  const hits = await store.search({ scope: 'one', text: '', vector: vector(seed), k, fusion: 'vectors' })
  return hits.map((hit) => hit.record.id)
}

async function exactNearest(all: readonly MemoryRecord[], seed: number, k = 5): Promise<string[]> {
  const oracle = createMemoryStore()
  await oracle.put(all)
  return nearest(oracle, seed, k)
}

describe('the SQLite store as a file', () => {
  it('holds after reopening what was put, unclosed', async () => {
    const first = await open({ embedderId: 'mini' })
    await first.put(records(3))
    await first.markComplete('one', 'book', '1')
    const second = await open()
    expect(second.embedderId).toBe('mini')
    expect(await second.list('one', 'book')).toEqual(records(3))
    expect(await second.isComplete('one', 'book', '1')).toBe(true)
    expect((await second.search({ scope: 'one', text: 'whales', k: 9 })).length).toBe(3)
  })

  it('shows one connection what the other wrote and deleted', async () => {
    const [first, second] = [await open(), await open()]
    await first.put(records(3))
    expect(await nearest(second, 1, 1)).toEqual(['r1'])
    await first.put(records(1, 7))
    expect(await nearest(second, 7, 1)).toEqual(['r7'])
    await first.deleteDocument('one', 'book')
    expect(await nearest(second, 7, 1)).toEqual([])
  })

  it('refuses another embedder by both names, and another length', async () => {
    const store = await open({ embedderId: 'mini' })
    await store.put(records(1))
    await expect(open({ embedderId: 'large' })).rejects.toThrow(/large.*mini/)
    await expect(open({ dimensions: 99 })).rejects.toMatchObject({ name: 'StoreError', reason: 'mismatch' })
    await expect(store.put(records(1, 1, { vector: new Float32Array(3).fill(1) }))).rejects.toThrow(/16 dimensions: 3/)
  })

  it('leaves neither words nor vectors of a deleted document in its files', async () => {
    const store = await open(approximate)
    const secret = Float32Array.from({ length: dimensions }, () => 0.123456)
    await store.put([...records(50), ...records(1, 90, { documentId: 'secret', text: 'xylophone', vector: secret })])
    await nearest(store, 90)
    await store.close()
    const bytes = (): Buffer => Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))))
    const secretBytes = Buffer.from(secret.buffer)
    expect(bytes().includes('xylophon')).toBe(true)
    expect(bytes().includes(secretBytes)).toBe(true)
    const again = await open(approximate)
    expect(await again.deleteDocument('one', 'secret')).toBe(1)
    expect(bytes().includes('xylophon')).toBe(false)
    expect(bytes().includes(secretBytes)).toBe(false)
    expect(await nearest(again, 3, 1)).toEqual(['r3'])
  })

  it('builds the word index anew when it is of another version', async () => {
    await (await open()).put(records(2))
    for (const store of stores) await store.close()
    const database = new Database(path)
    database.exec("INSERT INTO words (words) VALUES ('delete-all'); UPDATE meta SET value = '0' WHERE key = 'words'")
    database.close()
    expect((await (await open()).search({ scope: 'one', text: 'whales', k: 9 })).length).toBe(2)
  })

  it('finds rare words among thousands of common ones, and gives every result its true score', async () => {
    const store = await open()
    const common = records(2_600, 0, { vector: vector(1), text: 'whale ship' })
    await store.put([...common, ...records(1, 9_000, { text: 'whale rope' })])
    const search = (text: string, parts: object = {}): ReturnType<MemoryStore['search']> =>
      store.search({ scope: 'one', text, k: 3, ...parts })
    const [first, second] = await search('whale rope', { fusion: 'words' })
    expect(first?.record.id).toBe('r9000')
    expect((second?.words ?? 0) > 0 || second === undefined).toBe(true)
    expect((await search('whale', { fusion: 'words' })).every((hit) => hit.words > 0)).toBe(true)
    const near = await search('ship whale rope', { vector: vector(1), neighbours: 1, k: 60 })
    expect(near.length).toBe(60)
    expect(near.every((hit) => hit.words > 0)).toBe(true)
    expect(await search('whale', { documentIds: ['absent'] })).toEqual([])
  })

  it('finds what holds two words of a query, however common and however long ago', async () => {
    const store = await open()
    await store.put(records(1, 0, { text: 'whale ship' }))
    await store.put([...records(2_300, 1, { text: 'whale rope' }), ...records(2_300, 5_000, { text: 'ship deck' })])
    for (const parts of [{}, { documentIds: ['book'] }]) {
      const [first] = await store.search({ scope: 'one', text: 'ship whale', k: 1, fusion: 'words', ...parts })
      expect(first?.record.id).toBe('r0')
    }
  })

  it('ranks words as the in-process store does', async () => {
    const texts = [
      'whale ship',
      'whale whale rope',
      'rope',
      'ship ship ship deck',
      'deck of a ship with a rope',
      'sea',
      'wind',
      'sun',
      'moon',
      'star',
    ]
    const all = texts.flatMap((text, n) => records(1, n, { text }))
    const [exact, store] = [createMemoryStore(), await open()]
    await exact.put(all)
    await store.put(all)
    for (const text of ['whale', 'ship rope', 'deck', 'whale deck sea']) {
      const query = { scope: 'one', text, k: 9, fusion: 'words' } as const
      const order = async (one: MemoryStore): Promise<string[]> => (await one.search(query)).map((hit) => hit.record.id)
      expect(await order(store)).toEqual(await order(exact))
    }
  })
})

describe('the approximate index', () => {
  it('finds what the exact scan finds', async () => {
    const store = await open(approximate)
    const all = records(400)
    await store.put(all)
    let found = 0
    for (let seed = 1_000; seed < 1_020; seed++) {
      const exact = new Set(await exactNearest(all, seed, 10))
      found += (await nearest(store, seed, 10)).filter((id) => exact.has(id)).length
    }
    expect(found).toBeGreaterThanOrEqual(190)
  })

  it('looks inside the scope and the documents that are asked for', async () => {
    const store = await open(approximate)
    await store.put([...records(200), ...records(30, 200, { documentId: 'other' }), ...records(50, 0, { scope: 'two' })])
    const hits = await store.search({ scope: 'one', text: '', vector: vector(5), k: 40, documentIds: ['other'] })
    expect(hits.length).toBe(30)
    expect(new Set(hits.map((hit) => `${hit.record.scope}/${hit.record.documentId}`))).toEqual(new Set(['one/other']))
  })

  it('is one of its scope alone, and only where the scope is large', async () => {
    const store = await open({ exactBelow: 50 })
    await store.put([...records(30, 0, { scope: 'two' }), ...records(60), ...records(20, 0, { scope: 'three' })])
    expect(await nearest(store, 7, 1)).toEqual(['r7'])
    for (const scope of ['two', 'three']) {
      const hits = await store.search({ scope, text: '', vector: vector(7), k: 1, fusion: 'vectors' })
      expect(hits.map((hit) => `${hit.record.scope} ${hit.record.id}`)).toEqual([`${scope} r7`])
    }
    await store.close()
    expect(readdirSync(folder).filter((name) => name.endsWith('.json'))).toEqual(['memory.db.hnsw-2.json'])
  })

  it('is saved on closing and catches up with what was written since', async () => {
    const first = await open(approximate)
    await first.put(records(100))
    await nearest(first, 1)
    await first.close()
    expect(existsSync(`${path}.hnsw-1`)).toBe(true)
    const saved = JSON.parse(readFileSync(`${path}.hnsw-1.json`, 'utf8')) as { last: number }
    expect(saved.last).toBe(100)
    const second = await open()
    await second.put([...records(2, 500), ...records(1, 7, { vector: vector(900) })])
    await second.close()
    const third = await open(approximate)
    expect(await nearest(third, 501, 1)).toEqual(['r501'])
    expect(await nearest(third, 900, 1)).toEqual(['r7'])
    expect(await nearest(third, 7, 100)).toHaveLength(100)
  })

  const damages: [string, () => void][] = [
    ['missing', () => rmSync(`${path}.hnsw-1`)],
    ['empty', () => writeFileSync(`${path}.hnsw-1`, '')],
    ['cut short', () => writeFileSync(`${path}.hnsw-1`, readFileSync(`${path}.hnsw-1`).subarray(0, 500))],
    ['changed', () => writeFileSync(`${path}.hnsw-1`, readFileSync(`${path}.hnsw-1`).fill(0xff, 8, 64))],
    ['without its description', () => rmSync(`${path}.hnsw-1.json`)],
    ['with a damaged description', () => writeFileSync(`${path}.hnsw-1.json`, '{')],
    ['with a description that is none', () => writeFileSync(`${path}.hnsw-1.json`, 'null')],
    [
      'another store’s',
      () => writeFileSync(`${path}.hnsw-1.json`, readFileSync(`${path}.hnsw-1.json`, 'utf8').replace(/"identity":"./, '"identity":"x')),
    ],
  ]
  it.each(damages)('is built anew when it is %s', async (_, damage) => {
    const first = await open(approximate)
    await first.put(records(60))
    await nearest(first, 1)
    await first.close()
    damage()
    const second = await open(approximate)
    expect(await nearest(second, 33)).toEqual(await exactNearest(records(60), 33))
    await second.close()
    expect(JSON.parse(readFileSync(`${path}.hnsw-1.json`, 'utf8'))).toMatchObject({ last: 60, dimensions })
  })

  it('stays in the truth’s service: what it cannot save is logged and costs nothing else', async () => {
    const warnings: object[] = []
    const logger = { debug() {}, info() {}, error() {}, warn: (fields: object) => void warnings.push(fields) }
    const store = await open({ ...approximate, logger })
    await store.put(records(5))
    await nearest(store, 1)
    mkdirSync(`${path}.hnsw-1`)
    await store.close()
    expect(warnings).toMatchObject([{ path: `${path}.hnsw-1` }])
  })

  it('answers searches that come at once, and stops building for none but the aborted one', async () => {
    const store = await open(approximate)
    const all = records(600)
    await store.put(all)
    const controller = new AbortController()
    const query = { scope: 'one', text: '', vector: vector(3), k: 1, fusion: 'vectors' } as const
    const aborted = store.search({ ...query, signal: controller.signal })
    const others = [nearest(store, 3, 1), nearest(store, 4, 1)]
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
    expect(await Promise.all(others)).toEqual([['r3'], ['r4']])
  })
})

describe('what openMemory refuses', () => {
  it('a folder that is not there, by the path', async () => {
    await expect(openMemory(join(folder, 'no', 'memory.db'))).rejects.toMatchObject({ name: 'StoreError', reason: 'missing' })
  })

  it('a file that is no database, and leaves it as it was', async () => {
    writeFileSync(path, 'these are notes, not a database. '.repeat(100))
    await expect(open()).rejects.toMatchObject({ name: 'StoreError', reason: 'corrupt', store: path })
    expect(readFileSync(path, 'utf8')).toMatch(/^these are notes/)
  })

  it('another program’s database, and leaves it as it was', async () => {
    const database = new Database(path)
    database.exec('CREATE TABLE theirs (value)')
    database.close()
    await expect(open()).rejects.toMatchObject({ name: 'StoreError', reason: 'mismatch' })
    const again = new Database(path)
    expect(again.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['theirs'])
    again.close()
  })

  it('a damaged page when it is read', async () => {
    const store = await open()
    await store.put(records(300))
    await store.close()
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill(0xee, 4_096))
    await expect(open().then((damaged) => damaged.list('one', 'book'))).rejects.toMatchObject({ name: 'StoreError', reason: 'corrupt' })
  })

  it('a write while another process writes', async () => {
    const store = await open({ busyTimeout: 0 })
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE')
    await expect(store.put(records(1))).rejects.toMatchObject({ name: 'StoreError', reason: 'busy', store: path })
    other.exec('ROLLBACK')
    other.close()
    await store.put(records(1))
    expect(await store.count('one')).toBe(1)
  })

  it.each([
    ['SQLITE_READONLY', 'read-only'],
    ['SQLITE_READONLY_DBMOVED', 'read-only'],
    ['EACCES', 'read-only'],
    ['EROFS', 'read-only'],
    ['SQLITE_FULL', 'full'],
    ['ENOSPC', 'full'],
    ['SQLITE_CORRUPT_VTAB', 'corrupt'],
    ['SQLITE_NOTADB', 'corrupt'],
    ['SQLITE_BUSY_SNAPSHOT', 'busy'],
    ['SQLITE_IOERR_READ', 'unknown'],
  ])('reports %s as %s, with the path and what to do', (code, reason) => {
    const error = toStoreError(Object.assign(new Error('it did not work'), { code }), 'put records', '/somewhere/memory.db')
    expect(error).toMatchObject({ name: 'StoreError', reason, store: '/somewhere/memory.db' })
    expect(String(error)).toMatch(/Cannot put records as it did not work: \/somewhere\/memory\.db\. \w/)
  })

  it('passes the caller’s own errors as they are', () => {
    const error = new RangeError('mine')
    expect(toStoreError(error, 'put records', 'memory.db')).toBe(error)
  })
})
