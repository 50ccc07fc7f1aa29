import { withDerived } from '../derived-records.ts'
import type { MemoryRecord } from '../memory-record.ts'
import type { DocumentSummary, RangeOptions } from '../memory-store.ts'
import { type Database, writeMeta } from './sqlite-meta.ts'
import { type CandidateRow, candidateColumns, type RecordRow, toColumns, valueColumns } from './sqlite-rows.ts'
import { decodeText, encodeText } from './sqlite-values.ts'
import { createWordTable, type WordTable } from './sqlite-words.ts'
import { encodeVector } from '../vector-bytes.ts'

/** The records' tables behind typed calls. Each is one statement or runs inside the caller's transaction. */
export interface RecordTables {
  readonly words: WordTable
  scopeId(name: string): number | undefined
  ensureScope(name: string): number
  /** Forgets the scope's name when nothing of it is left. */
  dropEmptyScope(scope: number): void
  scopes(limit: number, after: string | undefined): string[]
  put(scope: number, record: MemoryRecord): void
  /** Replaces what is derived of a record; its text is the same. */
  change(row: RecordRow, record: MemoryRecord): void
  keyOf(scope: number, id: string): number | undefined
  byKey(key: number): RecordRow | undefined
  /** What ranking looks at, of those that are there. */
  candidates(keys: readonly number[]): CandidateRow[]
  byId(scope: number, id: string): RecordRow | undefined
  ofDocument(scope: number, document: string, range: RangeOptions): RecordRow[]
  neighbours(scope: number, document: string, first: number, last: number): number[]
  nextPlace(scope: number, document: string): number
  withoutVector(scope: number, limit: number): RecordRow[]
  /** Ids of what has expired, by scope. */
  expired(now: number): Map<number, string[]>
  /** @param document all of the scope's ids when left out */
  ids(scope: number, document?: string): string[]
  /** The ids that are there and those that were drawn from them alone. */
  withDerived(scope: number, ids: Iterable<string>): string[]
  delete(scope: number, ids: Iterable<string>): number
  completed(scope: number, document: string): string | undefined
  complete(scope: number, document: string, version: string): void
  /** @param document all of the scope's marks when left out */
  uncomplete(scope: number, document?: string): void
  count(scope: number): number
  documents(scope: number, limit: number, after: string | undefined): DocumentSummary[]
  meta(key: string): string | undefined
  setMeta(key: string, value: string): void
}

const rowOf = 'SELECT records.*, vectors.vector AS bytes FROM records LEFT JOIN vectors USING (key)'

export function createRecordTables(database: Database): RecordTables {
  const number = (sql: string) => database.prepare<unknown[], number>(sql).pluck()
  const row = (sql: string) => database.prepare<unknown[], RecordRow>(sql)
  const text = (sql: string) => database.prepare<unknown[], string | Buffer>(sql).pluck()
  const change = (sql: string) => database.prepare(sql)

  const scopeId = number('SELECT id FROM scopes WHERE name = ?')
  const insertScope = change('INSERT INTO scopes (name) VALUES (?)')
  const withRecords = 'EXISTS (SELECT 1 FROM records WHERE scope = scopes.id)'
  const withMarks = 'EXISTS (SELECT 1 FROM completed WHERE scope = scopes.id)'
  const dropEmptyScope = change(`DELETE FROM scopes WHERE id = ? AND NOT ${withRecords} AND NOT ${withMarks}`)
  const firstScopes = text(`SELECT name FROM scopes WHERE ${withRecords} ORDER BY name LIMIT ?`)
  const scopesAfter = text(`SELECT name FROM scopes WHERE ${withRecords} AND name > ? ORDER BY name LIMIT ?`)

  const nextChange = number('UPDATE changes SET last = last + 1 RETURNING last')
  const names = ['scope', 'id', 'change', 'vector', ...valueColumns]
  const insert = change(`INSERT INTO records (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
  const replace = change(`UPDATE records SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE key = ?`)
  const insertVector = change('INSERT OR REPLACE INTO vectors (key, scope, change, vector) VALUES (?, ?, ?, ?)')
  const insertSource = change('INSERT OR IGNORE INTO sources VALUES (?, ?, ?)')
  const insertRemoval = change('INSERT INTO removals VALUES (?, ?, ?)')
  const deleteVector = change('DELETE FROM vectors WHERE key = ?')
  const deleteSource = change('DELETE FROM sources WHERE scope = ? AND source = ? AND key = ?')
  const deleteUse = change('DELETE FROM uses WHERE key = ?')
  const deleteRecallsOfOthers = change('DELETE FROM recalls WHERE (key, other) IN (SELECT other, key FROM recalls WHERE key = ?)')
  const deleteRecalls = change('DELETE FROM recalls WHERE key = ?')
  const deleteRecord = change('DELETE FROM records WHERE key = ?')

  const keyOf = number('SELECT key FROM records WHERE scope = ? AND id = ?')
  const byKey = row(`${rowOf} WHERE key = ?`)
  const candidates = database.prepare<[string], CandidateRow>(
    `SELECT ${candidateColumns} FROM json_each(?) AS wanted CROSS JOIN records ON records.key = wanted.value`,
  )
  const byId = row(`${rowOf} WHERE records.scope = ? AND id = ?`)
  const range = `${rowOf} WHERE records.scope = ? AND document = ? AND place >= ? AND place < ? ORDER BY`
  const oldest = row(`${range} place, id LIMIT ?`)
  const newest = row(`${range} place DESC, id DESC LIMIT ?`)
  const neighbours = number('SELECT key FROM records WHERE scope = ? AND document = ? AND place BETWEEN ? AND ?')
  const nextPlace = number('SELECT coalesce(max(place), -1) + 1 FROM records WHERE scope = ? AND document = ?')
  const withoutVector = row('SELECT *, NULL AS bytes FROM records WHERE scope = ? AND vector IS NULL ORDER BY key LIMIT ?')
  const expired = database.prepare<[number], { scope: number; id: string | Buffer }>(
    'SELECT scope, id FROM records WHERE expires_at <= ? AND pinned IS NOT 1',
  )
  const idsOfScope = text('SELECT id FROM records WHERE scope = ?')
  const idsOfDocument = text('SELECT id FROM records WHERE scope = ? AND document = ?')
  const drawnFrom = database.prepare<unknown[], { id: string | Buffer; sources: string }>(
    'SELECT id, records.sources FROM sources JOIN records USING (key) WHERE sources.scope = ? AND source = ?',
  )
  const completed = database.prepare<unknown[], string>('SELECT version FROM completed WHERE scope = ? AND document = ?').pluck()
  const complete = change('INSERT OR REPLACE INTO completed VALUES (?, ?, ?)')
  const uncomplete = change('DELETE FROM completed WHERE scope = ? AND document = ?')
  const uncompleteAll = change('DELETE FROM completed WHERE scope = ?')
  const count = number('SELECT count(*) FROM records WHERE scope = ?')
  const summaries = 'SELECT document, count(*) AS records, max(created_at) AS lastAt FROM records WHERE scope = ?'
  const documents = database.prepare<unknown[], { document: string | Buffer; records: number; lastAt: number | null }>(
    `${summaries} GROUP BY document ORDER BY document LIMIT ?`,
  )
  const documentsAfter = database.prepare<unknown[], { document: string | Buffer; records: number; lastAt: number | null }>(
    `${summaries} AND document > ? GROUP BY document ORDER BY document LIMIT ?`,
  )
  const meta = database.prepare<[string], string>('SELECT value FROM meta WHERE key = ?').pluck()
  const words = createWordTable(database)

  function write(scope: number, record: MemoryRecord, old: RecordRow | undefined, sameVector: boolean): number {
    const thisChange = nextChange.get() as number
    const vector = sameVector ? (old?.vector ?? null) : record.vector ? thisChange : null
    const values = [scope, encodeText(record.id), thisChange, vector, ...toColumns(record)]
    const key = old ? old.key : Number(insert.run(values).lastInsertRowid)
    if (old) replace.run([...values, key])
    if (!sameVector && record.vector) insertVector.run(key, scope, thisChange, encodeVector(record.vector))
    if (!sameVector && !record.vector && old) deleteVector.run(key)
    return key
  }

  function unlinkSources({ key, scope, sources }: RecordRow): void {
    for (const source of JSON.parse(sources ?? '[]') as string[]) deleteSource.run(scope, encodeText(source), key)
  }

  function remove(old: RecordRow): void {
    const { key, scope } = old
    words.remove(old)
    unlinkSources(old)
    deleteVector.run(key)
    deleteUse.run(key)
    deleteRecallsOfOthers.run(key)
    deleteRecalls.run(key)
    deleteRecord.run(key)
    insertRemoval.run(nextChange.get(), scope, key)
  }

  const derived = (scope: number, ids: Iterable<string>): string[] => {
    const gone = withDerived(ids, {
      has: (id) => keyOf.get(scope, encodeText(id)) !== undefined,
      drawnFrom: (id) =>
        drawnFrom.all(scope, encodeText(id)).map((one) => ({ id: decodeText(one.id), sources: JSON.parse(one.sources) as string[] })),
    })
    return Array.from(gone)
  }

  return {
    words,
    scopeId: (name) => scopeId.get(encodeText(name)),
    ensureScope: (name) => scopeId.get(encodeText(name)) ?? Number(insertScope.run(encodeText(name)).lastInsertRowid),
    dropEmptyScope: (scope) => void dropEmptyScope.run(scope),
    scopes: (limit, after) => (after === undefined ? firstScopes.all(limit) : scopesAfter.all(encodeText(after), limit)).map(decodeText),
    put(scope, record) {
      const old = byId.get(scope, encodeText(record.id))
      if (old) {
        words.remove(old)
        unlinkSources(old)
      }
      const key = write(scope, record, old, false)
      for (const source of record.sources ?? []) insertSource.run(scope, encodeText(source), key)
      words.add({ key, scope, text: encodeText(record.text), context: record.context === undefined ? null : encodeText(record.context) })
    },
    change: (old, record) => void write(old.scope, record, old, sameBytes(old.bytes, record.vector)),
    keyOf: (scope, id) => keyOf.get(scope, encodeText(id)),
    byKey: (key) => byKey.get(key),
    candidates: (keys) => (keys.length === 0 ? [] : candidates.all(JSON.stringify(keys))),
    byId: (scope, id) => byId.get(scope, encodeText(id)),
    ofDocument(scope, document, { from = 0, until = Infinity, limit = -1, newest: last = false }) {
      const rows = (last ? newest : oldest).all(scope, encodeText(document), from, until, limit)
      return last ? rows.reverse() : rows
    },
    neighbours: (scope, document, first, last) => neighbours.all(scope, encodeText(document), first, last),
    nextPlace: (scope, document) => nextPlace.get(scope, encodeText(document)) ?? 0,
    withoutVector: (scope, limit) => withoutVector.all(scope, limit),
    expired(now) {
      const byScope = new Map<number, string[]>()
      for (const { scope, id } of expired.all(now)) {
        const ids = byScope.get(scope) ?? []
        ids.push(decodeText(id))
        byScope.set(scope, ids)
      }
      return byScope
    },
    ids(scope, document) {
      const ids = document === undefined ? idsOfScope.all(scope) : idsOfDocument.all(scope, encodeText(document))
      return ids.map(decodeText)
    },
    withDerived: derived,
    delete(scope, ids) {
      const gone = derived(scope, ids)
      for (const id of gone) remove(byId.get(scope, encodeText(id)) as RecordRow)
      return gone.length
    },
    completed: (scope, document) => completed.get(scope, encodeText(document)),
    complete: (scope, document, version) => void complete.run(scope, encodeText(document), version),
    uncomplete: (scope, document) => void (document === undefined ? uncompleteAll.run(scope) : uncomplete.run(scope, encodeText(document))),
    count: (scope) => count.get(scope) ?? 0,
    documents(scope, limit, after) {
      const rows = after === undefined ? documents.all(scope, limit) : documentsAfter.all(scope, encodeText(after), limit)
      return rows.map(({ document, records, lastAt }) => ({ documentId: decodeText(document), records, lastAt: lastAt ?? undefined }))
    },
    meta: (key) => meta.get(key),
    setMeta: (key, value) => writeMeta(database, key, value),
  }
}

function sameBytes(old: Buffer | null, vector: Float32Array | undefined): boolean {
  return old && vector ? old.equals(encodeVector(vector)) : !old && !vector
}
