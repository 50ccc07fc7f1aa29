import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryStore, type MemoryRecord, type MemoryStore } from '../../memory/index.ts'
import { openPostgresMemory, openPostgresStore, type PostgresMemoryOptions } from '../../memory/open-postgres.ts'
import { memoryStoreSuite } from '../../testing/memory-store-suite.ts'
import { type SharedDatabase, startPglite } from './pglite.ts'

const url = process.env['SCRIPTORIUM_POSTGRES']
const runner = { describe, it, expect }
let schemas = 0
const nextSchema = (): string => `test_${process.pid}_${++schemas}`

describe.skipIf(url === undefined)('on a server (needs SCRIPTORIUM_POSTGRES)', () => {
  const openNew = (options: PostgresMemoryOptions = {}): Promise<MemoryStore> =>
    openPostgresMemory(url as string, { schema: nextSchema(), connections: 2, ...options })
  memoryStoreSuite('PostgreSQL store', () => openNew(), runner)
  memoryStoreSuite('PostgreSQL store with the approximate index', () => openNew({ exactBelow: 0 }), runner)
})

describe('inside this process', () => {
  let shared: SharedDatabase
  beforeAll(async () => {
    shared = await startPglite()
  }, 60_000)
  afterAll(() => shared.close())

  const open = (options: PostgresMemoryOptions = {}, schema = nextSchema()): Promise<MemoryStore> =>
    openPostgresStore(shared.connect(schema), schema, `pglite#${schema}`, options)
  memoryStoreSuite('PostgreSQL store in the process', () => open(), runner)
})
