import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ModelFileError } from '../errors/index.ts'
import { type Erasable, type ErasureFinding, type ErasureTarget, hashErasable } from '../memory/index.ts'
import { readCacheHeader } from '../models/index.ts'

export interface CacheHolderOptions {
  /** Names of files in the folder that go with any erasure: for caches that were saved without saying what they were computed of. */
  readonly names?: readonly string[]
}

interface FoundCache {
  readonly file: string
  readonly documentIds: readonly string[]
}

const cacheName = /\.cache(?:\.[\w-]+\.tmp)?$/

/**
 * The saved caches of a folder (`*.cache`) as a holder, and what a killed process left half written of them: an erasure deletes those that were
 * saved with its scope and one of its documents. A cache that does not say what it was computed of is no erasure's, unless it is named; nor is
 * one of single records, which caches know nothing of.
 *
 * @param folder may be missing
 */
export function cacheHolder(folder: string, { names = [] }: CacheHolderOptions = {}): Erasable {
  const named = new Set(names)

  async function find(target: ErasureTarget): Promise<FoundCache[]> {
    const found: FoundCache[] = []
    for (const file of await filesIn(folder)) {
      const documentIds = named.has(file) ? [] : await documentsOf(join(folder, file), target)
      if (documentIds) found.push({ file, documentIds })
    }
    return found
  }

  return {
    findErasable: async (target) => describe(await find(target)),
    async erase(target) {
      const found = await find(target)
      for (const { file } of found) await rm(join(folder, file), { force: true })
      return describe(found)
    },
    // Numbers computed of a text hold none of its bytes.
    async *erasableContent() {},
    erasableFiles: () => [],
  }
}

/** The documents of a cache that the target means; undefined for a cache that it does not mean. */
async function documentsOf(file: string, { scope, documentIds, ids }: ErasureTarget): Promise<readonly string[] | undefined> {
  const header = await readCacheHeader(file).catch((error: unknown) => {
    // A damaged file says nothing; the folder's owner can delete it.
    if (error instanceof ModelFileError) return undefined
    throw error
  })
  if (header?.scope !== scope) return undefined
  const { documentIds: own = [] } = header
  if (!documentIds && !ids) return own
  return own.some((id) => documentIds?.includes(id)) ? own : undefined
}

function describe(found: readonly FoundCache[]): ErasureFinding {
  return {
    holder: 'caches',
    counts: { files: found.length },
    hash: hashErasable(found.map(({ file, documentIds }) => [file, ...documentIds])),
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return files.filter((file) => cacheName.test(file)).toSorted()
}
