/** What the PostgreSQL store needs of a driver, and the driver `postgres`. */
import { loadOptional } from '../../errors/index.ts'

export type SqlValue = string | number | boolean | Uint8Array | null

/** Runs one statement at a time. Whole numbers of 64 bits are asked for as double precision, so that every driver gives numbers. */
export interface SqlClient {
  /** Name of the database schema that holds the store's tables, quoted. */
  readonly schema: string
  query<Row extends object>(sql: string, values?: readonly SqlValue[]): Promise<Row[]>
}

export interface SqlDatabase extends SqlClient {
  /** All of `work`'s statements are kept, or none. */
  transaction<T>(work: (client: SqlClient) => Promise<T>): Promise<T>
  close(): Promise<void>
}

interface ConnectOptions {
  /** Most connections that are open at once. */
  readonly connections: number
  /** Seconds to wait for a connection. */
  readonly connectTimeout: number
}

interface Runner {
  unsafe(sql: string, values: SqlValue[], options: { prepare: boolean }): Promise<unknown[]>
}

/** @throws MissingPackageError without the package `postgres` */
export async function connectPostgres(url: string, schema: string, { connections, connectTimeout }: ConnectOptions): Promise<SqlDatabase> {
  const { default: postgres } = await loadOptional('postgres', 'open a PostgreSQL store', () => import('postgres'))
  const connection = { application_name: 'scriptorium' }
  const sql = postgres(url, { max: connections, connect_timeout: connectTimeout, fetch_types: false, onnotice() {}, connection })
  const run = (runner: Runner): SqlClient['query'] => {
    return <Row extends object>(text: string, values: readonly SqlValue[] = []) =>
      runner.unsafe(text, [...values], { prepare: true }) as Promise<Row[]>
  }
  return {
    schema,
    query: run(sql),
    transaction: <T>(work: (client: SqlClient) => Promise<T>) =>
      sql.begin((inside) => work({ schema, query: run(inside as unknown as Runner) })) as Promise<T>,
    close: () => sql.end({ timeout: 5 }),
  }
}
