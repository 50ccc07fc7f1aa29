/** A benchmark's report: Markdown for people, JSON for programs, records as JSON lines, pictures as SVG. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchResult, Setting } from './bench.ts'
import type { Machine } from './machine.ts'
import { type BenchRecord, recordLine } from './record.ts'
import { bootstrapInterval, type Interval, quantile } from './statistics.ts'

/** What the items of one system and length come to. */
export interface SystemRow {
  readonly system: string
  readonly model: string
  readonly L: number
  /** Scores in percent. */
  readonly score: Interval
  /** Sums over the items. */
  readonly calls: number
  readonly prefillTok: number
  readonly decodeTok: number
  /** Milliseconds an item: median and 95th percentile. */
  readonly msMedian: number
  readonly msP95: number
}

/** The JSON form of a report. */
export interface Report {
  readonly name: string
  readonly settings: Readonly<Record<string, Setting>>
  readonly figures: Readonly<Record<string, number>>
  readonly systems: readonly SystemRow[]
  readonly machine: Machine
  /** ISO date and time at the end of the run. */
  readonly finishedAt: string
}

export interface ReportOptions {
  readonly machine: Machine
  readonly finishedAt: string
}

export function makeReport(name: string, result: BenchResult, { machine, finishedAt }: ReportOptions): Report {
  return { name, settings: result.settings, figures: result.figures, systems: systemRows(result.items ?? []), machine, finishedAt }
}

/** Writes NAME.md, NAME.json, NAME.jsonl and NAME-PLOT.svg into a folder; returns the path of the Markdown. */
export async function writeReport(folder: string, report: Report, result: BenchResult): Promise<string> {
  const { name } = report
  const files: Record<string, string> = {
    [`${name}.md`]: renderReport(report, result),
    [`${name}.json`]: `${JSON.stringify(report, null, 2)}\n`,
  }
  if (result.items?.length) files[`${name}.jsonl`] = result.items.map((item) => `${recordLine(item)}\n`).join('')
  for (const [plot, svg] of Object.entries(result.plots ?? {})) files[`${name}-${plot}.svg`] = svg
  await mkdir(folder, { recursive: true })
  await Promise.all(Object.entries(files).map(([file, text]) => writeFile(join(folder, file), text)))
  return join(folder, `${name}.md`)
}

/** The items of each system, model and length, in the order they first come. */
export function systemRows(items: readonly BenchRecord[]): SystemRow[] {
  const groups = new Map<string, BenchRecord[]>()
  for (const item of items) {
    const key = JSON.stringify([item.system, item.model, item.L])
    groups.set(key, [...(groups.get(key) ?? []), item])
  }
  return [...groups.values()].map(systemRow)
}

function systemRow(items: readonly BenchRecord[]): SystemRow {
  const { system, model, L } = items[0] as BenchRecord
  const sum = (of: (item: BenchRecord) => number): number => items.reduce((total, item) => total + of(item), 0)
  const times = items.map(({ ms }) => ms)
  return {
    system,
    model,
    L,
    score: bootstrapInterval(items.map(({ score }) => score * 100)),
    calls: sum((item) => item.calls),
    prefillTok: sum((item) => item.prefillTok),
    decodeTok: sum((item) => item.decodeTok),
    msMedian: quantile(times, 0.5),
    msP95: quantile(times, 0.95),
  }
}

/** The report as Markdown. */
export function renderReport(report: Report, result: BenchResult): string {
  const { name, settings, figures, systems, machine, finishedAt } = report
  const plots = Object.keys(result.plots ?? {}).map((plot) => `![${plot}](${name}-${plot}.svg)`)
  const { models, ...where } = machine
  const parts = [
    `# ${name}`,
    table(
      ['figure', 'value'],
      Object.entries(figures).map(([key, value]) => [key, number(value)]),
    ),
    systems.length > 0 ? `## Systems\n\nScores in percent with their 95 % bootstrap interval.\n\n${systemTable(systems)}` : '',
    ...(result.notes ?? []),
    ...plots,
    `## Settings\n\n${table(
      ['setting', 'value'],
      Object.entries(settings).map(([key, value]) => [key, String(value)]),
    )}`,
    `## Machine\n\n${table(
      ['', ''],
      [...Object.entries(where), ...Object.entries(models)].map(([key, value]) => [key, String(value)]),
    )}`,
    `Finished ${finishedAt}.`,
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function systemTable(systems: readonly SystemRow[]): string {
  const head = ['system', 'model', 'L', 'items', 'score', '95 %', 'calls', 'prefill tokens', 'decode tokens', 'ms median', 'ms p95']
  const rows = systems.map(({ system, model, L, score, calls, prefillTok, decodeTok, msMedian, msP95 }) => [
    system,
    model,
    number(L),
    number(score.n),
    number(score.mean),
    `${number(score.low)} – ${number(score.high)}`,
    ...[calls, prefillTok, decodeTok, msMedian, msP95].map(number),
  ])
  return table(head, rows)
}

/** A Markdown table; bars in cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** A number for people: whole ones in groups of three, others with four significant digits. */
export function number(value: number): string {
  const digits = Number.isInteger(value) ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 }
  return value.toLocaleString('en', digits)
}
