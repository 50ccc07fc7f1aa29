import { join } from 'node:path'
import { openMemory } from '../memory/index.ts'
import { sqliteJournal } from '../workflows/index.ts'
import { createService, type Service } from './create-service.ts'
import type { KeyStore } from './keys/key-store.ts'
import type { ServiceOptions } from './service-options.ts'
import { openServiceFile } from './sqlite/service-file.ts'
import { sqliteJobQueue } from './sqlite/sqlite-job-queue.ts'

/** A service with files of its own. */
export interface FileService extends Service {
  readonly keys: KeyStore
}

/** Milliseconds that turns of a thread are gathered for before what they lack is derived: together it takes fewer writes. */
const DERIVE_DELAY = 200

/** The file of keys and audit log in a service's folder. It may be opened while the service runs. */
export function serviceFilePath(folder: string): string {
  return join(folder, 'keys.db')
}

/**
 * Makes the memory service over the SQLite files of a folder, which are made where they are missing: memories, jobs, answers, and keys with the audit
 * log. One process may serve a folder at a time. Closing the service closes them.
 *
 * @param folder must exist
 * @throws MissingPackageError without better-sqlite3; StoreError, `busy` where another process serves the folder; TypeError as `createService`
 */
export async function openService(
  folder: string,
  options: Omit<ServiceOptions, 'memory' | 'queue' | 'keys' | 'audit' | 'journal'> = {},
): Promise<FileService> {
  const { embedder, logger } = options
  const log = logger ? { logger } : {}
  const opened: (() => Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of opened.toReversed()) await close()
  }
  try {
    const queue = await sqliteJobQueue(join(folder, 'jobs.db'), { delay: DERIVE_DELAY, ...log })
    opened.push(() => queue.close())
    const identity = embedder && { embedderId: embedder.id, dimensions: embedder.dimensions }
    const memory = await openMemory(join(folder, 'memory.db'), { ...identity, ...log })
    opened.push(() => memory.close())
    const journal = sqliteJournal(join(folder, 'runs.db'))
    opened.push(() => journal.close())
    const file = await openServiceFile(serviceFilePath(folder))
    opened.push(async () => file[Symbol.asyncDispose]())
    const service = createService({ ...options, memory, queue, journal, keys: file.keys, audit: file.audit })
    return {
      ...service,
      keys: file.keys,
      async close(closing) {
        await service.close(closing)
        await closeAll()
      },
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}
