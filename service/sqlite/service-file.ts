import type { AuditEntry, AuditLog } from '../audit-log.ts'
import type { KeyStore } from '../keys/key-store.ts'
import type { StoredKey } from '../keys/service-key.ts'
import { type Database, openSqlite, type SqliteSchema, toStoreError } from './open-sqlite.ts'

const VERSION_1 = `
  CREATE TABLE keys (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, key TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    entry TEXT NOT NULL
  );
  CREATE INDEX audit_by_tenant ON audit (tenant, number);
`

/** Marks the file ("ScrS"). Several processes may use it: a key can be added while the service runs. */
const schema: SqliteSchema = { what: 'the file of keys', applicationId: 0x53637253, migrations: [VERSION_1] }

/** Keys and audit log in one file. */
export interface ServiceFile extends AsyncDisposable {
  readonly keys: KeyStore
  readonly audit: AuditLog
}

/**
 * Opens the file of keys and audit log.
 *
 * @param path of the file; `:memory:` keeps everything in memory
 * @throws as `openSqlite`
 */
export async function openServiceFile(path: string): Promise<ServiceFile> {
  const database = await openSqlite(path, schema)
  return {
    keys: createKeyStore(database, path),
    audit: createAuditLog(database, path),
    [Symbol.asyncDispose]: async () => void database.close(),
  }
}

function createKeyStore(database: Database, path: string): KeyStore {
  const put = database.prepare('INSERT OR REPLACE INTO keys VALUES (?, ?, ?)')
  const get = database.prepare<[string], string>('SELECT key FROM keys WHERE id = ?').pluck()
  const list = database.prepare<[], string>('SELECT key FROM keys ORDER BY created_at, id').pluck()
  const first = database.prepare('SELECT 1 FROM keys LIMIT 1')
  const parse = (json: string): StoredKey => JSON.parse(json) as StoredKey
  return {
    put: async (key) => use('write a key', path, () => void put.run(key.id, key.createdAt, JSON.stringify(key))),
    get: async (id) =>
      use('read a key', path, () => {
        const json = get.get(id)
        return json === undefined ? undefined : parse(json)
      }),
    list: async () => use('read keys', path, () => list.all().map(parse)),
    isEmpty: async () => use('read keys', path, () => first.get() === undefined),
  }
}

function createAuditLog(database: Database, path: string): AuditLog {
  const insert = database.prepare('INSERT INTO audit (at, tenant, entry) VALUES (?, ?, ?)')
  const list = database.prepare<[string, number, number], { readonly number: number; readonly entry: string }>(
    'SELECT number, entry FROM audit WHERE tenant = ? AND number < ? ORDER BY number DESC LIMIT ?',
  )
  return {
    write: async (entry) => use('write to the audit log', path, () => void insert.run(entry.at, entry.tenant, JSON.stringify(entry))),
    list: async (tenant, { limit, before = Number.MAX_SAFE_INTEGER }) =>
      use('read the audit log', path, () =>
        list.all(tenant, before, limit).map(({ number, entry }) => Object.assign(JSON.parse(entry) as AuditEntry, { number })),
      ),
  }
}

function use<T>(action: string, path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw toStoreError(error, action, path)
  }
}
