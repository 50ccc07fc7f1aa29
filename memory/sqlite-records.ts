import type { MemoryRecord } from './memory-store.ts'
import { type Database, readMeta, rowTerms, scopeTerms, writeMeta } from './sqlite-database.ts'
import { decodeText, decodeVector, encodeText, encodeVector } from './sqlite-values.ts'

/** A record as the table holds it. */
export interface RecordRow {
  readonly seq: number
  readonly id: string
  readonly document: string
  readonly place: number
  readonly span_start: number
  readonly span_end: number
  readonly text: string | Buffer
  readonly context: string | Buffer | null
  readonly vector: Buffer | null
}

const columns = 'seq, id, document, place, span_start, span_end, text, context, vector'
const inDocuments = 'document IN (SELECT value FROM json_each(?))'
/** Terms of one full-text expression: scores of the parts of a long query add up. */
const termsAtOnce = 64

/** The tables behind typed calls. Each is one statement or runs inside the caller's transaction. */
export interface RecordTables {
  scopeId(name: string): number | undefined
  ensureScope(name: string): number
  put(scope: number, record: MemoryRecord): void
  bySeq(seq: number): RecordRow | undefined
  byId(scope: number, id: string): RecordRow | undefined
  ofDocument(scope: number, document: string): RecordRow[]
  neighbours(scope: number, document: string, first: number, last: number): number[]
  wordScores(scope: number, terms: readonly string[], documents: readonly string[] | undefined): Map<number, number>
  /** Numbers of the records with a vector, ascending. */
  withVector(scope: number, documents: readonly string[] | undefined): number[]
  deleteDocument(scope: number, document: string): number
  completed(scope: number, document: string): string | undefined
  complete(scope: number, document: string, version: string): void
  count(scope: number): number
  meta(key: string): string | undefined
  setMeta(key: string, value: string): void
}

export function createRecordTables(database: Database): RecordTables {
  const number = (sql: string) => database.prepare<unknown[], number>(sql).pluck()
  const row = (sql: string) => database.prepare<unknown[], RecordRow>(sql)
  const change = (sql: string) => database.prepare(sql)
  const pair = (sql: string) => database.prepare<unknown[], [number, number]>(sql).raw()

  const scopeId = number('SELECT id FROM scopes WHERE name = ?')
  const insertScope = change('INSERT INTO scopes (name) VALUES (?)')
  const insertRecord = change(
    'INSERT INTO records (scope, id, document, place, span_start, span_end, text, context, vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const insertWords = change('INSERT INTO words (rowid, terms) VALUES (?, ?)')
  const deleteRecord = change('DELETE FROM records WHERE seq = ?')
  const deleteWords = change("INSERT INTO words (words, rowid, terms) VALUES ('delete', ?, ?)")
  const deleteCompleted = change('DELETE FROM completed WHERE scope = ? AND document = ?')
  const bySeq = row(`SELECT ${columns} FROM records WHERE seq = ?`)
  const byId = row(`SELECT ${columns} FROM records WHERE scope = ? AND id = ?`)
  const ofDocument = row(`SELECT ${columns} FROM records WHERE scope = ? AND document = ?`)
  const neighbours = number('SELECT seq FROM records WHERE scope = ? AND document = ? AND place BETWEEN ? AND ?')
  const match = 'SELECT rowid, -bm25(words) FROM words WHERE words MATCH ?'
  const matches = pair(match)
  // The plus keeps SQLite from matching the words once for every record of the documents.
  const matchesInDocuments = pair(`${match} AND +rowid IN (SELECT seq FROM records WHERE scope = ? AND ${inDocuments})`)
  const withVector = number('SELECT seq FROM records WHERE scope = ? AND vector IS NOT NULL ORDER BY seq')
  const withVectorInDocuments = number(`SELECT seq FROM records WHERE scope = ? AND ${inDocuments} AND vector IS NOT NULL ORDER BY seq`)
  const completed = database.prepare<unknown[], string>('SELECT version FROM completed WHERE scope = ? AND document = ?').pluck()
  const complete = change('INSERT OR REPLACE INTO completed VALUES (?, ?, ?)')
  const count = number('SELECT count(*) FROM records WHERE scope = ?')

  function remove(scope: number, { seq, text, context }: RecordRow): void {
    deleteWords.run(seq, rowTerms(scope, text, context))
    deleteRecord.run(seq)
  }

  return {
    scopeId: (name) => scopeId.get(name),
    ensureScope: (name) => scopeId.get(name) ?? Number(insertScope.run(name).lastInsertRowid),
    put(scope, record) {
      const { id, documentId, index, start, end, text, context, vector } = record
      const old = byId.get(scope, id)
      if (old) remove(scope, old)
      const encodedText = encodeText(text)
      const encodedContext = context === undefined ? null : encodeText(context)
      const encodedVector = vector ? encodeVector(vector) : null
      const inserted = insertRecord.run(scope, id, documentId, index, start, end, encodedText, encodedContext, encodedVector)
      insertWords.run(inserted.lastInsertRowid, rowTerms(scope, encodedText, encodedContext))
    },
    bySeq: (seq) => bySeq.get(seq),
    byId: (scope, id) => byId.get(scope, id),
    ofDocument: (scope, document) => ofDocument.all(scope, document),
    neighbours: (scope, document, first, last) => neighbours.all(scope, document, first, last),
    wordScores(scope, terms, documents) {
      const scores = new Map<number, number>()
      const distinct = scopeTerms(scope, Array.from(new Set(terms)))
      for (let start = 0; start < distinct.length; start += termsAtOnce) {
        const expression = distinct
          .slice(start, start + termsAtOnce)
          .map((term) => `"${term}"`)
          .join(' OR ')
        const rows = documents ? matchesInDocuments.all(expression, scope, JSON.stringify(documents)) : matches.all(expression)
        for (const [seq, score] of rows) scores.set(seq, (scores.get(seq) ?? 0) + score)
      }
      return scores
    },
    withVector: (scope, documents) => (documents ? withVectorInDocuments.all(scope, JSON.stringify(documents)) : withVector.all(scope)),
    deleteDocument(scope, document) {
      const rows = ofDocument.all(scope, document)
      for (const old of rows) remove(scope, old)
      deleteCompleted.run(scope, document)
      return rows.length
    },
    completed: (scope, document) => completed.get(scope, document),
    complete(scope, document, version) {
      complete.run(scope, document, version)
    },
    count: (scope) => count.get(scope) ?? 0,
    meta: (key) => readMeta(database, key),
    setMeta: (key, value) => writeMeta(database, key, value),
  }
}

export function toRecord(row: RecordRow, scope: string): MemoryRecord {
  return {
    id: row.id,
    scope,
    documentId: row.document,
    start: row.span_start,
    end: row.span_end,
    index: row.place,
    text: decodeText(row.text),
    ...(row.context === null ? {} : { context: decodeText(row.context) }),
    ...(row.vector === null ? {} : { vector: decodeVector(row.vector) }),
  }
}
