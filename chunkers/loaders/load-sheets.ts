import { loadOptional } from '../../errors/index.ts'
import type { LoadContext, LoadedText } from './loaded-text.ts'
import { damaged, encrypted, messageOf } from './refusals.ts'
import { TextBuilder } from './text-builder.ts'
import { openArchive } from './unzip.ts'

interface Cell {
  /** As it is displayed. */
  readonly w?: string
  readonly v?: string | number | boolean | Date
  /** `z` for an empty cell that has a format. */
  readonly t: string
}

/** Reads a workbook (XLSX, XLSB, XLS, ODS): each sheet as a section, each row as a line of its cells as they are displayed. */
export async function loadSheets(bytes: Uint8Array, { source, maxBytes }: LoadContext): Promise<LoadedText> {
  // The parser inflates without a limit: what it will inflate is added up first.
  if (bytes[0] === 0x50) openArchive(bytes, { source, maxBytes }).read((name) => !name.includes('/media/'))
  const { read } = await loadOptional('@e965/xlsx', `read ${source}`, () => import('@e965/xlsx'))
  const workbook = attempt(source, () => read(bytes, { type: 'array', dense: true, cellFormula: false, cellHTML: false, bookVBA: false }))
  const builder = new TextBuilder()
  for (const name of workbook.SheetNames) {
    // Rows and cells that hold nothing are holes, so that a sheet of one far cell costs no more than its cell.
    const rows = (workbook.Sheets[name] as { '!data'?: (Cell | undefined)[][] } | undefined)?.['!data'] ?? []
    const lines = rows.map((row) => rowText(row ?? [])).filter((line) => line !== '')
    if (lines.length === 0) continue
    builder.heading(name, 1)
    appendRows(builder, lines)
  }
  return builder.end(workbook.Props?.Title)
}

function attempt<T>(source: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (/password|encrypt/i.test(messageOf(cause))) throw encrypted(source, 'remove its password first', cause)
    throw damaged(source, `it is no workbook that can be made out (${messageOf(cause)})`, cause)
  }
}

function appendRows(builder: TextBuilder, lines: readonly string[]): void {
  const start = builder.offset
  for (const line of lines) {
    const rowStart = builder.offset
    builder.add(line)
    builder.mark('row', rowStart)
    builder.break(1)
  }
  if (lines.length > 1) builder.mark('table', start, lines[0])
}

/** Longer runs of empty cells are cut to this, so that a sheet of far cells does not become a text of bars. */
const LONGEST_GAP = 16

function rowText(row: readonly (Cell | undefined)[]): string {
  const cells: string[] = []
  let gap = 0
  for (const cell of row) {
    const text = (!cell || cell.t === 'z' ? '' : String(cell.w ?? cell.v ?? '')).replace(/\s+/g, ' ').trim()
    if (text === '') gap++
    else {
      cells.push(...Array<string>(Math.min(gap, LONGEST_GAP)).fill(''), text)
      gap = 0
    }
  }
  return cells.join(' | ')
}
