import { extname, resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import type { Chunk, Document } from '../chunkers/index.ts'
import { approximateCount, describe } from '../models/index.ts'
import { openSource } from '../workflows/index.ts'
import { chunkPage } from './chunk-page.ts'
import { type CutDocument, placeOfChunk, showableLine, summaryOf } from './cut-document.ts'
import { EXIT } from './exit-codes.ts'
import { createInterrupt, Interrupted } from './interrupt.ts'
import { type OpenedModel, openModel } from './model-option.ts'
import { chunkerOption, chunkerTable, likelihoodsOf, openChunker } from './open-chunker.ts'
import { checkSources, type CommonFlags, parseCount, parseText } from './options.ts'
import { number } from './print-answer.ts'
import { oneLine } from './report-error.ts'
import { type Colours, coloursFor, type Terminal } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { checkPage, writePage } from './write-page.ts'

interface ChunkFlags extends CommonFlags {
  readonly chunker: string
  readonly chunkTokens: number
  readonly model?: string
  readonly json?: boolean
  readonly view?: string | true
}

const DEFAULT_PAGE = 'chunks.html'
/** Characters of the beginning of a chunk in the table. */
const FIRST_WORDS = 60
/** Chunks that are cut before an interrupt is looked for. */
const TURN = 256
/** Of a remote model, where nothing is asked and so no size matters. */
const ANY_SIZE = { window: 8192, maxOutput: 1024 }

/** Adds `chunk` to the program. */
export function addChunkCommand(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('chunk')
    .summary('show how files are cut into chunks')
    .description('Show how files of any kind are cut into chunks: a table, JSON lines, or a page with the cuts coloured.')
    .argument('<file...>', 'files, folders or patterns to cut; - reads standard input')
    .addOption(chunkerOption().default('sentence-packed'))
    .addOption(new Option('--chunk-tokens <n>', 'most tokens of a chunk').argParser(parseCount).default(512))
    .addOption(new Option('-m, --model <model>', 'count as this model does (default: an estimate, rather high)').argParser(parseText))
    .option('--json', 'print a line of JSON for each chunk')
    .option('--view [out.html]', `write a page with the cuts coloured (default: ${DEFAULT_PAGE})`)
    .addHelpText('after', () => `${chunkerTable()}${examples}`)
    .action(async (files: string[], _: object, command: Command) => {
      done(await runChunk(files, command.optsWithGlobals<ChunkFlags>(), terminal))
    })
}

const examples = `
Examples:
  scriptorium chunk report.pdf
  scriptorium chunk src/ --chunker code --chunk-tokens 256 --json
  scriptorium chunk book.epub --view book.html
`

async function runChunk(files: readonly string[], flags: ChunkFlags, terminal: Terminal): Promise<number> {
  checkSources(files)
  const page = pageOf(files, flags)
  if (page !== undefined) await checkPage(page)
  const interrupt = createInterrupt(terminal)
  try {
    const { documents, notes = [] } = await openSource(files, { signal: interrupt.signal })
    for (const note of notes) terminal.stderr.write(`${oneLine(note)}\n`)
    const cut = await cutAll(documents, flags, interrupt.signal)
    if (page === undefined)
      terminal.stdout.write(flags.json === true ? jsonOf(cut) : tableOf(cut, coloursFor(terminal.stdout, terminal, flags.color)))
    else {
      await writePage(page, chunkPage(cut, flags))
      terminal.stdout.write(`${page}\n`)
    }
    return EXIT.answered
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    terminal.stderr.write('Interrupted before all was cut\n')
    return EXIT.interrupted
  } finally {
    interrupt.end()
  }
}

/** Where the page goes; undefined where none is asked for. */
function pageOf(files: readonly string[], { view, json }: ChunkFlags): string | undefined {
  if (view === undefined) return undefined
  if (json === true) throw new UsageError('Cannot use --view with --json as each is an output of its own. Leave one out')
  const page = view === true ? DEFAULT_PAGE : view
  if (!/^\.html?$/i.test(extname(page))) {
    throw new UsageError(`Cannot write the page as its name does not end in .html: ${page}. Put --view last, or use --view=OUT.html`)
  }
  if (files.some((file) => resolve(file) === resolve(page)))
    throw new UsageError(`Cannot write the page over a file that is read: ${page}. Use --view=OUT.html with another name`)
  return page
}

async function cutAll(documents: readonly Document[], flags: ChunkFlags, signal: AbortSignal): Promise<CutDocument[]> {
  await using model = flags.model === undefined ? undefined : await openCounted(flags.model, signal)
  await using opened = await openChunker(flags.chunker, { model: model && likelihoodsOf(model), signal })
  const { chunker } = opened
  const counter = model ? describe(model.model, model.description).count : approximateCount
  const cut: CutDocument[] = []
  for (const document of documents) {
    const chunks: Chunk[] = []
    for await (const chunk of chunker.chunk(document, { maxTokens: flags.chunkTokens, count: counter, signal })) {
      if (chunks.push(chunk) % TURN === 0) await nextTurn()
    }
    cut.push({ document, chunks })
  }
  return cut
}

async function openCounted(model: string, signal: AbortSignal): Promise<OpenedModel> {
  return openModel({ model, ...(model.startsWith('openai:') ? ANY_SIZE : {}) }, signal)
}

/** A line for each chunk, without its vector. */
function jsonOf(cut: readonly CutDocument[]): string {
  return cut
    .flatMap(({ document, chunks }) =>
      chunks.map((chunk) => {
        const { line, place } = document.locate(chunk.start)
        const shown = { document: document.name, line, ...(place === undefined ? {} : { place }), ...chunk, vector: undefined }
        return `${JSON.stringify(shown)}\n`
      }),
    )
    .join('')
}

function tableOf(cut: readonly CutDocument[], colours: Colours): string {
  return cut.map((one) => documentTable(one, cut.length > 1, colours)).join('\n')
}

function documentTable({ document, chunks }: CutDocument, named: boolean, { bold, dim }: Colours): string {
  const rows = chunks.map(({ index, start, tokens, text }) => [
    String(index),
    placeOfChunk(document, start),
    number(tokens),
    firstWords(text),
  ])
  const head = ['#', 'place', 'tokens']
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = ([index = '', where = '', tokens = '', words = '']: readonly string[]): string =>
    `${index.padStart(widths[0]!)}  ${where.padEnd(widths[1]!)}  ${tokens.padStart(widths[2]!)}  ${words}`.trimEnd()
  const lines = [dim(line([...head, 'begins with'])), ...rows.map(line), dim(summaryOf(chunks))]
  return `${[...(named ? [bold(showableLine(document.name))] : []), ...lines].join('\n')}\n`
}

function firstWords(text: string): string {
  const line = showableLine(text.slice(0, 4 * FIRST_WORDS))
  const letters = Array.from(line)
  return letters.length <= FIRST_WORDS ? line : `${letters.slice(0, FIRST_WORDS - 1).join('')}…`
}
