import { type Command, Option } from 'commander'
import type { Journal, JournalRun, JournalStep } from '../workflows/index.ts'
import { type CommonFlags, parseCount } from './options.ts'
import { count, duration, formatAnswer, number } from './print-answer.ts'
import { hasJournal, journalOf, storeFolder } from './store.ts'
import { coloursFor, printable, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

interface RunsFlags extends CommonFlags {
  readonly json?: boolean
  readonly limit: number
}

/** Adds `runs` and `runs show` to the program. */
export function addRunsCommand(program: Command, terminal: Terminal): void {
  const runs = program
    .command('runs')
    .summary('list the runs of the store')
    .description('List the runs of the store, newest first.')
    .option('--json', 'print JSON')
    .addOption(new Option('--limit <n>', 'most runs to list').argParser(parseCount).default(20))
    .action(async (_: object, command: Command) => listRuns(command.optsWithGlobals<RunsFlags>(), terminal))
  runs
    .command('show')
    .summary('show one run with its answer')
    .description('Show a run with its answer and what its steps took.')
    .argument('<run>', 'id of the run')
    .option('--json', 'print JSON')
    .action(async (id: string, _: object, command: Command) => showRun(id, command.optsWithGlobals<RunsFlags>(), terminal))
}

async function listRuns(flags: RunsFlags, terminal: Terminal): Promise<void> {
  const runs = await withJournal(flags, terminal, (journal) => journal.listRuns({ limit: flags.limit }), [])
  if (flags.json === true) terminal.stdout.write(`${JSON.stringify(runs.map((run) => summaryOf(run)))}\n`)
  else if (runs.length > 0) terminal.stdout.write(runs.map((run) => runLine(run)).join(''))
  else terminal.stderr.write(`No runs in ${storeFolder(flags, terminal)}\n`)
}

async function showRun(id: string, flags: RunsFlags, terminal: Terminal): Promise<void> {
  const found = await withJournal(
    flags,
    terminal,
    async (journal) => ({ run: await journal.getRun(id), steps: await journal.listSteps(id) }),
    undefined,
  )
  if (!found?.run) throw new UsageError(`Cannot show a run as the store knows none of that id: ${id}. List them with: scriptorium runs`)
  const { run, steps } = found
  if (flags.json === true) {
    terminal.stdout.write(`${JSON.stringify({ ...summaryOf(run), answer: run.answer, steps: steps.map((step) => stepSummary(step)) })}\n`)
    return
  }
  const colours = coloursFor(terminal.stdout, terminal, flags.color)
  terminal.stdout.write(`${describeRun(run, steps)}\n`)
  if (run.answer) terminal.stdout.write(`\n${formatAnswer(run.answer, colours)}`)
}

/** Listing must not make a store where there is none. */
async function withJournal<T>(flags: RunsFlags, terminal: Terminal, work: (journal: Journal) => Promise<T>, none: T): Promise<T> {
  const folder = storeFolder(flags, terminal)
  if (!(await hasJournal(folder))) return none
  await using journal = journalOf(folder)
  return await work(journal)
}

function summaryOf({ id, status, strategy, question, sources, createdAt, updatedAt }: JournalRun): object {
  return { id, status, strategy, question, sources, createdAt: isoTime(createdAt), updatedAt: isoTime(updatedAt) }
}

function stepSummary({ path, agent, usage, finishedAt, milliseconds }: JournalStep): object {
  return { path, agent, usage, finishedAt: isoTime(finishedAt), milliseconds }
}

function runLine({ id, status, createdAt, sources, question = '(summary)' }: JournalRun): string {
  const what = `${sources.join(', ')}: ${question}`.replace(/\s+/g, ' ')
  const shortened = what.length > MOST_SHOWN ? `${what.slice(0, MOST_SHOWN - 1)}…` : what
  return `${id}  ${isoTime(createdAt).slice(0, 16).replace('T', ' ')}  ${status.padEnd(9)}  ${printable(shortened)}\n`
}

/** Characters of a run's sources and question in a list. */
const MOST_SHOWN = 100

function describeRun(run: JournalRun, steps: readonly JournalStep[]): string {
  const { id, status, strategy, question = '(summary)', sources, createdAt } = run
  const calls = steps.reduce((sum, { usage }) => sum + usage.calls, 0)
  const seconds = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000
  return [
    `Run       ${id}`,
    `Status    ${status}`,
    `Started   ${isoTime(createdAt)}`,
    `Documents ${printable(sources.join(', '))}`,
    `Question  ${printable(question)}`,
    `Strategy  ${strategy}`,
    `Steps     ${number(steps.length)} recorded: ${count(calls, 'call')}, ${duration(seconds)}`,
  ].join('\n')
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
