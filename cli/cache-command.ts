/** `cache`: what a local model computed of a text, kept in a file, so that the text is not read again. */
import { createHash } from 'node:crypto'
import { readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { readDocument } from '../chunkers/index.ts'
import { ModelFileError } from '../errors/index.ts'
import {
  type CacheHandle,
  type CacheHeader,
  FULL_POLICY,
  type LocalModel,
  readCacheHeader,
  type SaveCacheOptions,
} from '../models/index.ts'
import { EXIT } from './exit-codes.ts'
import { createInterrupt, Interrupted } from './interrupt.ts'
import { openLocal } from './model-option.ts'
import { type CommonFlags, parseCount, parseText } from './options.ts'
import { number } from './print-answer.ts'
import { cacheFolder, makeFolder } from './store.ts'
import { printable, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'

interface CacheFlags extends CommonFlags {
  readonly json?: boolean
}

interface BuildFlags extends CacheFlags {
  readonly model: string
  readonly form: NonNullable<SaveCacheOptions['form']>
  readonly out?: string
  readonly homer?: boolean
  readonly keep?: number
  readonly question?: string
}

/** A cache file, or why it is none. */
type CacheReport = { readonly file: string; readonly bytes: number } & (
  | Pick<CacheHeader, 'model' | 'form' | 'tokens' | 'policy'>
  | { readonly problem: string }
)

/** Adds `cache build`, `cache list`, `cache show` and `cache remove` to the program. */
export function addCacheCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const cache = program
    .command('cache')
    .summary('keep what a local model computed of a text')
    .description('Keep what a local model computed of a text.')
  cache
    .command('build')
    .summary('read a text once and keep what was computed')
    .description('Read a text with a local model, and write its keys and values to a file for loadCache of the library.')
    .argument('<file>', 'document of any kind that ask reads')
    .addOption(new Option('-m, --model <model>', 'the local model that reads').argParser(parseText).default('local'))
    .addOption(
      new Option('--form <form>', 'how numbers are kept: exact, or in a quarter or an eighth of the bytes')
        .choices(['float32', 'int8', 'int4'])
        .default('float32'),
    )
    .addOption(new Option('--out <file>', 'file to write (default: in the store)').argParser(parseText))
    .option('--homer', 'merge a text of any length into one cache, and drop what matters least')
    .addOption(new Option('--keep <n>', 'tokens that a merged cache has (default: those of a chunk)').argParser(parseCount))
    .addOption(new Option('--question <text>', 'what a merged cache is for: it decides what is kept').argParser(parseText))
    .option('--json', 'print JSON')
    .action(async (file: string, _: object, command: Command) => done(await build(file, command.optsWithGlobals<BuildFlags>(), terminal)))
  cache
    .command('list')
    .summary('list the caches of the store')
    .option('--json', 'print JSON')
    .action(async (_: object, command: Command) => list(command.optsWithGlobals<CacheFlags>(), terminal))
  cache
    .command('show')
    .summary('show one cache')
    .argument('<file>', 'a cache file, or its name in the store')
    .option('--json', 'print JSON')
    .action(async (file: string, _: object, command: Command) => show(file, command.optsWithGlobals<CacheFlags>(), terminal))
  cache
    .command('remove')
    .summary('delete one cache')
    .argument('<file>', 'a cache file, or its name in the store')
    .action(async (file: string, _: object, command: Command) => remove(file, command.optsWithGlobals<CacheFlags>(), terminal))
}

async function build(file: string, flags: BuildFlags, terminal: Terminal): Promise<number> {
  if (flags.homer !== true && (flags.keep !== undefined || flags.question !== undefined))
    throw new UsageError('Cannot use --keep or --question as a text that is read whole keeps all of its tokens. Add --homer')
  const interrupt = createInterrupt(terminal)
  const { signal } = interrupt
  try {
    const { id, text } = await readDocument(file)
    await using model = await openLocal(flags.model, signal)
    const out = flags.out ?? join(cacheFolder(flags, terminal), nameFor(file, model.id, flags))
    if (flags.out === undefined) await makeFolder(dirname(out))
    await using cache = flags.homer === true ? await merged(model, text, flags, signal) : await model.openCache(text, { signal })
    await cache.save(out, { form: flags.form, scope: 'default', documentIds: [id] })
    print(await reportOf(out), flags, terminal)
    return EXIT.answered
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    terminal.stderr.write('Interrupted before the cache was written\n')
    return EXIT.interrupted
  } finally {
    interrupt.end()
  }
}

/** Serves many questions where none is given. */
const ANY_QUESTION = 'What does this text say?'

async function merged(
  model: LocalModel,
  text: string,
  { keep, question = ANY_QUESTION }: BuildFlags,
  signal: AbortSignal,
): Promise<CacheHandle> {
  const settings = { signal, ...(keep === undefined ? {} : { keep }) }
  try {
    return (await model.homer({ context: text, suffix: `\nQuestion: ${question}` }, settings)).cache
  } catch (cause) {
    // Lengths that cannot be merged.
    throw cause instanceof RangeError ? new UsageError(cause.message, { cause }) : cause
  }
}

async function list(flags: CacheFlags, terminal: Terminal): Promise<void> {
  const folder = cacheFolder(flags, terminal)
  const files = await cachesIn(folder)
  const reports = await Promise.all(
    files.map((file) => reportOf(join(folder, file)).catch((error: unknown) => damaged(join(folder, file), error))),
  )
  if (flags.json === true) terminal.stdout.write(`${JSON.stringify(reports)}\n`)
  else if (reports.length > 0) terminal.stdout.write(reports.map((report) => lineOf(report)).join(''))
  else terminal.stderr.write(`No caches in ${folder}\n`)
}

async function show(name: string, flags: CacheFlags, terminal: Terminal): Promise<void> {
  print(await reportOf(await placeOf(name, flags, terminal)), flags, terminal)
}

async function remove(name: string, flags: CacheFlags, terminal: Terminal): Promise<void> {
  const file = await placeOf(name, flags, terminal)
  // A damaged cache of the store may go; elsewhere nothing but a cache does.
  if (dirname(resolve(file)) !== resolve(cacheFolder(flags, terminal))) await readCacheHeader(file)
  await rm(file)
  terminal.stderr.write(`Removed ${file}\n`)
}

/** The path itself where there is such a file, else the name in the store. */
async function placeOf(name: string, flags: CacheFlags, terminal: Terminal): Promise<string> {
  const inStore = join(cacheFolder(flags, terminal), basename(name))
  for (const place of basename(name) === name ? [inStore, name] : [name]) if (await isFile(place)) return place
  throw new UsageError(`Cannot find a cache as there is no such file: ${name}. List those of the store with: scriptorium cache list`)
}

/** Texts of the same name in other folders, other models and other merges have files of their own. */
function nameFor(file: string, model: string, { homer, keep, question }: BuildFlags): string {
  const merge = homer === true ? `\n${JSON.stringify([keep, question])}` : ''
  const hash = createHash('sha256')
    .update(`${resolve(file)}\n${model}${merge}`)
    .digest('hex')
    .slice(0, 8)
  return `${basename(file, extname(file))}-${hash}.cache`
}

async function cachesIn(folder: string): Promise<string[]> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return files.filter((file) => file.endsWith('.cache')).toSorted()
}

async function reportOf(file: string): Promise<CacheReport> {
  const { model, form, tokens, policy } = await readCacheHeader(file)
  return { file, bytes: (await stat(file)).size, model, form, tokens, policy }
}

async function damaged(file: string, error: unknown): Promise<CacheReport> {
  if (!(error instanceof ModelFileError)) throw error
  return { file, bytes: (await stat(file)).size, problem: error.message }
}

function print(report: CacheReport, { json }: CacheFlags, terminal: Terminal): void {
  terminal.stdout.write(json === true ? `${JSON.stringify(report)}\n` : lineOf(report))
}

function lineOf(report: CacheReport): string {
  const state = 'problem' in report ? 'damaged' : `${number(report.tokens)} tokens  ${report.form}  ${report.model}${policyOf(report)}`
  return `${printable(report.file)}  ${(report.bytes / 1e6).toFixed(1)} MB  ${printable(state)}\n`
}

function policyOf({ policy }: Pick<CacheHeader, 'policy'>): string {
  return policy === FULL_POLICY ? '' : `  ${policy}`
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}
