import { errorCode, StoreError } from '../../errors/index.ts'
import type { MemoryStoreOptions } from '../memory-store.ts'
import type { SqlClient, SqlDatabase } from './postgres-client.ts'
import { toPostgresError } from './postgres-error.ts'
import { findScope, readMeta, type SqlScope, writeMeta } from './postgres-meta.ts'
import type { SqlVectorSearch } from './postgres-vectors.ts'
import { checkEmbedder } from '../vectors.ts'

export interface PostgresStoreParts {
  readonly database: SqlDatabase
  readonly vectors: SqlVectorSearch
  /** Name of the store in messages. */
  readonly label: string
}

/** How often a write is tried that the server broke off as it stood in another's way. */
const attempts = 5

/** An open store's database: its reads and writes with their errors, and whose vectors it holds. */
export class PostgresAccess {
  readonly label: string
  readonly vectors: SqlVectorSearch
  readonly #database: SqlDatabase
  readonly #given: Pick<MemoryStoreOptions, 'embedderId' | 'dimensions'>
  #embedderId: string | undefined
  #dimensions: number | undefined
  #closing: Promise<void> | undefined

  constructor({ database, vectors, label }: PostgresStoreParts, given: MemoryStoreOptions) {
    this.#database = database
    this.vectors = vectors
    this.label = label
    this.#given = given
    this.#embedderId = given.embedderId
    this.#dimensions = given.dimensions
  }

  get embedderId(): string | undefined {
    return this.#embedderId
  }

  /** Length of the vectors, where it is known. */
  get dimensions(): number | undefined {
    return this.#dimensions
  }

  /** Looks whose vectors the store holds. @throws StoreError `mismatch` when they are another embedder's than was said */
  async readIdentity(client: SqlClient): Promise<void> {
    const { embedder, dimensions } = await readMeta(client)
    checkEmbedder(embedder, this.#given.embedderId, this.label)
    this.#embedderId = embedder ?? this.#given.embedderId
    this.#dimensions = dimensions === undefined ? this.#given.dimensions : Number(dimensions)
    if (this.#given.dimensions === undefined || this.#given.dimensions === this.#dimensions) return
    throw new StoreError(
      `Cannot use the store ${this.label} for vectors of ${this.#given.dimensions} dimensions as it holds vectors of others: ${this.#dimensions}`,
      { reason: 'mismatch', store: this.label },
    )
  }

  /** With the first vectors. */
  async recordIdentity(client: SqlClient, dimensions: number | undefined): Promise<void> {
    const { embedderId } = this.#given
    await writeMeta(client, { dimensions: String(dimensions), ...(embedderId === undefined ? {} : { embedder: embedderId }) })
  }

  inScope<T>(action: string, scope: string, none: T, read: (client: SqlClient, scope: SqlScope) => Promise<T>): Promise<T> {
    return this.read(action, async (client) => {
      const known = await findScope(client, scope)
      return known ? read(client, known) : none
    })
  }

  async read<T>(action: string, read: (client: SqlClient) => Promise<T>): Promise<T> {
    this.#checkOpen(action)
    try {
      return await read(this.#database)
    } catch (error) {
      throw toPostgresError(error, action, this.label)
    }
  }

  /** Runs `write` in a transaction, again when the server broke it off. */
  async write<T>(action: string, write: (client: SqlClient) => Promise<T>): Promise<T> {
    this.#checkOpen(action)
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#database.transaction(write)
      } catch (error) {
        if (attempt === attempts || !isTransient(error)) throw toPostgresError(error, action, this.label)
      }
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.vectors.close().finally(() => this.#database.close())
    return this.#closing
  }

  #checkOpen(action: string): void {
    if (!this.#closing) return
    throw new StoreError(`Cannot ${action} as the store is closed: ${this.label}`, { reason: 'closed', store: this.label })
  }
}

/** Serialisation failures and deadlocks: the server took everything back, and the same may succeed now. */
function isTransient(error: unknown): boolean {
  return error instanceof Error && /^40(001|P01)$/.test(errorCode(error))
}
