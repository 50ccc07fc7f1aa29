import type BetterSqlite3 from 'better-sqlite3'
import { loadOptional } from '../../errors/index.ts'

/**
 * Loads better-sqlite3 in the version that the running Node takes. Version 12, compiled against Node 24.19 or later, aborts the process when
 * a statement is collected outside of a call; version 13 needs Node 22 and crashes below. Both are optional dependencies, 13 under a name of
 * its own, and npm installs 13 only where Node is new enough.
 *
 * @param need what it is needed for, in the words that follow "Cannot"
 * @throws MissingPackageError when neither loads
 */
export function loadSqlite(need: string): Promise<typeof BetterSqlite3> {
  return loadOptional('better-sqlite3', need, async () => (await load13()) ?? open((await import('better-sqlite3')).default))
}

const NAME_OF_13: string = 'better-sqlite3-13'

async function load13(): Promise<typeof BetterSqlite3 | undefined> {
  if (Number.parseInt(process.versions.node, 10) < 22) return undefined
  try {
    return open(((await import(NAME_OF_13)) as { default: typeof BetterSqlite3 }).default)
  } catch {
    return undefined
  }
}

/** The native part loads with the first database, not with the import. */
function open(constructor: typeof BetterSqlite3): typeof BetterSqlite3 {
  new constructor(':memory:').close()
  return constructor
}
