/** One call with the text: all of it (`stuff`), or as much as fits (`truncate`). The baselines of every comparison. */
import { type DirectReader, directReader, type DirectReaderInput, type PromptOverride, type Quote } from '../agents/index.ts'
import { type Chunk, createDocument } from '../chunkers/index.ts'
import { ContextOverflowError } from '../errors/index.ts'
import { type ChatModel, type ModelDescription, openLocalModel } from '../models/index.ts'
import type { ChunkReport } from './answer.ts'
import { documentSpans, joinDocuments, type JoinedText } from './joined-text.ts'
import { asked, writing } from './roles.ts'
import type { Plan } from './plan.ts'
import type { SourceContext, Strategy, StrategyContext, StrategyResult } from './strategy.ts'
import { sumPlan } from './sum-plan.ts'

export interface DirectOptions {
  /** The bundled local model by default. */
  readonly model?: ChatModel
  readonly prompt?: PromptOverride
  /** What `describe` cannot know of a remote model, such as its window. */
  readonly description?: Partial<ModelDescription>
}

/** Everything in one call, of several documents too. Throws ContextOverflowError, naming each part's tokens, when the text does not fit. */
export function stuff(options: DirectOptions = {}): Strategy {
  return direct('stuff', options)
}

/** As much of the start of the text as fits one call; the rest is reported as skipped. */
export function truncate(options: DirectOptions = {}): Strategy {
  return direct('truncate', options)
}

function direct(name: 'stuff' | 'truncate', options: DirectOptions): Strategy {
  let opening: Promise<DirectReader> | undefined
  const reader = (): Promise<DirectReader> => (opening ??= openReader(options))
  return {
    name,
    version: 1,
    plan: async (context) => planDirect(name, context, await reader(), await cut(name, context, await reader())),
    run: async (context) => runDirect(name, context, await reader()),
  }
}

async function openReader({ model, prompt, ...options }: DirectOptions): Promise<DirectReader> {
  const opened = model ?? (await openLocalModel())
  return directReader(opened, writing(opened, options, prompt))
}

interface Cut {
  /** What is read in the one call. */
  readonly read: Pick<DirectReaderInput, 'text' | 'chunk'> | undefined
  readonly chunks: readonly Chunk[]
  /** Where all chunks are read at once: what they are parts of. */
  readonly whole?: JoinedText
}

async function cut(name: 'stuff' | 'truncate', context: SourceContext, reader: DirectReader): Promise<Cut> {
  const room = reader.fits(context.question)
  const chunks = await context.chunk({ maxTokens: room, count: (text) => reader.count(text) })
  const [first] = chunks
  if (first === undefined) return { read: undefined, chunks }
  if (chunks.length === 1) return { read: { text: first.text, chunk: first }, chunks }
  const sum = chunks.reduce((before, { tokens }) => before + tokens, 0)
  // Several documents have a chunk each, as have the sections of a chunker that cuts there, and may fit nevertheless.
  const whole = sum > room ? undefined : joinDocuments(context.documents)
  const document = whole === undefined ? sum : reader.count(whole.text)
  if (whole !== undefined && document <= room)
    return { read: { text: whole.text, chunk: chunkOfWhole(first, whole, document) }, chunks, whole }
  if (name === 'truncate') return { read: { text: first.text, chunk: first }, chunks }
  throw new ContextOverflowError(
    'Cannot read all in one call',
    { document },
    room,
    'Use the strategy chain-of-agents, map-reduce, retrieve or auto',
  )
}

/** Stands for all chunks in the one step: it has the id of the first of them, and its span in the joined text. */
function chunkOfWhole({ documentId, index }: Chunk, { text }: JoinedText, tokens: number): Chunk {
  const { hash } = createDocument({ text, name: 'all' })
  return { documentId, index, text, tokens, start: 0, end: text.length, sections: [], hash }
}

function planDirect(name: string, context: SourceContext, reader: DirectReader, { read, chunks, whole }: Cut): Plan {
  const estimates = read === undefined ? [] : [reader.estimate({ ...read, ...asked(context) })]
  const notes = chunks.length > 1 && whole === undefined ? [`Only the first of ${chunks.length} chunks is read`] : []
  return sumPlan(name, estimates, { chunks: whole === undefined ? estimates.length : chunks.length, criticalPath: estimates.length, notes })
}

async function runDirect(name: 'stuff' | 'truncate', context: StrategyContext, reader: DirectReader): Promise<StrategyResult> {
  const { read, chunks, whole } = await cut(name, context, reader)
  if (read === undefined) return { status: 'not-found' }
  context.phase('answering')
  const { status, text, quotes } = await context.step(reader, { ...read, ...asked(context) }, { path: 'direct' })
  const rest = chunks.slice(1)
  return whole === undefined
    ? { status, text, quotes, coverage: rest.map((chunk) => skipped(chunk, 'beyond what fits one call')) }
    : { status, text, quotes: placeInDocuments(quotes, whole, chunks), coverage: rest.map(readToo) }
}

/** Quotations of the joined text as quotations of its documents; one across a border becomes one of each. */
function placeInDocuments(quotes: readonly Quote[], whole: JoinedText, chunks: readonly Chunk[]): Quote[] {
  const placed: Quote[] = []
  for (const quote of quotes) {
    for (const { document, start, end } of documentSpans(whole, quote)) {
      const chunkIndex = chunks.find((chunk) => chunk.documentId === document.id && start < chunk.end)?.index ?? quote.chunkIndex
      placed.push({ ...quote, documentId: document.id, chunkIndex, start, end, text: document.slice(start, end) })
    }
  }
  return placed
}

/** The report of a chunk that nobody read. */
export function skipped({ documentId, index, start, end }: Chunk, reason: string): ChunkReport {
  return { documentId, index, start, end, outcome: 'skipped', reason }
}

function readToo({ documentId, index, start, end }: Chunk): ChunkReport {
  return { documentId, index, start, end, outcome: 'read' }
}
