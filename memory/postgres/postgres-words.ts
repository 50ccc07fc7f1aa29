/** The word index in PostgreSQL: a table of terms, scored as `bm25.ts` does. The server's own ranking, `ts_rank`, knows neither rarity nor length. */
import { createHash } from 'node:crypto'
import { b, countTerms, inverseFrequency, k1, saturate } from '../bm25.ts'
import type { SqlClient, SqlDatabase } from './postgres-client.ts'
import { SqlValues } from './postgres-filter.ts'
import { readMeta } from './postgres-meta.ts'
import { decodeSqlText, encodeSqlText } from './postgres-values.ts'
import { recordTerms, wordsVersion } from '../words.ts'

/** Longer terms stand in the index by their hash: an index entry of PostgreSQL holds no more than 2,704 bytes. */
const longestTerm = 200

/** What the scores of a scope need to know of it. */
interface ScopeSize {
  readonly scope: number
  readonly records: number
  /** Of all records together. */
  readonly terms: number
}

/** The scores of one query in one scope. */
export interface WordSearch {
  /** Best records first, as many as asked for; scores that order them, not to the last digit. */
  best(limit: number, conditions: (values: SqlValues) => readonly string[]): Promise<Map<number, number>>
  /** The exact scores of records. */
  scores(keys: readonly number[]): Promise<Map<number, number>>
}

interface TermRow {
  readonly seq: number
  readonly term: string
  readonly count: number
  readonly length: number
}

function termKeys(terms: readonly string[]): string[] {
  return terms.map((term) => (term.length > longestTerm ? createHash('sha256').update(term).digest('hex') : term))
}

export async function searchWords(client: SqlClient, size: ScopeSize, terms: readonly string[]): Promise<WordSearch> {
  const meanLength = size.terms / Math.max(1, size.records)
  const weights = new Map<string, number>()
  const keys = Array.from(new Set(termKeys(terms)))
  const wanted = new SqlValues()
  const scopeTerms = `scope = ${wanted.add(size.scope, 'bigint')} AND term = ANY (${wanted.texts(keys)})`
  const found =
    keys.length === 0
      ? []
      : await client.query<{ term: string; holding: number }>(
          `SELECT term, count(*)::float8 AS holding FROM ${client.schema}.terms WHERE ${scopeTerms} GROUP BY term`,
          wanted.list,
        )
  for (const { term, holding } of found) weights.set(decodeSqlText(term), inverseFrequency(size.records, holding))

  async function best(limit: number, conditions: (values: SqlValues) => readonly string[]): Promise<Map<number, number>> {
    if (weights.size === 0) return new Map()
    const values = new SqlValues()
    const pairs = values.add(JSON.stringify(Array.from(weights, ([term, weight]) => ({ term: encodeSqlText(term), weight }))), 'text')
    const scope = values.add(size.scope, 'bigint')
    const normal = `${1 - b} + ${b} * t.length / ${values.add(meanLength, 'float8')}`
    const inside = conditions(values)
    // From the best down, until enough are inside the filter: mostly nearly all are. The inner limits keep the server to that order.
    const filtered =
      inside.length === 0
        ? ''
        : `, LATERAL (SELECT 1 FROM ${client.schema}.records r WHERE r.seq = m.seq AND ${inside.join(' AND ')} LIMIT 1) AS inside`
    const rows = await client.query<{ seq: number; score: number }>(
      `SELECT m.seq::float8 AS seq, m.score FROM (
          SELECT t.seq, sum(w.weight * t.count * ${k1 + 1} / (t.count + ${k1} * (${normal}))) AS score
          FROM json_to_recordset(${pairs}::json) AS w (term text, weight float8),
            LATERAL (SELECT seq, count, length FROM ${client.schema}.terms WHERE scope = ${scope} AND term = w.term COLLATE "C" OFFSET 0) AS t
          GROUP BY t.seq ORDER BY score DESC, t.seq OFFSET 0
        ) AS m ${filtered} ORDER BY m.score DESC, m.seq LIMIT ${values.add(limit, 'bigint')}`,
      values.list,
    )
    return new Map(rows.map(({ seq, score }) => [seq, score]))
  }

  async function scores(records: readonly number[]): Promise<Map<number, number>> {
    const result = new Map<number, number>()
    if (weights.size === 0 || records.length === 0) return result
    const values = new SqlValues()
    const rows = await client.query<TermRow>(
      `SELECT seq::float8 AS seq, term, count, length FROM ${client.schema}.terms
        WHERE seq = ANY (${values.numbers(records)}) AND term = ANY (${values.texts(Array.from(weights.keys()))})`,
      values.list,
    )
    const byRecord = new Map<number, Map<string, TermRow>>()
    for (const row of rows) byRecord.set(row.seq, (byRecord.get(row.seq) ?? new Map<string, TermRow>()).set(decodeSqlText(row.term), row))
    // In the order of the query's terms, as a sum of floating-point numbers depends on it.
    for (const [seq, held] of byRecord)
      result.set(
        seq,
        keys.reduce((sum, term) => sum + scoreOf(held.get(term), weights.get(term), meanLength), 0),
      )
    return result
  }

  return { best, scores }
}

/** A record's terms as rows of a JSON parameter. */
export function termsOf(record: { readonly text: string; readonly context?: string }): { length: number; counts: Record<string, number> } {
  const terms = termKeys(recordTerms(record))
  return {
    length: terms.length,
    counts: Object.fromEntries(Array.from(countTerms(terms), ([term, count]) => [encodeSqlText(term), count])),
  }
}

interface RecordTerms {
  readonly scope: number
  readonly seq: number
  readonly length: number
  readonly counts: Readonly<Record<string, number>>
}

export async function insertTerms(client: SqlClient, records: readonly RecordTerms[]): Promise<void> {
  await client.query(
    `INSERT INTO ${client.schema}.terms (scope, term, seq, count, length)
      SELECT r.scope, t.key, r.seq, t.value::integer, r.length
      FROM json_to_recordset($1::text::json) AS r (scope bigint, seq bigint, length integer, counts json), json_each_text(r.counts) AS t`,
    [JSON.stringify(records)],
  )
}

/** Makes the terms of all records anew where they are of another version of `words.ts`. */
export async function ensureWords(database: SqlDatabase): Promise<void> {
  if ((await readMeta(database)).words === String(wordsVersion)) return
  await database.transaction(async (client) => {
    await client.query(`SELECT last FROM ${client.schema}.changes FOR UPDATE`)
    await client.query(`DELETE FROM ${client.schema}.terms`)
    for (let last = 0; ;) {
      const rows = await client.query<TextRow>(
        `SELECT seq::float8 AS seq, scope::float8 AS scope, text, context FROM ${client.schema}.records WHERE seq > $1::bigint ORDER BY seq LIMIT 500`,
        [last],
      )
      const next = rows.at(-1)
      if (!next) break
      last = next.seq
      const records = rows.map(termsOfRow)
      await insertTerms(client, records)
      await client.query(
        `UPDATE ${client.schema}.records r SET length = n.length FROM json_to_recordset($1::text::json) AS n (seq bigint, length integer) WHERE r.seq = n.seq`,
        [JSON.stringify(records.map(({ seq, length }) => ({ seq, length })))],
      )
    }
    await client.query(
      `UPDATE ${client.schema}.scopes s SET terms = (SELECT coalesce(sum(length), 0) FROM ${client.schema}.records r WHERE r.scope = s.id)`,
    )
    await client.query(
      `INSERT INTO ${client.schema}.meta VALUES ('words', $1::text) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
      [String(wordsVersion)],
    )
  })
}

interface TextRow {
  readonly seq: number
  readonly scope: number
  readonly text: string
  readonly context: string | null
}

function scoreOf(row: TermRow | undefined, weight: number | undefined, meanLength: number): number {
  return row && weight !== undefined ? weight * saturate(row.count, row.length, meanLength) : 0
}

function termsOfRow({ seq, scope, text, context }: TextRow): { readonly scope: number; readonly seq: number } & ReturnType<typeof termsOf> {
  const record = { text: decodeSqlText(text), ...(context === null ? {} : { context: decodeSqlText(context) }) }
  return { scope, seq, ...termsOf(record) }
}
