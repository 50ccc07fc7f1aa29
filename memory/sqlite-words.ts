import { bestKeys } from './rank-candidates.ts'
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
/** Matches that are scored for one search, at one to two microseconds each. */
const maxMatches = 4_000
/** Of those, the best whose score the query's common words are added to. */
const maxScored = 500

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
  find(scope: number, terms: readonly string[], test: RecordKeyTest | undefined): WordMatches
}

/** Whether the record of a key is meant. */
export type RecordKeyTest = (key: number) => boolean

/** What a search for words finds. */
export interface WordMatches {
  /**
   * BM25 scores of the records that hold one of the terms and pass the test: all where at most 4,000 do, which is every search of a small scope. In a
   * large one, the best of what its rarer words find (of the newest, where even the rarest is common), as words that are everywhere tell nothing apart.
   */
  readonly scores: Map<number, number>
  /** Adds the scores of further records. */
  extend(keys: readonly number[]): void
}

interface CountedTerm {
  readonly term: string
  readonly records: number
}

export function createWordTable(database: Database): WordTable {
  database.exec('CREATE VIRTUAL TABLE IF NOT EXISTS temp.word_counts USING fts5vocab (main, words, row)')
  const insert = database.prepare('INSERT INTO words (rowid, terms) VALUES (?, ?)')
  const remove = database.prepare("INSERT INTO words (words, rowid, terms) VALUES ('delete', ?, ?)")
  const count = database.prepare<[string], number>('SELECT doc FROM temp.word_counts WHERE term = ?').pluck()
  let test: RecordKeyTest | undefined
  database.function('is_meant', { directOnly: true }, (key) => (test?.(key as number) ? 1 : 0))
  const match = 'SELECT rowid, -bm25(words) FROM words WHERE words MATCH ?'
  const newest = 'ORDER BY rowid DESC LIMIT ?'
  const all = database.prepare<unknown[], [number, number]>(`${match} ${newest}`).raw()
  const meant = database.prepare<unknown[], [number, number]>(`${match} AND is_meant(rowid) ${newest}`).raw()
  // The plus keeps SQLite from matching the words once for every key.
  const among = database.prepare<unknown[], [number, number]>(`${match} AND +rowid IN (SELECT value FROM json_each(?))`).raw()

  /** Rarest first. */
  function countTerms(scope: number, terms: readonly string[]): CountedTerm[] {
    return scopeTerms(scope, Array.from(new Set(terms)))
      .map((term) => ({ term, records: count.get(term) ?? 0 }))
      .filter(({ records }) => records > 0)
      .toSorted((first, second) => first.records - second.records)
  }

  function find(scope: number, terms: readonly string[], only: RecordKeyTest | undefined): WordMatches {
    test = only
    const counted = countTerms(scope, terms)
    const rare = takeRare(counted)
    const scores = new Map<number, number>()
    addScores(scores, rare, (expression) => (only ? meant : all).all(expression, maxMatches))
    const isWhole = rare.length === counted.length && (counted.length > 1 || (counted[0]?.records ?? 0) <= maxMatches)
    if (isWhole) return { scores, extend: () => undefined }
    const best = new Map(bestKeys(scores, maxScored).map((key) => [key, scores.get(key) ?? 0]))
    addScores(best, counted.slice(rare.length), (expression) => among.all(expression, JSON.stringify(Array.from(best.keys()))))
    return {
      scores: best,
      extend(keys) {
        const missing = keys.filter((key) => !best.has(key))
        if (missing.length > 0) addScores(best, counted, (expression) => among.all(expression, JSON.stringify(missing)))
      },
    }
  }

  return { add: (row) => void insert.run(row.key, rowTerms(row)), remove: (row) => void remove.run(row.key, rowTerms(row)), find }
}

/** As many of the rarest terms as find no more than what may be scored, and at least one. */
function takeRare(terms: readonly CountedTerm[]): readonly CountedTerm[] {
  let sum = 0
  const tooMany = terms.findIndex(({ records }, at) => (sum += records) > maxMatches && at > 0)
  return tooMany < 0 ? terms : terms.slice(0, tooMany)
}

function addScores(
  scores: Map<number, number>,
  terms: readonly CountedTerm[],
  search: (expression: string) => readonly (readonly [number, number])[],
): void {
  for (let start = 0; start < terms.length; start += termsAtOnce) {
    const expression = terms
      .slice(start, start + termsAtOnce)
      .map(({ term }) => `"${term}"`)
      .join(' OR ')
    for (const [key, score] of search(expression)) scores.set(key, (scores.get(key) ?? 0) + score)
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
