import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadSqlite, openMemory } from '../../memory/index.ts'

const Database = await loadSqlite('open a database for a test')

/** The tables of version 1 as it made them. */
const version1 = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE scopes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
  CREATE TABLE records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    scope INTEGER NOT NULL REFERENCES scopes (id),
    id TEXT NOT NULL,
    document TEXT NOT NULL,
    place INTEGER NOT NULL,
    span_start INTEGER NOT NULL,
    span_end INTEGER NOT NULL,
    text NOT NULL,
    context,
    vector BLOB,
    UNIQUE (scope, id)
  );
  CREATE INDEX records_by_place ON records (scope, document, place);
  CREATE INDEX records_with_vector ON records (scope, document) WHERE vector IS NOT NULL;
  CREATE TABLE completed (scope INTEGER NOT NULL, document TEXT NOT NULL, version TEXT NOT NULL, PRIMARY KEY (scope, document)) WITHOUT ROWID;
  CREATE VIRTUAL TABLE words USING fts5 (terms, content = '', tokenize = 'ascii');
  INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
  INSERT INTO meta VALUES ('identity', 'abc'), ('words', '1'), ('dimensions', '2'), ('embedder', 'mini');
  INSERT INTO scopes VALUES (1, 'one'), (2, 'two');
  INSERT INTO completed VALUES (1, 'book', '7');
  PRAGMA application_id = 0x53637269;
  PRAGMA user_version = 1;
`

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'memory-migration-'))
  path = join(folder, 'memory.db')
})

afterEach(() => rmSync(folder, { recursive: true }))

function vector(first: number, second: number): Float32Array {
  return Float32Array.of(first, second)
}

/** A file of version 1 with records of two scopes, of which one was deleted before. */
function writeVersion1(): void {
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  database.exec(version1)
  const insert = database.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const words = database.prepare('INSERT INTO words (rowid, terms) VALUES (?, ?)')
  const bytes = ({ buffer }: Float32Array): Buffer => Buffer.from(buffer)
  const lone = Buffer.from('a\ud800b', 'utf16le')
  for (const [row, terms] of [
    [[1, 1, 'a', 'book', 0, 0, 5, 'whale', 'Title', bytes(vector(1, 0))], '1xtitl 1xwhale'],
    [[2, 1, 'b', 'book', 1, 5, 8, lone, null, bytes(vector(0, 1))], '1xb'],
    [[4, 2, 'a', 'book', 0, 0, 5, 'whales', null, null], '2xwhale'],
    [[9, 2, 'gone', 'book', 1, 0, 5, 'gone', null, null], '2xgone'],
  ] as const) {
    insert.run(...row)
    words.run(row[0], terms)
  }
  database.exec("DELETE FROM records WHERE seq = 9; INSERT INTO words (words, rowid, terms) VALUES ('delete', 9, '2xgone')")
  database.close()
}

describe('a file of version 1', () => {
  it('becomes one of this version, with all that it held', async () => {
    writeVersion1()
    writeFileSync(`${path}.hnsw`, 'the index of all scopes')
    writeFileSync(`${path}.hnsw.json`, '{}')
    const store = await openMemory(path, { embedderId: 'mini' })
    const first = {
      id: 'a',
      scope: 'one',
      documentId: 'book',
      start: 0,
      end: 5,
      index: 0,
      text: 'whale',
      context: 'Title',
      vector: vector(1, 0),
    }
    const second = { id: 'b', scope: 'one', documentId: 'book', start: 5, end: 8, index: 1, text: 'a\ud800b', vector: vector(0, 1) }
    expect(await store.list('one', 'book')).toEqual([first, second])
    expect(await store.isComplete('one', 'book', '7')).toBe(true)
    expect((await store.search({ scope: 'two', text: 'whale', k: 5 })).map((hit) => hit.record.id)).toEqual(['a'])
    expect((await store.search({ scope: 'one', text: 'title', vector: vector(0, 1), k: 5 })).map((hit) => hit.similarity)).toEqual([0, 1])
    expect((await store.withoutVector('two', 5)).map(({ id }) => id)).toEqual(['a'])
    expect(await store.verify()).toEqual([])
    expect([existsSync(`${path}.hnsw`), existsSync(`${path}.hnsw.json`)]).toEqual([false, false])
    await store.append('two', 'chat', [{ id: 'new', text: 'ship' }])
    await store.close()

    const again = await openMemory(path)
    expect(again.embedderId).toBe('mini')
    expect(await again.count('two')).toBe(2)
    expect(await again.deleteDocument('one', 'book')).toBe(2)
    expect(await again.verify()).toEqual([])
    await again.close()
    const database = new Database(path)
    expect(database.pragma('user_version', { simple: true })).toBe(2)
    // No key and no change is given twice, not even one of a record that version 1 had deleted.
    expect(database.prepare("SELECT key, change FROM records WHERE id = 'new'").get()).toMatchObject({ key: 10, change: 10 })
    database.close()
  })

  it('stays as it was when the change does not come to its end', async () => {
    writeVersion1()
    const database = new Database(path)
    database.exec('CREATE TABLE vectors (theirs)')
    database.close()
    await expect(openMemory(path)).rejects.toThrow(/vectors/)
    const after = new Database(path)
    expect(after.pragma('user_version', { simple: true })).toBe(1)
    expect(after.prepare('SELECT count(*) FROM records').pluck().get()).toBe(3)
    after.close()
  })

  it('of a version that is yet to come is refused and left as it was', async () => {
    await (await openMemory(path)).close()
    const database = new Database(path)
    database.pragma('user_version = 3')
    await expect(openMemory(path)).rejects.toMatchObject({ name: 'StoreError', reason: 'mismatch', store: path })
    await expect(openMemory(path)).rejects.toThrow(/newer version, with schema 3/)
    expect(database.pragma('user_version', { simple: true })).toBe(3)
    database.close()
  })
})
