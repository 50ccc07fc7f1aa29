import type { ErasureFinding, ErasureTarget } from '../erasable.ts'
import { describeErasure } from '../erasure-finding.ts'
import type { MemoryRecord } from '../memory-record.ts'
import type { SqliteFile } from './sqlite-file.ts'
import { truncateLog, vacuum } from './sqlite-maintenance.ts'
import { toRecord } from './sqlite-rows.ts'

/** Deletes records of a scope; gives how many went. */
export function deleteRecords(file: SqliteFile, action: string, scope: string, deleteFrom: (scopeId: number) => number): number {
  const scopeId = file.read(action, scope, (id) => id)
  if (scopeId === undefined) return 0
  const deleted = file.write(action, () => {
    const sum = deleteFrom(scopeId)
    file.tables.dropEmptyScope(scopeId)
    return sum
  })
  if (deleted > 0) purge(file, action, [scopeId])
  return deleted
}

/** Deletes what has expired in every scope; gives how many went. */
export function deleteExpired(file: SqliteFile, now: number): number {
  const { tables } = file
  const action = 'delete expired records'
  const scopes = new Set<number>()
  const deleted = file.write(action, () => {
    let sum = 0
    for (const [scope, ids] of tables.expired(now)) {
      scopes.add(scope)
      sum += tables.delete(scope, ids)
      tables.dropEmptyScope(scope)
    }
    return sum
  })
  if (deleted > 0) purge(file, action, scopes)
  return deleted
}

/** What SQL deletes does not live on in an index's file, nor in the log of writes unless another process reads it just now. */
function purge(file: SqliteFile, action: string, scopes: Iterable<number>): void {
  file.run(action, () => {
    for (const scope of scopes) file.vectors.discardFiles(scope)
    truncateLog(file)
  })
}

/** Deletes a target for good and empties the files of it. Also when nothing is found, as an earlier try may have been kept from emptying them. */
export function eraseRecords(file: SqliteFile, target: ErasureTarget): ErasureFinding {
  const { tables, vectors } = file
  const action = 'erase records'
  let scope: number | undefined
  const finding = file.write(action, () => {
    scope = tables.scopeId(target.scope)
    if (scope === undefined) return describeErasure([])
    const ids = targetIds(file, scope, target)
    const found = describeErasure(recordsOf(file, scope, ids, target.scope))
    tables.delete(scope, ids)
    for (const document of target.documentIds ?? []) tables.uncomplete(scope, document)
    if (!target.documentIds && !target.ids) tables.uncomplete(scope)
    tables.dropEmptyScope(scope)
    return found
  })
  file.run(action, () => {
    if (scope !== undefined) vectors.discardFiles(scope)
    vacuum(file)
  })
  return finding
}

/** The records of a target, with those that were drawn from them alone. */
export function* targetRecords(file: SqliteFile, target: ErasureTarget): Generator<MemoryRecord> {
  const scope = file.tables.scopeId(target.scope)
  if (scope !== undefined) yield* recordsOf(file, scope, targetIds(file, scope, target), target.scope)
}

function targetIds({ tables }: SqliteFile, scope: number, { documentIds, ids }: ErasureTarget): string[] {
  if (!documentIds && !ids) return tables.ids(scope)
  return tables.withDerived(scope, [...(documentIds ?? []).flatMap((document) => tables.ids(scope, document)), ...(ids ?? [])])
}

function* recordsOf({ tables }: SqliteFile, scope: number, ids: readonly string[], name: string): Generator<MemoryRecord> {
  for (const id of ids) {
    const row = tables.byId(scope, id)
    if (row) yield toRecord(row, name)
  }
}
