/** The command: npm run -s bench -- NAME [--quick] [--json] [--data DIR] */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { type Bench, type BenchOptions, type BenchResult, BenchSkipped } from './bench.ts'
import { describeMachine } from './machine.ts'
import { benchNames, loadBench } from './registry.ts'
import { makeReport, number, table, writeReport } from './report.ts'

interface Flags {
  readonly quick: boolean
  readonly json: boolean
  readonly data?: string
  readonly seed: number
  readonly out: string
}

const RESULTS = join(import.meta.dirname, 'results')

const command = new Command('bench')
  .description('Measures, and writes a report under bench/results/')
  .argument('<name>', `one of ${benchNames.join(', ')}`)
  .option('--quick', 'a smaller run, under five minutes on two cores', false)
  .option('--json', 'the last line of standard output is { name, settings, figures }', false)
  .option('--data <folder>', 'evaluation data (default: SCRIPTORIUM_DATA)')
  .option('--seed <number>', 'what randomness is drawn from', wholeNumber, 42)
  .option('--out <folder>', 'where the report goes', RESULTS)
  .action(main)

await command.parseAsync()

async function main(name: string, flags: Flags): Promise<void> {
  const bench = await loadBench(name).catch((error: Error) => command.error(error.message, { exitCode: 2 }))
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort(new Error('interrupted; the same command goes on from here')))
  const data = flags.data ?? process.env['SCRIPTORIUM_DATA']
  const { quick, seed } = flags
  try {
    const result = await bench.run({ quick, seed, signal: stop.signal, log: progress, ...(data ? { data } : {}) } satisfies BenchOptions)
    await report(bench, result, flags)
  } catch (error) {
    if (error instanceof BenchSkipped) return skip(name, error.message, flags)
    progress(`${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    process.exitCode = stop.signal.aborted ? 130 : 1
  }
}

async function report({ name }: Bench, result: BenchResult, flags: Flags): Promise<void> {
  const made = makeReport(name, result, { machine: await describeMachine(), finishedAt: new Date().toISOString() })
  progress(`report: ${await writeReport(flags.out, made, result)}`)
  await rm(join(RESULTS, '.runs', name), { recursive: true, force: true })
  const { settings, figures } = made
  if (flags.json) print(JSON.stringify({ name, settings, figures }))
  else
    print(
      table(
        ['figure', 'value'],
        Object.entries(figures).map(([key, value]) => [key, number(value)]),
      ),
    )
}

function skip(name: string, reason: string, flags: Flags): void {
  progress(`${name}: skipped, as ${reason}`)
  if (flags.json) print(JSON.stringify({ name, settings: { skipped: reason }, figures: {} }))
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a whole number is needed')
  return Number(text)
}
