import { bestKeys } from '../rank-candidates.ts'
import { type Database, writeMeta } from './sqlite-meta.ts'
import { decodeText } from './sqlite-values.ts'
import { recordTerms, wordsVersion } from '../words.ts'

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
const maxMatches = 2_000
/** Of those, the best whose score the query's common words are added to. */
const maxScored = 500
/** Of a query whose words are all common: its rarest words that are looked for two by two, and records taken of each two. */
const maxPaired = 4
const maxOfPair = 100
/** A word in more records of a scope tells none of them from another; counting them for its weight alone takes milliseconds. */
const maxTelling = 20_000

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
  /** @param also keys of records whose scores are wanted besides, whether they match or not */
  find(scope: number, terms: readonly string[], test: RecordKeyTest | undefined, also: readonly number[]): WordMatches
}

/** Whether the record of a key is meant. */
export type RecordKeyTest = (key: number) => boolean

/** What a search for words finds. */
export interface WordMatches {
  /**
   * BM25 scores of the records that hold one of the terms and pass the test: all where at most 2,000 do, which is every search of a small scope. In a
   * large one, the best of what its rarer words find, as words that are everywhere tell nothing apart. Where even the rarest is common, these are the
   * newest that hold it, and those that hold two of the query's rarest words.
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
  const matched = 'SELECT rowid FROM words WHERE words MATCH ?'
  const allKeys = database.prepare<unknown[], number>(`${matched} ${newest}`).pluck()
  const meantKeys = database.prepare<unknown[], number>(`${matched} AND is_meant(rowid) ${newest}`).pluck()
  // The plus keeps SQLite from matching the words once for every key.
  const among = database.prepare<unknown[], [number, number]>(`${match} AND +rowid IN (SELECT value FROM json_each(?))`).raw()

  /** Rarest first, without those that tell nothing, unless there are no others. */
  function countTerms(scope: number, terms: readonly string[]): readonly CountedTerm[] {
    const counted = scopeTerms(scope, Array.from(new Set(terms)))
      .map((term) => ({ term, records: count.get(term) ?? 0 }))
      .filter(({ records }) => records > 0)
      .toSorted((first, second) => first.records - second.records)
    return counted.filter(({ records }, at) => at === 0 || records <= maxTelling)
  }

  function findPairs(terms: readonly CountedTerm[], isFiltered: boolean): number[] {
    const few = terms.slice(0, maxPaired)
    const pairs = few.flatMap((one, at) => few.slice(at + 1).map((other) => `"${one.term}" AND "${other.term}"`))
    return pairs.flatMap((expression) => (isFiltered ? meantKeys : allKeys).all(expression, maxOfPair))
  }

  function find(scope: number, terms: readonly string[], only: RecordKeyTest | undefined, also: readonly number[]): WordMatches {
    test = only
    const counted = countTerms(scope, terms)
    const rare = takeRare(counted)
    const common = counted.slice(rare.length)
    const found = new Map<number, number>()
    addScores(found, rare, (expression) => (only ? meant : all).all(expression, maxMatches))
    const isCut = (rare[0]?.records ?? 0) > maxMatches
    if (!isCut && common.length === 0) return { scores: found, extend: () => undefined }

    const scores = new Map<number, number>()
    /** @param known scores by the rare words */
    function complete(keys: readonly number[], known: ReadonlyMap<number, number> | undefined): void {
      for (const key of keys) if (known?.has(key)) scores.set(key, known.get(key) ?? 0)
      const list = JSON.stringify(keys)
      if (keys.length > 0) addScores(scores, known ? common : counted, (expression) => among.all(expression, list))
    }
    const extend = (keys: readonly number[]): void =>
      complete(
        keys.filter((key) => !scores.has(key)),
        isCut ? undefined : found,
      )
    const best = bestKeys(found, maxScored)
    complete(isCut ? best : Array.from(new Set([...best, ...also])), found)
    if (isCut) extend(Array.from(new Set([...findPairs(counted, only !== undefined), ...also])))
    return { scores, extend }
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
