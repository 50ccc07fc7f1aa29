/** PostgreSQL inside this process, for tests where no server is at hand, and with pgvector, which few servers have. */
import { PGlite, type Results } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import type { SqlClient, SqlDatabase, SqlValue } from '../../memory/postgres/postgres-client.ts'
import { quoteName } from '../../memory/postgres/postgres-schema.ts'

interface Runner {
  query(sql: string, values: unknown[]): Promise<Results>
}

/** A database that all schemas of a test file share, as it takes seconds to start. */
export interface SharedDatabase {
  /** A connection to a schema; closing it leaves the database open. */
  connect(schema: string): SqlDatabase
  close(): Promise<void>
}

export async function startPglite(): Promise<SharedDatabase> {
  const database = await PGlite.create({ extensions: { vector } })
  return {
    connect(name) {
      const schema = quoteName(name)
      const clientOf = (runner: Runner): SqlClient => ({
        schema,
        async query<Row extends object>(sql: string, values: readonly SqlValue[] = []) {
          return (await runner.query(sql, [...values])).rows as Row[]
        },
      })
      return {
        ...clientOf(database),
        transaction: (work) => database.transaction((inside) => work(clientOf(inside))),
        close: async () => {},
      }
    },
    close: () => database.close(),
  }
}
