import { type Logger, silent } from '../../log/index.ts'
import type { MemoryStore, MemoryStoreOptions } from '../memory-store.ts'
import { createPgvectorSearch } from './pgvector-search.ts'
import { connectPostgres, type SqlDatabase } from './postgres-client.ts'
import { labelOf, toPostgresError } from './postgres-error.ts'
import { migratePostgres, quoteName } from './postgres-schema.ts'
import { PostgresStore } from './postgres-store.ts'
import { createLocalVectors } from './postgres-vectors.ts'
import { ensureWords } from './postgres-words.ts'

export interface PostgresMemoryOptions extends MemoryStoreOptions {
  /** Schema of the database that holds the tables, made when it is not there: letters, digits and _; `scriptorium` by default. Each is a store. */
  readonly schema?: string
  /** Most connections that are open at once; 4 by default. */
  readonly connections?: number
  /** Milliseconds to wait for a connection; 10,000 by default. */
  readonly connectTimeout?: number
  /** Searches among more vectors than this use the approximate index; 20,000 by default. */
  readonly exactBelow?: number
  /**
   * Where vectors are searched: `local`, by this process, is the default; `pgvector`, by the server, which must have that extension. Then
   * `exactBelow` and `indexPath` do nothing.
   */
  readonly vectors?: 'local' | 'pgvector'
  /** File on this machine for the approximate index, so that a new process need not build it anew; kept in memory alone by default. */
  readonly indexPath?: string
  /** Told when the derived index could not be saved. */
  readonly logger?: Logger
}

/**
 * Opens a store in a PostgreSQL database (13 or later). The database is the truth: rows, words and vectors; writers wait for each other, readers
 * for nobody, and any number of processes may use one store. The approximate index is this process's own and is caught up before each search.
 *
 * @param url such as `postgres://user:password@host:5432/database`
 * @throws TypeError for what is no such address; MissingPackageError without the package `postgres`; StoreError `missing` when no server
 *   answers or it has no such database, `read-only`, `full`, `busy`, or `mismatch` for another embedder, another program's tables or a later version
 */
export async function openPostgresMemory(url: string, options: PostgresMemoryOptions = {}): Promise<MemoryStore> {
  const { schema = 'scriptorium', connections = 4, connectTimeout = 10_000 } = options
  if (!URL.canParse(url) || !/^postgres(ql)?:$/.test(new URL(url).protocol)) {
    throw new TypeError(
      'Cannot open a PostgreSQL store as its address is none. Give one such as postgres://user:password@host:5432/database',
    )
  }
  if (!/^\w+$/.test(schema)) throw new TypeError(`Cannot open a PostgreSQL store as its schema is not of letters, digits and _: ${schema}`)
  const database = await connectPostgres(url, quoteName(schema), { connections, connectTimeout: connectTimeout / 1_000 })
  return openPostgresStore(database, schema, labelOf(url, schema), options)
}

/** Opens the store over a database that is connected, which it closes in the end, or when it fails. */
export async function openPostgresStore(
  database: SqlDatabase,
  schema: string,
  label: string,
  options: PostgresMemoryOptions = {},
): Promise<MemoryStore> {
  const { vectors: place = 'local', exactBelow = 20_000, indexPath, logger = silent } = options
  try {
    await migratePostgres(database, schema, label)
    await ensureWords(database)
    const vectors =
      place === 'pgvector'
        ? await createPgvectorSearch(database, label)
        : createLocalVectors({ client: database, exactBelow, indexPath, logger })
    const store = new PostgresStore({ database, vectors, label }, options)
    await store.checkIdentity()
    return store
  } catch (error) {
    await database.close()
    throw toPostgresError(error, 'open the memory store', label)
  }
}
