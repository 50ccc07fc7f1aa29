/**
 * Chooses by length, task and model: what fits is read in one call, a summary is a map-reduce, and for a question about a long text
 * retrieval narrows and a chain reads what it left.
 */
import { emptyUnit, type Estimate, type QuoteManagerInput, type QuotingInput, type Worker } from '../agents/index.ts'
import type { Chunk } from '../chunkers/index.ts'
import { type ChatModel, describe, isLikelihoodModel, type NamedEmbedder, openLocalModel } from '../models/index.ts'
import { attempt } from './attempt.ts'
import { createChainMachine } from './chain-machine.ts'
import { toResult } from './chain-of-agents.ts'
import { skipped, stuff } from './direct.ts'
import { mapReduce } from './map-reduce.ts'
import { type Reading, readingsOf, searchDocuments } from './narrow.ts'
import { embedderOf } from './retrieve.ts'
import { pickDefined } from './pick-defined.ts'
import { asked, chunksFor, questionOf, resolveRoles, type RoleOptions, type Roles } from './roles.ts'
import type { Plan } from './plan.ts'
import type { SourceContext, Strategy, StrategyContext, StrategyResult } from './strategy.ts'
import { sumPlan } from './sum-plan.ts'

export interface AutoOptions extends Omit<RoleOptions, 'judge'> {
  /** The bundled local embedder by default; `false` finds by words alone. */
  readonly embedder?: NamedEmbedder | false
  /** Passages that retrieval leaves to the chain; 20 by default. */
  readonly candidates?: number
}

/** Passages on each side of a hit that become candidates too (measured: answers often stand beside the sentence that shares the words). */
const NEIGHBOURS = 1

export function auto(options: AutoOptions = {}): Strategy {
  let opening: Promise<ChatModel | undefined> | undefined
  const chosen = async (context: SourceContext): Promise<Strategy> => choose(context, options, await (opening ??= modelOf(options)))
  return {
    name: 'auto',
    version: 1,
    plan: async (context) => ({ ...(await (await chosen(context)).plan(context)), strategy: 'auto' }),
    run: async (context) => (await chosen(context)).run(context),
  }
}

async function modelOf({ model, worker, manager }: AutoOptions): Promise<ChatModel | undefined> {
  return model ?? (worker && manager ? undefined : openLocalModel())
}

function choose(context: SourceContext, options: AutoOptions, model: ChatModel | undefined): Strategy {
  const roles = { ...options, ...(model === undefined ? {} : { model }) }
  if (context.question === undefined) return mapReduce(roles)
  if (model !== undefined && !isLikelihoodModel(model) && fitsOneCall(context, options, model))
    return stuff({
      model,
      ...pickDefined({ description: options.description, prompt: options.prompts?.reader }, ['description', 'prompt']),
    })
  return narrowedChain(roles)
}

/** Half of the window leaves room for the prompt and for a reply at length. */
function fitsOneCall({ documents }: SourceContext, { description }: AutoOptions, model: ChatModel): boolean {
  const { window, count } = describe(model, description)
  const characters = documents.reduce((sum, { text }) => sum + text.length, 0)
  return characters < window * 4 && documents.reduce((sum, { text }) => sum + count(text), 0) < window / 2
}

/** Retrieval narrows, the chain reads. */
export function narrowedChain(options: AutoOptions): Strategy {
  let resolving: Promise<Roles> | undefined
  const roles = (): Promise<Roles> => (resolving ??= resolveRoles(options, 'chain'))
  return {
    name: 'narrowed-chain',
    version: 1,
    plan: async (context) => planNarrowed(context, await roles(), options),
    run: async (context) => runNarrowed(context, await roles(), options),
  }
}

async function planNarrowed(context: SourceContext, { worker, manager }: Roles, { candidates = 20 }: AutoOptions): Promise<Plan> {
  const chunks = await chunksFor(context, worker)
  const one = [{ start: 0, end: 1, score: 1 }]
  const estimate = (chunk: Chunk): Estimate => {
    const input: QuotingInput = { chunk, candidates: one, ...asked(context) }
    return worker.estimate(input)
  }
  const readings = chunks.slice(0, candidates).map(estimate)
  const answer = manager.estimate({ unit: emptyUnit, ...asked(context) })
  const notes =
    chunks.length > readings.length
      ? [`At most ${readings.length} of ${chunks.length} chunks are read: those that hold the best passages`]
      : []
  return sumPlan('narrowed-chain', [...readings, answer], { chunks: readings.length, criticalPath: readings.length + 1, notes })
}

async function runNarrowed(context: StrategyContext, { worker, manager }: Roles, options: AutoOptions): Promise<StrategyResult> {
  const question = questionOf(context)
  const embedder = await embedderOf(options.embedder, context)
  const hits = await searchDocuments(context, question, { embedder, k: options.candidates ?? 20, neighbours: NEIGHBOURS })
  const chunks = await chunksFor(context, worker)
  const readings = readingsOf(chunks, hits, (text) => worker.count(text))
  const unit = await readChain(context, worker, readings)
  context.phase('answering')
  const [only] = context.documents.length === 1 ? context.documents : []
  const input: QuoteManagerInput = { question, unit, ...(only?.title === undefined ? {} : { title: only.title }) }
  const output = await context.step(manager, input, { path: 'manager' })
  return { ...toResult(output, unit.quotes), coverage: unread(chunks, readings) }
}

async function readChain(context: StrategyContext, worker: Worker, readings: readonly Reading[]): Promise<typeof emptyUnit> {
  const titles = new Map(context.documents.map(({ id, title }) => [id, title]))
  let unit = emptyUnit
  async function read(cursor: number): Promise<void> {
    const { chunk, candidates } = readings[cursor] as Reading
    const title = titles.get(chunk.documentId)
    const input: QuotingInput = { chunk, candidates, unit, ...asked(context), ...(title === undefined ? {} : { title }) }
    const output = await attempt(() => context.step(worker, input, { path: `chain/forward/${chunk.index}` }))
    if (output) unit = output.unit
    context.hold({ quotes: unit.quotes, text: unit.notes })
  }
  await context.host('chain/forward', createChainMachine(readings.length, read), undefined)
  return unit
}

function unread(chunks: readonly Chunk[], readings: readonly Reading[]): NonNullable<StrategyResult['coverage']> {
  const read = new Set(readings.map(({ chunk }) => chunk))
  return chunks.filter((chunk) => !read.has(chunk)).map((chunk) => skipped(chunk, 'holds none of the best passages'))
}
