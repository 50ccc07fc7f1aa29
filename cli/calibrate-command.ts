import type { Command } from 'commander'
import { calibrateModel } from '../models/index.ts'
import { createInterrupt, Interrupted } from './interrupt.ts'
import { EXIT } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

interface CalibrateFlags {
  readonly text?: readonly string[]
  readonly out?: string
}

/** Adds `calibrate` to the program. */
export function addCalibrateCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('calibrate')
    .summary('measure what hierarchical merging needs to know of a model')
    .description(
      "Measure what each layer of a local model scores a token for being near, on plain text, and keep it beside the model: the bias of HOMER's rule.",
    )
    .argument('<model>', 'a GGUF file')
    .option('--text <file...>', 'plain text files to measure on, in the language to be read (default: generated passages)')
    .option('--out <file>', 'where the table goes (default: beside the model, as NAME.bias.json)')
    .action(async (model: string, flags: CalibrateFlags) => done(await calibrate(model, flags, terminal)))
}

async function calibrate(model: string, { text, out }: CalibrateFlags, terminal: Terminal): Promise<number> {
  const interrupt = createInterrupt(terminal)
  const onProgress = (share: number): void => void terminal.stderr.write(`Calibrating: ${Math.round(100 * share)} %\n`)
  try {
    const written = await calibrateModel(model, {
      signal: interrupt.signal,
      onProgress,
      ...(text === undefined ? {} : { texts: text }),
      ...(out === undefined ? {} : { out }),
    })
    terminal.stdout.write(`${written}\n`)
    return EXIT.answered
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    terminal.stderr.write('Interrupted before the table was written\n')
    return EXIT.interrupted
  } finally {
    interrupt.end()
  }
}
