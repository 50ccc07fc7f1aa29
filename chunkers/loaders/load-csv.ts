import type { Mark } from '../document.ts'
import type { LoadedText } from './loaded-text.ts'

const DELIMITERS = [',', ';', '\t', '|'] as const

/** The text as it is, with a mark for each row and one for the table, whose value is the header row. */
export async function loadCsv(text: string): Promise<LoadedText> {
  const rows: Mark[] = []
  let previous = 0
  for (const end of await rowEnds(text)) {
    const row = withoutLineEnds(text, previous, end)
    if (row.end > row.start) rows.push({ type: 'row', ...row })
    previous = end
  }
  const header = rows[0] && text.slice(rows[0].start, rows[0].end)
  const table: Mark[] = rows.length > 1 && header ? [{ type: 'table', start: rows[0]!.start, end: rows.at(-1)!.end, value: header }] : []
  return { text, sections: [], marks: [...table, ...rows] }
}

/** Past each row. Only quotes make a row of several lines; where they do not close, they are letters, and each line is a row. */
async function rowEnds(text: string): Promise<number[]> {
  const lineEnds = endsOfLines(text)
  if (!text.includes('"')) return lineEnds
  const { parse } = await import('csv-parse/sync')
  const ends: number[] = []
  try {
    parse(text, {
      delimiter: findDelimiter(text)?.delimiter ?? (text.includes('\t') ? '\t' : ','),
      relax_quotes: true,
      relax_column_count: true,
      // The cells stay in the text; of each record, the lines so far are of interest.
      on_record: (_record, { lines }) => (ends.push(lineEnds[Math.min(lines, lineEnds.length) - 1] ?? text.length), null),
    })
    return ends
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause
    return lineEnds
  }
}

/** The delimiter that splits the first lines into the same number of cells, two or more; undefined where none does. */
export function findDelimiter(text: string): { readonly delimiter: string; readonly columns: number; readonly rows: number } | undefined {
  const head = text.slice(0, 20_000).replace(/"(?:[^"]|"")*"/g, 'x')
  const lines = head.split(/\r?\n/)
  if (text.length > 20_000) lines.pop()
  const full = lines.filter((line) => line.trim() !== '').slice(0, 12)
  if (full.length < 2) return undefined
  const columnsBy = (delimiter: string): number => {
    const counts = new Set(full.map((line) => line.split(delimiter).length))
    return counts.size === 1 ? [...counts][0]! : 1
  }
  return DELIMITERS.map((delimiter) => ({ delimiter, columns: columnsBy(delimiter), rows: full.length }))
    .filter(({ columns }) => columns > 1)
    .toSorted((a, b) => b.columns - a.columns)[0]
}

/** Past each line end. */
function endsOfLines(text: string): number[] {
  const ends: number[] = []
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) ends.push(at + 1)
  if (ends.at(-1) !== text.length) ends.push(text.length)
  return ends
}

function withoutLineEnds(text: string, start: number, end: number): { start: number; end: number } {
  while (end > start && (text[end - 1] === '\n' || text[end - 1] === '\r')) end--
  while (start < end && (text[start] === '\n' || text[start] === '\r')) start++
  return { start, end }
}
