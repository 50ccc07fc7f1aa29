/** `serve`: the memory service, and its keys. */
import { type Command, Option } from 'commander'
import { RIGHTS } from '../service/index.ts'
import { parseAmount, parseText } from './options.ts'
import { runServe } from './run-serve.ts'
import { SETTINGS, type ServeFlags } from './serve-config.ts'
import { addKey, type AddKeyFlags, listKeys, type ListKeysFlags, revoke, rotate, type RotateFlags } from './serve-keys.ts'
import type { CommonFlags } from './options.ts'
import type { Terminal } from './terminal.ts'

/** Adds `serve` with its commands to the program. */
export function addServeCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const serve = program
    .command('serve')
    .summary('keep, recall and forget conversations over HTTP')
    .description(
      'Start the memory service. Settings may also be given as $SCRIPTORIUM_HOST, $SCRIPTORIUM_MAX_OUTPUT and so on, or in a file of JSON. Ctrl-C lets what is under way finish, a second one does not.',
    )
    .addOption(new Option('--config <file>', 'file of settings (default: $SCRIPTORIUM_CONFIG)').argParser(parseText))
  for (const { flag, help, parse, fallback } of Object.values(SETTINGS)) {
    const shown =
      fallback === undefined || fallback === '' ? '' : ` (default: ${fallback === true ? 'yes' : fallback === false ? 'no' : fallback})`
    serve.addOption(new Option(flag, `${help}${shown}`).argParser<unknown>(parse))
  }
  serve.action(async (_: object, command: Command) => done(await runServe(command.optsWithGlobals<ServeFlags>(), terminal)))
  addKeys(serve, terminal)
}

function addKeys(serve: Command, terminal: Terminal): void {
  const keys = serve.command('keys').summary('make, list, replace and revoke keys of the service')
  const several = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]
  keys
    .command('add')
    .summary('make a key and show it, once')
    .addOption(new Option('--tenant <name>', 'whose key it is').argParser(parseText).makeOptionMandatory())
    .addOption(new Option('--user <name>', "only this user's memory").argParser(parseText))
    .addOption(new Option('--thread <id>', 'only this thread of the user').argParser(parseText))
    .addOption(
      new Option('--right <right>', `${RIGHTS.join(', ')}; may be given several times (default: read and write)`).argParser(several),
    )
    .addOption(new Option('--name <name>', 'for people').argParser(parseText).default('key'))
    .addOption(new Option('--days <days>', 'days until it expires (default: never)').argParser(parseAmount))
    .option('--json', 'print JSON')
    .action(async (_: object, command: Command) => addKey(command.optsWithGlobals<AddKeyFlags>(), terminal))
  keys
    .command('list')
    .summary('list keys, without their secrets')
    .option('--json', 'print JSON')
    .action(async (_: object, command: Command) => listKeys(command.optsWithGlobals<ListKeysFlags>(), terminal))
  keys
    .command('revoke')
    .summary('refuse a key from now on')
    .argument('<id>', 'as list shows it')
    .action(async (id: string, _: object, command: Command) => revoke(id, command.optsWithGlobals<CommonFlags>(), terminal))
  keys
    .command('rotate')
    .summary('make a key in the place of another, which is accepted a while longer')
    .argument('<id>', 'as list shows it')
    .addOption(new Option('--hours <hours>', 'hours for which the old one is accepted').argParser(parseAmount).default(24))
    .option('--json', 'print JSON')
    .action(async (id: string, _: object, command: Command) => rotate(id, command.optsWithGlobals<RotateFlags>(), terminal))
}
