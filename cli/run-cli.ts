import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { ask, plan } from '../workflows/index.ts'
import { addAskCommand } from './ask-command.ts'
import { addCalibrateCommand } from './calibrate-command.ts'
import { addCacheCommand } from './cache-command.ts'
import { addChunkCommand } from './chunk-command.ts'
import { EXIT, exitCodeTable } from './exit-codes.ts'
import { addMemoryCommand } from './memory-command.ts'
import { addModelsCommand } from './models-command.ts'
import { oneLine, reportError } from './report-error.ts'
import type { Services } from './run-ask.ts'
import { addServeCommand } from './serve-command.ts'
import { addRunsCommand } from './runs-command.ts'
import type { Terminal } from './terminal.ts'

/** Runs the command with its arguments; gives the exit code. Nothing is thrown. */
export async function runCli(args: readonly string[], terminal: Terminal, services: Services = { ask, plan }): Promise<number> {
  let code: number = EXIT.answered
  const program = createProgram(terminal)
  addAskCommand(program, terminal, services, (given) => {
    code = given
  })
  addChunkCommand(program, terminal, (given) => {
    code = given
  })
  addRunsCommand(program, terminal)
  addModelsCommand(program, terminal)
  addCalibrateCommand(program, terminal, (given) => {
    code = given
  })
  addCacheCommand(program, terminal, (given) => {
    code = given
  })
  addMemoryCommand(program, terminal, (given) => {
    code = given
  })
  addServeCommand(program, terminal, (given) => {
    code = given
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, terminal)
    // Commander has written its message, or the help or version that was asked for.
    return error.exitCode === 0 ? EXIT.answered : EXIT.usage
  }
}

function createProgram({ stdout, stderr }: Terminal): Command {
  return new Command('scriptorium')
    .description('Reads documents of any length with any model, and answers with quotations that are really there.')
    .version(version(), '-v, --version')
    .option('--store <folder>', 'folder of runs and indexes (default: $SCRIPTORIUM_HOME, else the cache folder)')
    .option('--no-color', 'print without colours')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(`${oneLine(text).replace(/\.$/, '')}. See: scriptorium --help\n`),
    })
    .addHelpText(
      'after',
      `${examples}\nExit codes:\n${exitCodeTable.map(([code, meaning]) => `  ${String(code).padEnd(5)}${meaning}`).join('\n')}`,
    )
}

const examples = `
Examples:
  scriptorium ask moby-dick.txt "Who first sights the whale?"
  scriptorium ask moby-dick.txt "Who is Ahab?" --model openai:gpt-4o-mini --dry-run
  scriptorium runs
  scriptorium models --verify
`

function version(): string {
  const manifest: unknown = createRequire(import.meta.url)('scriptorium/package.json')
  return (manifest as { version: string }).version
}
