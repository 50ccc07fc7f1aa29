import type { Mark } from '../document.ts'
import type { LoadedText } from './loaded-text.ts'
import { damaged, messageOf } from './refusals.ts'

const DELIMITERS = [',', ';', '\t', '|'] as const

/** The text as it is, with a mark for each row and one for the table, whose value is the header row. */
export async function loadCsv(text: string, source: string): Promise<LoadedText> {
  const delimiter = findDelimiter(text)?.delimiter ?? ','
  const { parse } = await import('csv-parse/sync')
  const marks: Mark[] = []
  let previous = 0
  const ends = attempt(source, () => {
    // Only how many lines each record takes is of interest; the cells stay in the text.
    const records: number[] = []
    parse(text, {
      delimiter,
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: false,
      on_record: (_record, { lines }) => (records.push(lines), null),
    })
    return records
  })
  const lineEnds = endsOfLines(text)
  for (const lines of ends) {
    const end = lineEnds[Math.min(lines, lineEnds.length) - 1] ?? text.length
    const row = withoutLineEnds(text, previous, end)
    if (row.end > row.start) marks.push({ type: 'row', ...row })
    previous = end
  }
  const header = marks[0] && text.slice(marks[0].start, marks[0].end)
  const table: Mark[] = marks.length > 1 && header ? [{ type: 'table', start: marks[0]!.start, end: marks.at(-1)!.end, value: header }] : []
  return { text, sections: [], marks: [...table, ...marks] }
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

function attempt<T>(source: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw damaged(source, `its table cannot be made out (${messageOf(cause)})`, cause)
  }
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
