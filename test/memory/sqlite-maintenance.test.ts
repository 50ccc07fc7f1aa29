import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FileMemoryStore, loadSqlite, type MemoryStore, openMemory, type OpenMemoryOptions } from '../../memory/index.ts'
import { canMount, mountDisk, unmountDisk } from '../small-disk.ts'
import { turnVector } from './turn-vector.ts'

const Database = await loadSqlite('open a database for a test')

let folder: string
let path: string
let stores: MemoryStore[]
let mounts: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'memory-maintenance-'))
  path = join(folder, 'memory.db')
  stores = []
  mounts = []
})

afterEach(async () => {
  for (const store of stores) await store.close()
  for (const place of mounts) unmountDisk(place)
  rmSync(folder, { recursive: true })
})

async function open(options: OpenMemoryOptions = {}, at = path): Promise<FileMemoryStore> {
  const store = await openMemory(at, options)
  stores.push(store)
  return store
}

async function fill(store: MemoryStore, count: number, scope = 'one'): Promise<void> {
  const turns = Array.from({ length: count }, (_, n) => ({ id: `t${n}`, text: `whale ${n} of ${scope}`, vector: turnVector(`t${n}`) }))
  await store.append(scope, 'chat', turns)
}

async function nearest(store: MemoryStore, id: string, scope = 'one'): Promise<string | undefined> {
  const [hit] = await store.search({ scope, text: '', vector: turnVector(id), k: 1, fusion: 'vectors' })
  return hit?.record.id
}

describe('the erasure of a SQLite store', () => {
  it('leaves no byte of what it erased in its files', async () => {
    const store = await open({ exactBelow: 0 })
    await fill(store, 60)
    await store.append('one', 'secret', [
      {
        id: 's',
        text: 'the xylophone of Quetzalcoatl',
        summary: 'a zither',
        context: 'Ytterbium',
        vector: turnVector('secret'),
        metadata: { key: 'Wolpertinger' },
      },
    ])
    await store.put([
      {
        id: 'f',
        scope: 'one',
        documentId: 'facts',
        index: 0,
        start: 0,
        end: 9,
        kind: 'fact',
        sources: ['s'],
        text: 'owns a zither of Quetzalcoatl',
      },
    ])
    await nearest(store, 's')
    await store.close()
    const again = await open({ exactBelow: 0 })
    const target = { scope: 'one', documentIds: ['secret'] }
    const parts: Buffer[] = [Buffer.from('xylophon'), Buffer.from('Wolpertinger'), Buffer.from('quetzalcoatl')]
    for await (const part of again.erasableContent(target)) parts.push(Buffer.from(part as string))
    const bytes = (): Buffer => Buffer.concat(again.erasableFiles().map((file) => readFileSync(file)))
    expect(parts.length).toBe(8)
    expect(again.erasableFiles().length).toBeGreaterThanOrEqual(3)
    expect(parts.filter((part) => !bytes().includes(part))).toEqual([])
    expect((await again.erase(target)).counts).toMatchObject({ turns: 1, facts: 1, vectors: 1 })
    expect(parts.filter((part) => bytes().includes(part))).toEqual([])
    expect(await nearest(again, 't7')).toBe('t7')
    await again.close()
    const files = (await open({ exactBelow: 0 })).erasableFiles()
    expect(parts.filter((part) => files.some((file) => readFileSync(file).includes(part)))).toEqual([])
    expect(await (stores.at(-1) as FileMemoryStore).verify()).toEqual([])
  })

  it('says that the log is still read by another, and does it when it is not', async () => {
    const store = await open({ busyTimeout: 0 })
    await fill(store, 5)
    const reader = new Database(path)
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM records').get()
    await expect(store.erase({ scope: 'one', ids: ['t1'] })).rejects.toMatchObject({ name: 'StoreError', reason: 'busy' })
    expect(await store.get('one', 't1')).toBe(undefined)
    reader.exec('COMMIT')
    reader.close()
    expect((await store.erase({ scope: 'one', ids: ['t1'] })).counts['turns']).toBe(0)
    expect(readFileSync(path).includes('whale 1 of one')).toBe(false)
    expect(statSync(`${path}-wal`).size).toBe(0)
  })
})

describe('the maintenance of a SQLite store', () => {
  it('gives space back and forgets which records went, without losing any other', async () => {
    const store = await open({ exactBelow: 0 })
    await fill(store, 400)
    await fill(store, 5, 'two')
    expect(await nearest(store, 't7')).toBe('t7')
    await store.delete(
      'one',
      Array.from({ length: 390 }, (_, n) => `t${n}`),
    )
    expect(await nearest(store, 't391')).toBe('t391')
    const { before, after } = await store.compact()
    expect(after).toBeLessThan(before)
    expect(await nearest(store, 't395')).toBe('t395')
    expect(await nearest(store, 't3', 'two')).toBe('t3')
    expect((await store.search({ scope: 'one', text: 'whales', k: 99 })).length).toBe(10)
    expect(await store.verify()).toEqual([])
  })

  it('copies itself while it is in use, as a store with an identity of its own', async () => {
    const store = await open({ exactBelow: 0 })
    await fill(store, 30)
    const copyPath = join(folder, 'copy.db')
    const copying = store.backup(copyPath)
    await store.append('one', 'chat', [{ id: 'later', text: 'after the copy' }])
    await copying
    await nearest(store, 't1')
    await store.close()
    const copy = await open({ exactBelow: 0 }, copyPath)
    expect(await copy.verify()).toEqual([])
    expect(await copy.get('one', 't29')).toMatchObject({ text: 'whale 29 of one', index: 29 })
    expect(await nearest(copy, 't4')).toBe('t4')
    const identity = (at: string): unknown => new Database(at).prepare("SELECT value FROM meta WHERE key = 'identity'").pluck().get()
    expect(identity(path)).not.toBe(identity(copyPath))
    await expect(copy.backup(join(folder, 'no', 'copy.db'))).rejects.toMatchObject({ name: 'StoreError', reason: 'missing' })
  })

  it('takes no index of a later state when an older copy is put in its place', async () => {
    const store = await open({ exactBelow: 0 })
    await fill(store, 20)
    await store.close()
    copyFileSync(path, join(folder, 'older.db'))
    const later = await open({ exactBelow: 0 })
    await later.append('one', 'chat', [{ id: 'late', text: 'whale', vector: turnVector('late') }])
    await nearest(later, 'late')
    await later.close()
    copyFileSync(join(folder, 'older.db'), path)
    const restored = await open({ exactBelow: 0 })
    await restored.append('one', 'chat', [{ id: 'other', text: 'whale', vector: turnVector('other') }])
    expect(await nearest(restored, 'other')).toBe('other')
    expect(await nearest(restored, 'late')).not.toBe('late')
  })

  it('leaves no half-written index of a process that was killed', async () => {
    await (await open()).close()
    const { pid: dead } = spawnSync(process.execPath, ['--version'])
    const left = (pid: number): string => `${path}.hnsw-1.${pid}.tmp`
    writeFileSync(left(dead), 'half')
    writeFileSync(left(process.pid), 'being written')
    const store = await open()
    expect([existsSync(left(dead)), existsSync(left(process.pid))]).toEqual([false, true])
    await fill(store, 2)
    await store.erase({ scope: 'one' })
    expect(existsSync(left(process.pid))).toBe(false)
  })

  it('sees what is derived and disagrees, and builds it anew', async () => {
    const store = await open()
    await fill(store, 20)
    const database = new Database(path)
    database.exec("INSERT INTO words (words) VALUES ('delete-all')")
    database.close()
    expect(await store.verify()).toEqual(['records without their words: 20'])
    expect(await store.search({ scope: 'one', text: 'whale', k: 3 })).toEqual([])
    await store.rebuild()
    expect(await store.verify()).toEqual([])
    expect((await store.search({ scope: 'one', text: 'whale', k: 3 })).length).toBe(3)
  })

  it('tells how large it is', async () => {
    const store = await open({ exactBelow: 0 })
    await fill(store, 10)
    await store.put([{ id: 'p', scope: 'two', documentId: 'book', index: 0, start: 0, end: 1, text: 'p', summary: 'short' }])
    await store.touch('one', ['t1', 't2'], 5)
    await nearest(store, 't1')
    await store.close()
    const { bytes, ...counts } = await (await open()).statistics()
    expect(counts).toEqual({ scopes: 2, records: { passage: 1, turn: 10, fact: 0 }, vectors: 10, summaries: 1, recalls: 2 })
    expect(bytes.database).toBe(statSync(path).size)
    expect(bytes.indexes).toBe(statSync(`${path}.hnsw-1`).size + statSync(`${path}.hnsw-1.json`).size)
  })
})

describe('a SQLite store at its limits', () => {
  it('finds its way among a million scopes without looking at all of them', async () => {
    await (await open()).close()
    const database = new Database(path)
    database.exec(`
      WITH RECURSIVE counter (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 1000000)
        INSERT INTO scopes (id, name) SELECT n, printf('scope %07d', n) FROM counter;
      INSERT INTO records (scope, id, document, place, span_start, span_end, change, text) SELECT id, 'a', 'book', 0, 0, 1, id, 'a' FROM scopes;
      UPDATE changes SET last = 1000000`)
    const plan = database.prepare('EXPLAIN QUERY PLAN SELECT id FROM scopes WHERE name = ?').all('x') as { detail: string }[]
    expect(plan.map(({ detail }) => detail).join()).toMatch(/^SEARCH scopes/)
    database.close()
    const store = await open()
    expect(await store.scopes(2, 'scope 0999997')).toEqual(['scope 0999998', 'scope 0999999'])
    await store.append('scope 0500000', 'chat', [{ id: 'b', text: 'whale', vector: turnVector('b') }])
    const hits = await store.search({ scope: 'scope 0500000', text: 'whale', vector: turnVector('b'), k: 5, now: 0 })
    expect(hits.map((hit) => hit.record.id)).toEqual(['b'])
    expect(await store.deleteDocument('scope 0999998', 'book')).toBe(1)
    expect(await store.scopes(1, 'scope 0999997')).toEqual(['scope 0999999'])
  }, 120_000)

  it.skipIf(!canMount)('reports a full disk, keeps what was acknowledged, and goes on when there is room', async () => {
    const disk = mountDisk(folder, 'size=1m')
    mounts.push(disk)
    const store = await open({}, join(disk, 'memory.db'))
    let written = 0
    const write = async (): Promise<void> => {
      for (; written < 100; written++) await store.append('one', 'chat', [{ id: `t${written}`, text: 'x'.repeat(50_000) }])
    }
    await expect(write()).rejects.toMatchObject({ name: 'StoreError', reason: 'full' })
    expect(written).toBeGreaterThan(2)
    expect(await store.count('one')).toBe(written)
    expect((await store.list('one', 'chat')).every(({ text }) => text.length === 50_000)).toBe(true)
    await store.close()
    const again = await open({}, join(disk, 'memory.db'))
    expect(await again.count('one')).toBe(written)
    expect(await again.verify()).toEqual([])
  })

  it.skipIf(!canMount)('reports a disk that cannot be written', async () => {
    const disk = mountDisk(folder, 'size=1m,ro')
    mounts.push(disk)
    await expect(open({}, join(disk, 'memory.db'))).rejects.toMatchObject({ name: 'StoreError', reason: 'read-only' })
  })
})
