import { type Command, Option } from 'commander'
import { modelForms } from './model-option.ts'
import { chunkerOption } from './open-chunker.ts'
import { type AskFlags, logLevels, parseAmount, parseCount, parseLimit, parsePaths, parseText, strategyNames } from './options.ts'
import { runAsk, type Services } from './run-ask.ts'
import type { Terminal } from './terminal.ts'

/** Adds `ask` to the program. */
export function addAskCommand(program: Command, terminal: Terminal, services: Services, done: (code: number) => void): void {
  program
    .command('ask')
    .summary('ask a question of files of any length')
    .description(
      [
        'Ask a question of files of any length: text, Markdown, PDF, Office, web pages, e-books, mail, chats, code.',
        'Of folders and patterns all files are read. The question comes last; - reads standard input.',
      ].join(' '),
    )
    .argument('<file...>', 'files, folders or patterns to read, then the question')
    .addOption(new Option('-s, --strategy <name>', 'who reads what').choices(strategyNames).default('auto'))
    .addOption(new Option('-m, --model <model>', 'the model that reads').argParser(parseText).default('local'))
    .addOption(chunkerOption())
    .addOption(new Option('--chunk-tokens <n>', 'most tokens of a chunk').argParser(parseCount))
    .addOption(new Option('--keep <n>', 'tokens that homer keeps of the text, question included').argParser(parseCount))
    .addOption(new Option('--budget <usd>', 'most US dollars to spend').argParser(parseAmount))
    .addOption(new Option('--limit <kind=n>', 'most calls, tokens, seconds or usd; may be given several times').argParser(parseLimit))
    .addOption(
      new Option('--paths <order>', 'how a chain reads: forward, backward, both, or a number of permutations').argParser(parsePaths),
    )
    .option('--json', 'print the answer alone, as JSON')
    .option('--stream', 'print the answer as it is written')
    .option('--fresh', 'call the model again even where an equal step is known')
    .addOption(new Option('--resume <run>', 'go on with a run that was stopped').argParser(parseText))
    .option('--dry-run', 'show calls, tokens, time and price, and spend nothing')
    .addOption(
      new Option('--window <n>', 'tokens of prompt and reply together, for a remote model that is not known').argParser(parseCount),
    )
    .addOption(new Option('--max-output <n>', 'most tokens of one reply, for a remote model that is not known').argParser(parseCount))
    .addOption(new Option('--log <file>', 'write what happens to a file, as JSON lines').argParser(parseText))
    .addOption(new Option('--log-level <level>', 'what goes into the log').choices(logLevels).default('info'))
    .addHelpText('after', `\nModels:\n${modelForms.map(([form, meaning]) => `  ${form.padEnd(18)}${meaning}`).join('\n')}\n${examples}`)
    .action(async (inputs: string[], _: object, command: Command) => {
      done(await runAsk(inputs, command.optsWithGlobals<AskFlags>(), terminal, services))
    })
}

const examples = `
Examples:
  scriptorium ask moby-dick.txt "Who first sights the whale?"
  scriptorium ask part-1.md part-2.md "What changed?" --strategy chain-of-agents --paths both
  scriptorium ask contracts/ "Who may cancel, and when?"
  cat notes.txt | scriptorium ask - "What was decided?" --json
  scriptorium ask book.txt "Who is Ahab?" --model openai:gpt-4o-mini --budget 0.50 --dry-run
`
