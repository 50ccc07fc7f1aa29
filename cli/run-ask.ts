import type { Answer, ask, AskOptions, Limits, plan, Run, RunEvent } from '../workflows/index.ts'
import { EXIT, exitCodeOfStatus } from './exit-codes.ts'
import { createInterrupt, type Interrupt, Interrupted } from './interrupt.ts'
import { openLog } from './log-file.ts'
import { openModel, strategyOf } from './model-option.ts'
import { likelihoodsOf, openChunker, type OpenedChunker } from './open-chunker.ts'
import { type AskFlags, checkFlags, splitInputs } from './options.ts'
import { formatAnswer, formatPlan } from './print-answer.ts'
import { createProgress } from './progress.ts'
import { reportError } from './report-error.ts'
import { resumeCommand } from './resume-command.ts'
import { cacheFolder, journalOf, openIndexes, storeFolder } from './store.ts'
import { coloursFor, printable, type Terminal } from './terminal.ts'

/** The part of the library that the command calls. */
export interface Services {
  readonly ask: typeof ask
  readonly plan: typeof plan
}

interface Asking {
  readonly sources: readonly string[]
  readonly question: string
  readonly flags: AskFlags
  readonly terminal: Terminal
  readonly services: Services
}

/** Asks, shows how far it is and prints the answer; gives the exit code. */
export async function runAsk(inputs: readonly string[], flags: AskFlags, terminal: Terminal, services: Services): Promise<number> {
  const asking: Asking = { ...splitInputs(inputs), flags, terminal, services }
  checkFlags(flags)
  const logger = openLog(flags)
  const interrupt = createInterrupt(terminal)
  try {
    await using model = await openModel(flags, interrupt.signal)
    const strategy = strategyOf(flags, model, cacheFolder(flags, terminal))
    await using opened =
      flags.chunker === undefined ? undefined : await openChunker(flags.chunker, { model: likelihoodsOf(model), signal: interrupt.signal })
    const options = { strategy, signal: interrupt.signal, logger, ...limitsOf(flags), ...chunksOf(flags, opened) }
    return flags.dryRun === true ? await showPlan(asking, options) : await runWithStore(asking, options, interrupt)
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    terminal.stderr.write('Interrupted before anything was asked\n')
    return EXIT.interrupted
  } finally {
    interrupt.end()
  }
}

async function showPlan({ sources, question, flags, terminal, services }: Asking, options: AskOptions): Promise<number> {
  const planned = await services.plan(sources, question, options)
  const colours = coloursFor(terminal.stdout, terminal, flags.color)
  terminal.stdout.write(flags.json === true ? `${JSON.stringify(planned)}\n` : formatPlan(planned, colours))
  return EXIT.answered
}

async function runWithStore(asking: Asking, options: AskOptions, interrupt: Interrupt): Promise<number> {
  const { sources, question, flags, terminal, services } = asking
  const folder = storeFolder(flags, terminal)
  await using memory = await openIndexes(folder)
  await using journal = journalOf(folder)
  const { fresh, resume } = flags
  const run = services.ask(sources, question, {
    ...options,
    memory,
    journal,
    ...(fresh === undefined ? {} : { fresh }),
    ...(resume === undefined ? {} : { resume }),
  })
  // Awaited here, so that the store is open to the end of the run.
  return await follow(run, asking, interrupt)
}

/** Watches a run to its end. */
async function follow(run: Run, asking: Asking, interrupt: Interrupt): Promise<number> {
  const { flags, terminal } = asking
  const progress = createProgress(terminal)
  let started = false
  let streamed = false
  try {
    for await (const event of run) {
      if (event.type === 'run.started') {
        started = true
        interrupt.listen(() => {
          progress.stop()
          terminal.stderr.write('Stopping; once more to stop at once\n')
          run.cancel('it was interrupted')
        })
      }
      if (!interrupt.requested) progress.see(event)
      if (flags.stream === true) streamed = stream(event, terminal) || streamed
    }
    progress.stop()
    return finish(await run.result, asking, { started, interrupted: interrupt.requested, streamed })
  } catch (error) {
    progress.stop()
    if (error instanceof Interrupted) throw error
    const code = reportError(error, terminal)
    // What does not fit the window would not fit it the next time.
    if (started && code !== EXIT.window) terminal.stderr.write(`What was read is kept. To go on: ${resumeCommand(asking, run.id)}\n`)
    return code
  }
}

/** Writes the answer as it comes; gives whether it wrote any. */
function stream(event: RunEvent, { stdout }: Terminal): boolean {
  if (event.type === 'answer.restarted') stdout.write('\n\n')
  if (event.type !== 'answer.delta') return false
  stdout.write(printable(event.text))
  return true
}

/** What was seen of a run. */
interface Watched {
  /** Whether the journal knows it. */
  readonly started: boolean
  readonly interrupted: boolean
  readonly streamed: boolean
}

function finish(answer: Answer, asking: Asking, watched: Watched): number {
  const { flags, terminal } = asking
  if (flags.json === true) terminal.stdout.write(`${JSON.stringify(answer)}\n`)
  else {
    if (watched.streamed) terminal.stdout.write('\n\n')
    terminal.stdout.write(formatAnswer(answer, coloursFor(terminal.stdout, terminal, flags.color), { withText: !watched.streamed }))
  }
  if (answer.status === 'stopped' && watched.started) terminal.stderr.write(`To go on: ${resumeCommand(asking, answer.runId)}\n`)
  return watched.interrupted && answer.status === 'stopped' ? EXIT.interrupted : exitCodeOfStatus(answer.status)
}

function limitsOf({ budget, limit }: AskFlags): { limits?: Limits } {
  if (budget === undefined && limit === undefined) return {}
  return { limits: { ...limit, ...(budget === undefined ? {} : { usd: budget }) } }
}

function chunksOf({ chunkTokens }: AskFlags, opened: OpenedChunker | undefined): Pick<AskOptions, 'chunker' | 'chunkTokens'> {
  return { ...(opened === undefined ? {} : { chunker: opened.chunker }), ...(chunkTokens === undefined ? {} : { chunkTokens }) }
}
