/** One call with the text: all of it (`stuff`), or as much as fits (`truncate`). The baselines of every comparison. */
import { type DirectReader, directReader, type PromptOverride } from '../agents/index.ts'
import type { Chunk } from '../chunkers/index.ts'
import { ContextOverflowError } from '../errors/index.ts'
import { type ChatModel, type ModelDescription, openLocalModel } from '../models/index.ts'
import type { ChunkReport } from './answer.ts'
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

/** Everything in one call. Throws ContextOverflowError, naming each part's tokens, when the text does not fit. */
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
    async plan(context) {
      const { read, chunks } = await cut(name, context, await reader())
      return planDirect(name, context, await reader(), read, chunks.length)
    },
    run: async (context) => runDirect(name, context, await reader()),
  }
}

async function openReader({ model, prompt, ...options }: DirectOptions): Promise<DirectReader> {
  const opened = model ?? (await openLocalModel())
  return directReader(opened, writing(opened, options, prompt))
}

interface Cut {
  readonly read: Chunk | undefined
  readonly chunks: readonly Chunk[]
}

/** The chunk that is read, among all. */
async function cut(name: 'stuff' | 'truncate', context: SourceContext, reader: DirectReader): Promise<Cut> {
  const room = reader.fits(context.question)
  const chunks = await context.chunk({ maxTokens: room, count: (text) => reader.count(text) })
  if (name === 'stuff' && chunks.length > 1) {
    const parts = { document: chunks.reduce((sum, { tokens }) => sum + tokens, 0) }
    throw new ContextOverflowError(
      'Cannot read all in one call',
      parts,
      room,
      'Use the strategy chain-of-agents, map-reduce, retrieve or auto',
    )
  }
  return { read: chunks[0], chunks }
}

function planDirect(name: string, context: SourceContext, reader: DirectReader, read: Chunk | undefined, chunks: number): Plan {
  const estimates = read === undefined ? [] : [reader.estimate({ text: read.text, chunk: read, ...asked(context) })]
  const notes = chunks > 1 ? [`Only the first of ${chunks} chunks is read`] : []
  return sumPlan(name, estimates, { chunks: estimates.length, criticalPath: estimates.length, notes })
}

async function runDirect(name: 'stuff' | 'truncate', context: StrategyContext, reader: DirectReader): Promise<StrategyResult> {
  const { read, chunks } = await cut(name, context, reader)
  if (read === undefined) return { status: 'not-found' }
  context.phase('answering')
  const { status, text, quotes } = await context.step(reader, { text: read.text, chunk: read, ...asked(context) }, { path: 'direct' })
  return { status, text, quotes, coverage: chunks.slice(1).map((chunk) => skipped(chunk, 'beyond what fits one call')) }
}

/** The report of a chunk that nobody read. */
export function skipped({ documentId, index, start, end }: Chunk, reason: string): ChunkReport {
  return { documentId, index, start, end, outcome: 'skipped', reason }
}
