/**
 * HOMER as a retriever: a local model merges the whole text into one cache with the question after every chunk (Song et al., ICLR 2024, arXiv
 * 2404.10308), the tokens that survive are completed to sentences, and the answer is read from those as from what any retrieval finds.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Manager, quoteManager, type QuoteManagerInput } from '../agents/index.ts'
import {
  type ChatModel,
  describe,
  type HomerModel,
  type HomerSettings,
  type HomerTree,
  type HomerTreeNode,
  isHomerModel,
  isLikelihoodModel,
  type LikelihoodModel,
  type NamedEmbedder,
  openLocalModel,
  type SavedNode,
} from '../models/index.ts'
import type { ChunkReport } from './answer.ts'
import { toResult } from './chain-of-agents.ts'
import { createChainMachine } from './chain-machine.ts'
import {
  type ChunkSpan,
  chunkSpans,
  leavesOf,
  type NodeRecord,
  nodeRunner,
  rootOf,
  survivorReader,
  type SurvivorsRecord,
} from './homer-steps.ts'
import { joinDocuments, type JoinedText } from './joined-text.ts'
import { embedderOf } from './retrieve.ts'
import { pickDefined } from './pick-defined.ts'
import { questionOf } from './roles.ts'
import type { Plan } from './plan.ts'
import type { SourceContext, Strategy, StrategyContext, StrategyResult } from './strategy.ts'
import { sumPlan } from './sum-plan.ts'
import { quoteSurvivors } from './quote-survivors.ts'
import { survivingPassages } from './surviving-passages.ts'

export interface HomerOptions extends HomerSettings {
  /** A local model whose layers see all tokens by rotary embedding; the bundled one by default. */
  readonly model?: ChatModel
  /** Answers from what survived; the quoting manager of the model by default. */
  readonly manager?: Manager
  /** Compares what survived with the question; the bundled local embedder by default, `false` goes by words alone. */
  readonly embedder?: NamedEmbedder | false
  /** Surviving sentences handed to the manager; 24 by default. */
  readonly candidates?: number
  /**
   * Where a finished part of the text is kept until the part above it is done, so that a run that is killed goes on from there with no chunk read
   * twice: a file of caches (`*.cache`) for each, with the scope and the documents that it is of. By default finished parts are held in memory alone: a killed run begins anew.
   */
  readonly folder?: string
}

type MergingModel = ChatModel & LikelihoodModel & HomerModel

interface Merging {
  readonly model: MergingModel
  readonly manager: Manager
}

/**
 * @throws TypeError when the model does not run here; run and plan reject with a ModelFileError when it has layers with a sliding window, or ALiBi
 */
export function homer(options: HomerOptions = {}): Strategy {
  if (options.model !== undefined) checkModel(options.model)
  let opening: Promise<Merging> | undefined
  const merging = (): Promise<Merging> => (opening ??= open(options))
  return {
    name: 'homer',
    version: 1,
    plan: async (context) => planMerge(context, await merging(), options),
    run: async (context) => runMerge(context, await merging(), options),
  }
}

async function open({ model, manager }: HomerOptions): Promise<Merging> {
  const opened = checkModel(model ?? (await openLocalModel()))
  return { model: opened, manager: manager ?? quoteManager(opened) }
}

function checkModel(model: ChatModel): MergingModel {
  if (isHomerModel(model) && isLikelihoodModel(model)) return model
  throw new TypeError(`Cannot merge a text with ${describe(model).id} as it does not run here. Use a local model, or the strategy tree`)
}

/** The documents laid out, with the question after each chunk; nothing where they hold no words. */
function layOut(context: SourceContext, { model }: Merging, options: HomerOptions): { tree: HomerTree; joined: JoinedText } | undefined {
  const joined = joinDocuments(context.documents)
  if (joined.text.trim() === '') return undefined
  const title = titleOf(context)
  const text = {
    prefix: title === undefined ? 'Passage:' : `Passage: ${title}.`,
    context: joined.text,
    suffix: `\nQuestion: ${questionOf(context)}`,
  }
  const { chunkTokens = context.chunkTokens } = options
  const settings = pickDefined({ ...options, chunkTokens }, ['keep', 'warmUp', 'rule', 'chunkTokens'])
  return { tree: model.homerTree(text, settings), joined }
}

function titleOf({ documents }: SourceContext): string | undefined {
  return documents.length === 1 ? documents[0]?.title : undefined
}

async function planMerge(context: SourceContext, merging: Merging, options: HomerOptions): Promise<Plan> {
  const laidOut = layOut(context, merging, options)
  if (laidOut === undefined) return sumPlan('homer', [], { chunks: 0, criticalPath: 0 })
  await using tree = laidOut.tree
  const { context: length, affixes, leaves, tokens, layerShare, peakBytes } = tree.figures
  const { speed } = describe(merging.model)
  const calls = leaves === 1 ? 0 : tree.nodes.length
  const seconds = speed && { seconds: (layerShare * (length + affixes)) / speed.input }
  const reading = { calls, inputTokens: tokens, outputTokens: 0, usd: 0, ...seconds }
  const answer = merging.manager.estimate({ question: questionOf(context), unit: { notes: '', quotes: [] } })
  const notes =
    leaves === 1
      ? ['The text fits one chunk: nothing is merged']
      : [
          `Merging takes ${Math.round(100 * layerShare)} % of the layers that reading in one piece would, and ${Math.ceil(peakBytes / 1e6)} MB`,
        ]
  return sumPlan('homer', [...(calls === 0 ? [] : [reading]), answer], { chunks: leaves, criticalPath: calls + 1, notes })
}

async function runMerge(context: StrategyContext, merging: Merging, options: HomerOptions): Promise<StrategyResult> {
  const laidOut = layOut(context, merging, options)
  if (laidOut === undefined) return { status: 'not-found' }
  await using tree = laidOut.tree
  const { joined } = laidOut
  const run = { context, merging, options, tree, joined }
  const { passages, kept } = tree.nodes.length === 1 ? allPassages(joined) : await merge(run)
  const coverage = coverageOf(run, kept)
  context.hold({ coverage })
  const best = tree.nodes.length === 1 ? passages : passages.slice(0, options.candidates ?? 24)
  const quotes = await quoteSurvivors(context, { survivors: best, joined, tree }, await embedderOf(options.embedder, context))
  context.phase('answering')
  const title = titleOf(context)
  const input: QuoteManagerInput = { question: questionOf(context), unit: { notes: '', quotes }, ...(title === undefined ? {} : { title }) }
  const output = await context.step(merging.manager, input, { path: 'manager' })
  return { ...toResult(output, quotes), coverage }
}

interface MergeRun {
  readonly context: StrategyContext
  readonly merging: Merging
  readonly options: HomerOptions
  readonly tree: HomerTree
  readonly joined: JoinedText
}

/** A text that fits one chunk is not merged: all of its sentences are candidates, in their order. */
function allPassages(joined: JoinedText): SurvivorsRecord {
  const whole = [{ index: 0, start: 0, end: joined.text.length, score: 0 }]
  return { passages: survivingPassages(joined, whole), kept: [] }
}

/** Runs all nodes, depth first, each as a step; files of a node go as soon as the one above it is recorded. */
async function merge(run: MergeRun): Promise<SurvivorsRecord> {
  const { context, merging, options, tree, joined } = run
  const { folder } = options
  if (folder !== undefined) await mkdir(folder, { recursive: true })
  const root = rootOf(tree)
  const origin = { scope: context.scope, documentIds: context.documents.map(({ id }) => id) }
  const runner = nodeRunner(merging.model.id, folder)
  const records = new Map<number, NodeRecord>()
  const savedOf = ({ children }: HomerTreeNode): SavedNode[] => children.flatMap((child) => savedNode(child, records.get(child), folder))
  const clear = async (node: HomerTreeNode): Promise<void> => {
    for (const { file } of savedOf(node)) await rm(file, { force: true })
  }
  async function grow(cursor: number): Promise<void> {
    const node = tree.nodes[cursor] as HomerTreeNode
    const path = `homer/${node.height}/${node.from}`
    records.set(cursor, await watched(run, node, path, () => context.step(runner, { tree, node, saved: savedOf(node), origin }, { path })))
    await clear(node)
  }
  await context.host('homer', createChainMachine(root.index, grow), undefined)
  const input = { tree, saved: savedOf(root), joined }
  const survivors = await context.step(survivorReader(merging.model.id), input, { path: `homer/${root.height}/0` })
  await clear(root)
  return survivors
}

function savedNode(node: number, { file, sha256 }: NodeRecord = {}, folder: string | undefined): SavedNode[] {
  return file === undefined || sha256 === undefined || folder === undefined ? [] : [{ node, file: join(folder, file), sha256 }]
}

/** Tells of the chunks that a leaf stands for. */
async function watched<T>(run: MergeRun, node: HomerTreeNode, path: string, work: () => Promise<T>): Promise<T> {
  if (node.height > 0) return work()
  const { context, tree, joined } = run
  const all = chunkSpans(tree, joined)
  const leaf = leavesOf(tree).indexOf(node)
  const own = all.filter((chunk) => chunk.leaf === leaf)
  for (const { document } of own) context.emit({ type: 'worker.started', path, chunkIndex: leaf, documentId: document.id })
  const finish = (outcome: ChunkReport['outcome']): void => {
    const done = all.filter((chunk) => chunk.leaf <= leaf).length
    for (const { document } of own)
      context.emit({ type: 'worker.finished', path, chunkIndex: leaf, documentId: document.id, outcome, done, total: all.length })
  }
  try {
    const result = await work()
    finish('read')
    context.hold({ coverage: coverageOf(run, [], leaf + 1) })
    return result
  } catch (error) {
    finish('failed')
    throw error
  }
}

/** What became of the chunks of which the first `read` were read. */
function coverageOf({ tree, joined }: MergeRun, kept: readonly number[], read = Infinity): ChunkReport[] {
  const leaves = leavesOf(tree)
  return chunkSpans(tree, joined).map((chunk) => {
    const tokens = (leaves[chunk.leaf]?.to ?? 0) - (leaves[chunk.leaf]?.from ?? 0)
    const own = kept[chunk.leaf]
    if (chunk.leaf >= read) return reportOf(chunk, 'skipped', 'the run ended before it was read')
    return reportOf(chunk, 'read', own === undefined ? undefined : `kept ${own} of ${tokens} tokens`)
  })
}

function reportOf({ document, leaf, start, end }: ChunkSpan, outcome: 'read' | 'skipped', reason: string | undefined): ChunkReport {
  return { documentId: document.id, index: leaf, start, end, outcome, ...(reason === undefined ? {} : { reason }) }
}
