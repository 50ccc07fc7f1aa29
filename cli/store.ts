import { access, constants, mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import envPaths from 'env-paths'
import { StoreError } from '../errors/index.ts'
import { type MemoryStore, openMemory } from '../memory/index.ts'
import { type Journal, sqliteJournal } from '../workflows/index.ts'
import type { CommonFlags } from './options.ts'
import type { Terminal } from './terminal.ts'

/** The folder of runs and indexes: `--store`, else $SCRIPTORIUM_HOME, else the user's cache folder. */
export function storeFolder({ store }: Pick<CommonFlags, 'store'>, { env }: Pick<Terminal, 'env'>): string {
  return store ?? (env['SCRIPTORIUM_HOME'] || envPaths('scriptorium', { suffix: '' }).cache)
}

/** The journal of a folder. It is opened, and the folder made, when it is first used. */
export function journalOf(folder: string): Journal {
  return sqliteJournal(join(folder, 'runs.db'))
}

export async function hasJournal(folder: string): Promise<boolean> {
  return isThere(join(folder, 'runs.db'))
}

/** The indexes of the documents that were read. */
export async function openIndexes(folder: string): Promise<MemoryStore> {
  await makeFolder(folder)
  return openMemory(join(folder, INDEXES))
}

const INDEXES = 'indexes.db'

/** The file of those indexes. */
export function indexFile(flags: Pick<CommonFlags, 'store'>, terminal: Pick<Terminal, 'env'>): string {
  return join(storeFolder(flags, terminal), INDEXES)
}

/** @throws StoreError when it cannot be made or written to */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
    await access(folder, constants.W_OK)
  } catch (cause) {
    const { code = 'unknown', message } = cause as NodeJS.ErrnoException
    const reason = code === 'ENOSPC' ? 'full' : code === 'EEXIST' || code === 'ENOTDIR' ? 'missing' : 'read-only'
    throw new StoreError(`Cannot open the store as ${message}: ${folder}. Choose another folder with --store or SCRIPTORIUM_HOME`, {
      reason,
      store: folder,
      cause,
    })
  }
}

/** The folder of caches that `cache build` makes, and of what merges that are under way have so far. */
export function cacheFolder(flags: Pick<CommonFlags, 'store'>, terminal: Pick<Terminal, 'env'>): string {
  return join(storeFolder(flags, terminal), 'caches')
}

/** The folder of the memory service. */
export function serviceFolder(flags: Pick<CommonFlags, 'store'>, terminal: Pick<Terminal, 'env'>): string {
  return join(storeFolder(flags, terminal), 'service')
}

export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
