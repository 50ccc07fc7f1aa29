/** `memory`: looking after a memory store: how large it is, copies, tidying, erasure, moving records. */
import { type Command, Option } from 'commander'
import { EXIT } from './exit-codes.ts'
import { eraseMemory } from './erase-memory.ts'
import type { EraseFlags, ExportFlags, MemoryFlags, RestoreFlags } from './memory-flags.ts'
import { parseText } from './options.ts'
import { backUp, checkMemory, compactMemory, exportRecords, importRecords, rebuildMemory, restore, showStatistics } from './run-memory.ts'
import type { Terminal } from './terminal.ts'

const fileHelp = "file of the store (default: the indexes of the command's own store)"
const anyHelp = `${fileHelp}, or an address postgres://…`

/** Adds `memory` with its commands to the program. */
export function addMemoryCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const memory = program
    .command('memory')
    .summary('look after a memory store')
    .description('Look after a memory store: how large it is, copies, tidying, erasure, moving records.')
  addMaintenance(memory, terminal, done)
  addCopies(memory, terminal)
  addTransfer(memory, terminal)
  addErase(memory, terminal, done)
}

function addMaintenance(memory: Command, terminal: Terminal, done: (code: number) => void): void {
  memory
    .command('stats')
    .summary('show how large a store has grown')
    .argument('[file]', fileHelp)
    .option('--json', 'print JSON')
    .action(async (file: string | undefined, _: object, command: Command) =>
      showStatistics(file, command.optsWithGlobals<MemoryFlags>(), terminal),
    )
  memory
    .command('check')
    .summary('say what is wrong with a store')
    .argument('[file]', fileHelp)
    .action(async (file: string | undefined, _: object, command: Command) => {
      done((await checkMemory(file, command.optsWithGlobals<MemoryFlags>(), terminal)) ? EXIT.answered : EXIT.store)
    })
  memory
    .command('compact')
    .summary('give unused space back to the disk')
    .argument('[file]', fileHelp)
    .action(async (file: string | undefined, _: object, command: Command) =>
      compactMemory(file, command.optsWithGlobals<MemoryFlags>(), terminal),
    )
  memory
    .command('rebuild')
    .summary('build what is derived from the records anew')
    .argument('[file]', fileHelp)
    .action(async (file: string | undefined, _: object, command: Command) =>
      rebuildMemory(file, command.optsWithGlobals<MemoryFlags>(), terminal),
    )
}

function addCopies(memory: Command, terminal: Terminal): void {
  memory
    .command('backup')
    .summary('copy a store as it is, while it is in use')
    .argument('<copy>', 'file to write')
    .argument('[file]', fileHelp)
    .action(async (copy: string, file: string | undefined, _: object, command: Command) =>
      backUp(copy, file, command.optsWithGlobals<MemoryFlags>(), terminal),
    )
  memory
    .command('restore')
    .summary('put a copy in the place of a store that nobody uses')
    .argument('<copy>', 'file that backup wrote')
    .argument('[file]', fileHelp)
    .option('--force', 'replace a store that is there')
    .action(async (copy: string, file: string | undefined, _: object, command: Command) =>
      restore(copy, file, command.optsWithGlobals<RestoreFlags>(), terminal),
    )
}

function addTransfer(memory: Command, terminal: Terminal): void {
  memory
    .command('export')
    .summary('write the records as lines of JSON')
    .argument('[file]', anyHelp)
    .addOption(new Option('--scope <scope>', 'only this scope'))
    .addOption(new Option('--out <lines>', 'file to write (default: standard output)').argParser(parseText))
    .option('--no-vectors', 'leave vectors out')
    .action(async (file: string | undefined, _: object, command: Command) =>
      exportRecords(file, command.optsWithGlobals<ExportFlags>(), terminal),
    )
  memory
    .command('import')
    .summary('put exported records into a store')
    .argument('<lines>', 'file that export wrote')
    .argument('[file]', anyHelp)
    .action(async (lines: string, file: string | undefined, _: object, command: Command) =>
      importRecords(lines, file, command.optsWithGlobals<MemoryFlags>(), terminal),
    )
}

function addErase(memory: Command, terminal: Terminal, done: (code: number) => void): void {
  const several = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]
  memory
    .command('erase')
    .summary('show what of a scope, document or record is held, and erase it when confirmed')
    .description(
      'Show what the store, the journal of runs and the caches hold of a scope, of documents or of single records. With --confirm and the token that was shown, erase it and look for it in all their files afterwards.',
    )
    .argument('[file]', anyHelp)
    .addOption(new Option('--scope <scope>', 'whose: records of other scopes are never touched'))
    .addOption(new Option('--document <id>', 'a document or conversation of the scope; may be given several times').argParser(several))
    .addOption(new Option('--id <id>', 'a record of the scope; may be given several times').argParser(several))
    .addOption(new Option('--journal <file>', 'journal of runs (default: that of the store)').argParser(parseText))
    .addOption(new Option('--confirm <token>', 'erase what was shown with this token').argParser(parseText))
    .option('--json', 'print JSON')
    .action(async (file: string | undefined, _: object, command: Command) =>
      done(await eraseMemory(file, command.optsWithGlobals<EraseFlags>(), terminal)),
    )
}
