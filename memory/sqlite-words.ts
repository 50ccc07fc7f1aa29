import { type Database, writeMeta } from './sqlite-meta.ts'
import { decodeText } from './sqlite-values.ts'
import { recordTerms, wordsVersion } from './words.ts'

/**
 * The word index holds terms that `words.ts` made, each led by its scope's number, so that no search can match another scope's record. Secure
 * deletion takes a deleted record's terms out of the file at once and not at some later merge.
 */
const wordsSchema = `
  DROP TABLE IF EXISTS words;
  CREATE VIRTUAL TABLE words USING fts5 (terms, content = '', tokenize = 'ascii');
  INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
`

/** Terms of one full-text expression: scores of the parts of a long query add up. */
const termsAtOnce = 64

/** What the words of a record are made of, as its row holds it. */
export interface WordsRow {
  readonly key: number
  readonly scope: number
  readonly text: string | Buffer
  readonly context: string | Buffer | null
}

/** The word index behind typed calls, each inside the caller's transaction. */
export interface WordTable {
  add(row: WordsRow): void
  /** Needs the very text that was added. */
  remove(row: WordsRow): void
  /** BM25 scores of the records that hold one of the terms and pass the test. */
  scores(scope: number, terms: readonly string[], test: ((key: number) => boolean) | undefined): Map<number, number>
}

export function createWordTable(database: Database): WordTable {
  const insert = database.prepare('INSERT INTO words (rowid, terms) VALUES (?, ?)')
  const remove = database.prepare("INSERT INTO words (words, rowid, terms) VALUES ('delete', ?, ?)")
  let test: ((key: number) => boolean) | undefined
  database.function('is_meant', { directOnly: true }, (key) => (test?.(key as number) ? 1 : 0))
  const match = 'SELECT rowid, -bm25(words) FROM words WHERE words MATCH ?'
  const all = database.prepare<[string], [number, number]>(match).raw()
  const meant = database.prepare<[string], [number, number]>(`${match} AND is_meant(rowid)`).raw()

  return {
    add: (row) => void insert.run(row.key, rowTerms(row)),
    remove: (row) => void remove.run(row.key, rowTerms(row)),
    scores(scope, terms, only) {
      const scores = new Map<number, number>()
      const distinct = scopeTerms(scope, Array.from(new Set(terms)))
      test = only
      for (let start = 0; start < distinct.length; start += termsAtOnce) {
        const expression = distinct
          .slice(start, start + termsAtOnce)
          .map((term) => `"${term}"`)
          .join(' OR ')
        for (const [key, score] of (only ? meant : all).all(expression)) scores.set(key, (scores.get(key) ?? 0) + score)
      }
      return scores
    },
  }
}

/** Builds the word index anew from the records. To be called inside a transaction. */
export function buildWords(database: Database): void {
  database.exec(wordsSchema)
  const insert = database.prepare('INSERT INTO words (rowid, terms) VALUES (?, ?)')
  // In pages, as a statement that is being read keeps the connection from writing.
  const page = database.prepare<[number], WordsRow>('SELECT key, scope, text, context FROM records WHERE key > ? ORDER BY key LIMIT 1000')
  let rows = page.all(0)
  while (rows.length > 0) {
    for (const row of rows) insert.run(row.key, rowTerms(row))
    rows = page.all(rows.at(-1)?.key ?? 0)
  }
  writeMeta(database, 'words', String(wordsVersion))
}

function rowTerms({ scope, text, context }: WordsRow): string {
  const record = { text: decodeText(text), ...(context === null ? {} : { context: decodeText(context) }) }
  return scopeTerms(scope, recordTerms(record)).join(' ')
}

function scopeTerms(scope: number, terms: readonly string[]): string[] {
  return terms.map((term) => `${scope}x${term}`)
}
